"""Data folders with many small indexed documents: built once, and copied for each measurement that needs one."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from bench import corpus
from bench.server_process import index_folder, run_server
from semantik.storage.mongo.migration import SCHEMA

_METADATA = "data_set.json"  # written last


@dataclass(frozen=True)
class IndexedData:
    """A data folder whose collection `collection_id` contains `corpus.small_files(count)`, one chunk each; `record` is
    the record of its INDEX, `schema` the schema version of its database."""

    data: Path
    collection_id: str
    record: dict[str, Any]
    schema: int = SCHEMA


def build(count: int, parent: Path = corpus.WORK_FOLDER) -> IndexedData:
    """Index `count` documents in a new data folder, which replaces an older one."""
    folder = parent / f"indexed-{count}"
    temporary = folder.with_name(f"{folder.name}.new")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    data_set = replace(asyncio.run(_index(temporary / "data", count)), data=folder / "data")
    (temporary / _METADATA).write_text(json.dumps({**asdict(data_set), "data": str(data_set.data)}))
    shutil.rmtree(folder, ignore_errors=True)
    temporary.rename(folder)
    return data_set


async def _index(data: Path, count: int) -> IndexedData:
    async with run_server(data) as server:
        return IndexedData(data, *await index_folder(server.client, corpus.small_files(count)))


@contextmanager
def copy(count: int) -> Iterator[IndexedData]:
    """A temporary copy of the data folder with `count` documents."""
    data_set = _cached(count)
    with tempfile.TemporaryDirectory(dir=corpus.WORK_FOLDER) as temporary_folder:
        data = Path(temporary_folder) / "data"
        shutil.copytree(data_set.data, data, ignore=shutil.ignore_patterns("*.sock", "run"))
        yield replace(data_set, data=data)


def _cached(count: int) -> IndexedData:
    """The data set on disk; built again if its database has another schema version."""
    folder = corpus.WORK_FOLDER / f"indexed-{count}"
    if (folder / _METADATA).exists():
        data_set = IndexedData(**json.loads((folder / _METADATA).read_text()))
        if data_set.schema == SCHEMA:
            return replace(data_set, data=folder / "data")
    print(f"Building {folder}; this takes some minutes.", file=sys.stderr)
    return build(count)
