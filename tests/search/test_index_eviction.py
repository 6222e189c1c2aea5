"""When one server removes a collection or generation, the others evict its index from memory and disk."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from pymongo import AsyncMongoClient
from support.api import ask, index, new_user
from support.server import Serving

pytestmark = pytest.mark.gen_test


async def _until_gone(folder: Path) -> None:
    while folder.exists():  # noqa: ASYNC110, no message announces it
        await asyncio.sleep(0.1)


async def test_indexes_removed_by_another_server_are_evicted(
    start: Callable[..., Serving], tmp_path: Path
) -> None:
    serving = start()
    client = await new_user(serving)
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "note.txt").write_text("The heron stands in the shallow water.")
    kept, _ = await index(client, folder, "kept")
    purged, _ = await index(client, folder, "purged")
    replaced, _ = await index(client, folder, "replaced")
    index_folder = serving.data / "index"
    assert {path.name for path in index_folder.iterdir()} >= {kept, purged, replaced}
    stores = serving.stores
    async with AsyncMongoClient(stores.mongo_url) as mongo:
        collections = mongo[stores.database]["collections"]
        row = await collections.find_one({"_id": replaced})
        assert row is not None
        fresh = {**row["generations"]["g1"], "number": 2, "last_seq": -1}
        await collections.update_one(
            {"_id": replaced},
            {"$set": {"generation": 2, "generations": {"g2": fresh}}},
        )
        await collections.delete_one({"_id": purged})
    await _until_gone(index_folder / purged)
    await _until_gone(index_folder / replaced / "1")
    assert (index_folder / kept / "1").is_dir()
    assert len(await ask(client, "a bird in the water", collection_ids=[kept])) == 1
