"""A data folder with a collection of many passages, made once and used by every measure that needs one."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.corpus import HOME, small_files
from bench.serving import index, serving
from semantik.data_folder import data_lock
from semantik.embedded import embedded
from semantik.settings import Settings
from semantik.store import Store
from semantik.store.migration import SCHEMA

_DONE = "bench.json"  # written last: what the folder holds, and in which form


async def filled(count: int) -> tuple[Path, str]:
    """A data folder, and in it the id of a collection of `count` files with one passage each.

    It is made anew when it is not complete, or has another form of the database.
    """
    home = HOME / f"data-{count}"
    wanted = {"schema": SCHEMA, "passages": count}
    done = home / _DONE
    if done.exists():
        found = json.loads(done.read_text("utf-8"))
        if wanted.items() <= found.items():
            return home, found["collection"]
    print(f"{home} is made; that takes some minutes.", file=sys.stderr)
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    async with serving(home) as server:
        collection, _ = await index(server.client, small_files(count))
    done.write_text(json.dumps({**wanted, "collection": collection}), "utf-8")
    return home, collection


async def document_vectors(count: int) -> NDArray[np.float16]:
    """The vectors of that collection's passages as MongoDB has them, (count, dimension)."""
    home, collection_id = await filled(count)
    saved = home / "vectors.npy"
    if not saved.exists():
        async with (
            data_lock(home) as lock,
            embedded(home, True, False, lock) as stores,
            Store(stores.mongo_url, Settings().mongo_database) as store,
        ):
            collection = await store.collections.get(collection_id)
            assert collection is not None
            blocks = store.chunks.vectors(collection.current, -1, collection.current.last_seq)
            np.save(saved, np.concatenate([block.vectors async for block in blocks]))
    vectors: NDArray[np.float16] = np.load(saved)
    return vectors


if __name__ == "__main__":
    asyncio.run(filled(int(sys.argv[1])))
