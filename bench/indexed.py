"""Data folders with many small documents in them, made once, and copied for each measurement that wants one."""

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

import numpy as np
from numpy.typing import NDArray

from bench import corpus
from bench.serving import index, serving
from semantik.config.settings import Settings
from semantik.storage.data_folder import data_lock
from semantik.storage.embedded import embedded
from semantik.storage.mongo import Store
from semantik.storage.mongo.migration import SCHEMA

_MADE = "made.json"  # written last


@dataclass(frozen=True)
class Indexed:
    """A data folder whose collection `collection_id` holds `corpus.small_files(count)`, one passage each; `record` is
    its INDEX, `schema` the form of its database."""

    data: Path
    collection_id: str
    record: dict[str, Any]
    schema: int = SCHEMA


def make(count: int, below: Path = corpus.HOME) -> Indexed:
    """Index so many documents on a new data folder, which takes the place of an older one."""
    home = below / f"indexed-{count}"
    fresh = home.with_name(f"{home.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    made = replace(asyncio.run(_index(fresh / "data", count)), data=home / "data")
    (fresh / _MADE).write_text(json.dumps({**asdict(made), "data": str(made.data)}))
    shutil.rmtree(home, ignore_errors=True)
    fresh.rename(home)
    return made


async def _index(data: Path, count: int) -> Indexed:
    async with serving(data) as server:
        return Indexed(data, *await index(server.client, corpus.small_files(count)))


@contextmanager
def copy(count: int) -> Iterator[Indexed]:
    """A copy of a data folder with so many documents, for one's own use."""
    made = _kept(count)
    with tempfile.TemporaryDirectory(dir=corpus.HOME) as folder:
        data = Path(folder) / "data"
        shutil.copytree(made.data, data, ignore=shutil.ignore_patterns("*.sock", "run"))
        yield replace(made, data=data)


def vectors(count: int) -> NDArray[np.float16]:
    """The vectors of such a collection as MongoDB has them, (count, dimension)."""
    saved = _kept(count).data.with_name("vectors.npy")
    if not saved.exists():
        with copy(count) as made:
            np.save(saved, asyncio.run(_vectors(made)))
    found: NDArray[np.float16] = np.load(saved)
    return found


def _kept(count: int) -> Indexed:
    """What is there, or made anew where the database has another form by now."""
    home = corpus.HOME / f"indexed-{count}"
    if (home / _MADE).exists():
        made = Indexed(**json.loads((home / _MADE).read_text()))
        if made.schema == SCHEMA:
            return replace(made, data=home / "data")
    print(f"{home} is made; that takes some minutes.", file=sys.stderr)
    return make(count)


async def _vectors(made: Indexed) -> NDArray[np.float16]:
    async with (
        data_lock(made.data) as lock,
        embedded(made.data, True, False, lock) as stores,
        Store(stores.mongo_url, Settings().mongo_database) as store,
    ):
        collection = await store.collections.get(made.collection_id)
        assert collection is not None
        blocks = store.chunks.vectors(collection.current, -1, collection.current.last_seq)
        return np.concatenate([block.vectors async for block in blocks])
