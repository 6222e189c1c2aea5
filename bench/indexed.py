"""Data folders with many small documents in them, made once, and copied for each measurement that wants one."""

from __future__ import annotations

import asyncio
import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from bench import corpus
from bench.serving import index, serving


@dataclass(frozen=True)
class Indexed:
    """A data folder whose collection `collection_id` holds `corpus.small_files(count)`; `record` is its INDEX."""

    data: Path
    collection_id: str
    record: dict[str, Any]


def make(count: int, below: Path = corpus.HOME) -> Indexed:
    """Index so many documents on a new data folder, which takes the place of an older one."""
    home = below / f"indexed-{count}"
    fresh = home.with_name(f"{home.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    made = replace(asyncio.run(_index(fresh / "data", count)), data=home / "data")
    (fresh / "made.json").write_text(json.dumps({**asdict(made), "data": str(made.data)}))
    shutil.rmtree(home, ignore_errors=True)
    fresh.rename(home)
    return made


async def _index(data: Path, count: int) -> Indexed:
    async with serving(data) as server:
        return Indexed(data, *await index(server.client, corpus.small_files(count)))


@contextmanager
def copy(count: int) -> Iterator[Indexed]:
    """A copy of a data folder with so many documents, for one's own use."""
    saved = corpus.HOME / f"indexed-{count}" / "made.json"
    if not saved.exists():
        make(count)
    made = json.loads(saved.read_text())
    with tempfile.TemporaryDirectory(dir=corpus.HOME) as folder:
        data = Path(folder) / "data"
        shutil.copytree(made["data"], data, ignore=shutil.ignore_patterns("*.sock", "run"))
        yield Indexed(data, made["collection_id"], made["record"])
