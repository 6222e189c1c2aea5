"""Opening a database of an older version migrates it to the current schema."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pymongo import AsyncMongoClient

from semantik.core.errors import ConfigError
from semantik.core.models import Counts
from semantik.storage.data_folder import data_lock
from semantik.storage.embedded import embedded
from semantik.storage.mongo import Store
from semantik.storage.mongo.migration import SCHEMA

pytestmark = pytest.mark.gen_test

_COUNTS = {"pending": 1, "indexed": 1, "failed": 0, "skipped": 0, "chunks": 2}
_COLLECTION = {
    "_id": "c", "owner_id": "u", "name": "Docs", "name_key": "docs", "description": "", "model": "m",
    "precision": "auto", "chunk_size": 200, "chunk_overlap": 20, "generation": 1, "dimension": 384, "next_seq": 5,
    "last_seq": 1, "running": None, "counts": _COUNTS, "created_at": 1, "updated_at": 1, "deleted": False,
}  # fmt: skip
_SOURCE = {"_id": "s", "collection_id": "c", "path": "/docs", "created_at": 1}
_OPERATION = {
    "_id": "o", "collection_id": "c", "user_id": "u", "type": "index", "source_id": "s", "status": "cancelled",
    "stage": "processing_embeddings", "counts": _COUNTS, "current_file": None, "progress_percent": 50.0,
    "created_at": 1, "started_at": 1, "completed_at": 1, "eta_s": None, "files_per_s": None, "error_message": None,
    "warnings": [], "result": None, "last_message": 1, "announced": True, "cancel_requested": True, "lease": None,
}  # fmt: skip


def _document(key: str, status: str, first: int, count: int) -> dict[str, Any]:
    return {
        "_id": key, "collection_id": "c", "generation": 1, "source_id": "s", "operation_id": "o", "size": 1,
        "path": f"/docs/{key}",
        "modified_ns": 1, "status": status, "mime": None, "title": None, "content_hash": None, "length": 3,
        "pages": None, "first_seq": first, "chunk_count": count, "failure": None,
    }  # fmt: skip


async def test_an_older_database_is_migrated_once(tmp_path: Path) -> None:
    async with data_lock(tmp_path) as lock, embedded(tmp_path, True, False, lock) as stores:
        async with AsyncMongoClient(stores.mongo_url) as client:
            database = client["old"]
            await database["collections"].insert_one(dict(_COLLECTION))
            await database["sources"].insert_one(dict(_SOURCE))
            await database["operations"].insert_one(dict(_OPERATION))
            await database["documents"].insert_many(
                [_document("found", "indexed", 0, 2), _document("left", "pending", -1, 0)]
            )
        for _ in range(2):
            async with Store(stores.mongo_url, "old") as store:
                [collection] = await store.collections.all()
                current = collection.current
                assert (current.model, current.dimension, current.last_seq, current.settled_seq) == (
                    "m",
                    384,
                    1,
                    1,
                )
                assert current.counts == Counts(pending=1, indexed=1, chunks=2)
                assert await store.documents.counts_of(current) == current.counts
                [[left]] = [page async for page in store.documents.due("o")]
                assert left.id == "left"
                found = await store.documents.get("c", "found")
                assert found is not None and found.has_chunk(1)
                [source] = await store.collections.sources(["c"])
                assert (source.interval_s, source.immediate, source.removing) == (None, False, False)
                operation = await store.operations.get("o")
                assert operation is not None and operation.stages == ()
        async with AsyncMongoClient(stores.mongo_url) as client:
            await client["old"]["meta"].update_one({"_id": "schema"}, {"$set": {"value": SCHEMA + 1}})
        with pytest.raises(ConfigError, match="newer Semantik"):
            async with Store(stores.mongo_url, "old"):
                pass
