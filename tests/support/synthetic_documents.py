"""Very many documents of a collection, written straight into the embedded store: nothing is read for them."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import uuid
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from support.beside_browser import run
from support.fake_operation import server_stores
from support.server import Serving

FAILED_EVERY, SKIPPED_EVERY = 97, 211
KINDS = (
    (".pdf", "application/pdf"),
    (".md", "text/markdown"),
    (".eml", "message/rfc822"),
    (".txt", "text/plain"),
)
FAILURE = {"category": "timeout", "message": "The reader took longer than its limit."}


def name_of(number: int) -> str:
    """Document names in the order of their numbers."""
    return f"report {number:06}{KINDS[number % len(KINDS)][0]}"


def size_of(number: int) -> int:
    """Sizes, all different, in another order than the names."""
    return 1_000 + (number * 7919) % 1_000_003


def _rows(template: dict[str, Any], count: int) -> Iterator[tuple[str, str]]:
    for number in range(count):
        status = (
            "failed"
            if number % FAILED_EVERY == 5
            else "skipped"
            if number % SKIPPED_EVERY == 7
            else "indexed"
        )
        key = str(uuid.UUID(int=number + 1))
        row = template | {
            "_id": key,
            "path": f"/srv/archive/{number // 1000:03}/{name_of(number)}",
            "size": size_of(number),
            "modified_ns": 10**18 + number * 60 * 10**9,
            "status": status,
            "mime": KINDS[number % len(KINDS)][1],
            "title": f"Report {number}",
            "content_hash": f"{number:064x}",
            "first_seq": 10**9 + 10 * number,
            "chunk_count": number % 10 if status == "indexed" else 0,
            "failure": FAILURE if status == "failed" else None,
        }
        yield key, json.dumps(row, separators=(",", ":"))


async def _fill(serving: Serving, collection_id: str, count: int) -> None:
    async with server_stores(serving) as (store, _):
        collection = await store.collections.get(collection_id)
        assert collection is not None
        database = serving.data / "mongo" / f"{serving.stores.database}.db"
        await asyncio.to_thread(_insert, str(database), collection_id, count)
        counts = await store.documents.counts_of(collection.current)
        fields = {f"generations.g{collection.generation}.counts": asdict(counts)}
        await store.collections._table.update_one({"_id": collection_id}, {"$set": fields})


def _insert(database: str, collection_id: str, count: int) -> None:
    with sqlite3.connect(database, timeout=60) as connection:
        (data,) = connection.execute(
            "SELECT data FROM documents WHERE json_extract(data, '$.collection_id') = ? "
            "AND json_extract(data, '$.status') = 'indexed' LIMIT 1",
            (collection_id,),
        ).fetchone()
        connection.executemany(
            "INSERT INTO documents (_id, data) VALUES (?, ?)", _rows(json.loads(data), count)
        )
    connection.close()


def fill(serving: Serving, collection_id: str, count: int) -> None:
    """Give a collection that has an indexed document `count` more."""
    run(_fill(serving, collection_id, count))
