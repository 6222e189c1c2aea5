"""The documents that filters select, in memory: right after every change, and read only when something changed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.embedded_stores import store
from support.mongo_records import new_collection

from semantik.core.models import Document, Filters, new_id
from semantik.search.document_catalog import DocumentCatalog
from semantik.storage.mongo import Store

pytestmark = pytest.mark.gen_test
PDF = Filters(types=(("pdf",),))


def made(collection_id: str, number: int, ending: str = "pdf", date: str | None = None) -> Document:
    return Document(
        id=new_id(), collection_id=collection_id, generation=1, source_id="s", operation_id="o",
        path=f"/a/{number}.{ending}", size=1, modified_ns=number * 86_400 * 10**9, status="indexed",
        first_seq=number, chunk_count=1, date=date,
    )  # fmt: skip


def counted(db: Store, scans: list[str]) -> None:
    scan = db.documents.scan

    async def counting(generation: Any, *more: Any) -> AsyncIterator[Any]:
        scans.append(generation.collection_id)
        async for page in scan(generation, *more):
            yield page

    db.documents.scan = counting  # type: ignore[method-assign]


async def test_a_collection_at_rest_is_read_once(tmp_path: Path) -> None:
    async with store(tmp_path) as db:
        collection = replace(new_collection("u"), clean=True)
        await db.collections.add(collection)
        collection = await db.collections.get(collection.id)
        await db.documents.register(
            [made(collection.id, 1), made(collection.id, 2, "txt"), made(collection.id, 3)]
        )
        scans: list[str] = []
        counted(db, scans)
        catalog = DocumentCatalog(db)
        for _ in range(3):
            assert sorted((await catalog.spans(collection, PDF)).tolist()) == [[1, 2], [3, 4]]
        assert len(scans) == 1
        await db.collections.mark_dirty(collection.id)
        await db.documents.register([made(collection.id, 4)])
        changing = await db.collections.get(collection.id)
        assert not changing.clean
        for count in (2, 3):
            assert len(await catalog.spans(changing, PDF)) == 3
            assert len(scans) == count
        small = DocumentCatalog(db, max_bytes=100)
        for _ in range(2):
            assert len(await small.spans(replace(changing, clean=True), PDF)) == 3


async def test_the_newest_documents_come_first(tmp_path: Path) -> None:
    async with store(tmp_path) as db:
        collection = replace(new_collection("u"), clean=True)
        await db.collections.add(collection)
        collection = await db.collections.get(collection.id)
        dated = made(collection.id, 1, date="2030-01-01")
        await db.documents.register([dated, *(made(collection.id, number) for number in (5, 9, 7))])
        catalog = DocumentCatalog(db)
        for each in (collection, replace(collection, clean=False)):
            assert await catalog.newest(each, PDF, 3) == [1, 9, 7]
            assert await catalog.newest(each, Filters(not_types=("pdf",)), 3) == []
