"""Filters on both stores' reads: pages that SQLite answers directly, and those that go through NeoSQLite."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from support.embedded_stores import store
from support.mongo_records import new_generation

from semantik.core.models import Document, Filters, new_id
from semantik.storage.mongo.document_pages import SCANNED_FIELDS

pytestmark = pytest.mark.gen_test


def made(number: int, **fields: Any) -> Document:
    document = Document(
        id=new_id(), collection_id="c", generation=1, source_id="s", operation_id="o", path=f"/notes/{number:04}.txt",
        size=1, modified_ns=number * 86_400 * 10**9, status="indexed", title=f"Note {number}", mime="text/plain",
        language="en", first_seq=2 * number, chunk_count=2,
    )  # fmt: skip
    return replace(document, **fields)


async def test_pages_read_directly_are_those_of_the_store(tmp_path: Path) -> None:
    async with store(tmp_path) as db:
        generation = new_generation("c")
        assert [page async for page in db.documents.scan(generation)] == []
        documents = [made(number) for number in range(4500)]
        documents[7] = made(
            7, title=None, language=None, date='2003-07-09T10:00:00"', path="/notes/é \" ' \\ 7.txt"
        )
        await db.documents.register(documents)
        where = {"collection_id": "c", "generation": 1, "status": "indexed"}
        table = db.documents._table
        direct, plain = [
            [row async for rows in table.pages(where, "path", 2000, SCANNED_FIELDS, fast) for row in rows]
            for fast in (True, False)
        ]
        assert len(direct) == 4500
        # The embedded store gives all fields, MongoDB those that a row has.
        blank = dict.fromkeys(SCANNED_FIELDS)
        assert [blank | row for row in direct] == [blank | row for row in plain]
        pages = [page async for page in db.documents.scan(generation)]
        assert [len(page.columns) for page in pages] == [2000, 2000, 500]
        number = next(n for n, path in enumerate(pages[2].columns.paths) if path == documents[7].path)
        assert pages[2].columns.days[number] == date(2003, 7, 9).toordinal()
        assert pages[2].spans[number].tolist() == [14, 16]


async def test_filters_select_the_chunks_of_documents(tmp_path: Path) -> None:
    async with store(tmp_path) as db:
        generation = new_generation("c")
        old = made(3)
        await db.documents.register(
            [
                made(1, title="Über den Kessel", language="de", date="2024-03-01"),
                made(
                    2,
                    path="/b/letters.zip#x/may.pdf",
                    part="x/may.pdf",
                    mime="application/pdf",
                    language=None,
                ),
                old,
                made(4, path="/b/empty.pdf", chunk_count=0, first_seq=-1),
            ]
        )
        # Rows of earlier builds lack these fields.
        await db.documents._table.update_many(
            {"_id": old.id}, {"$unset": {"language": "", "part": "", "date": ""}}
        )

        async def found(**fields: Any) -> list[int]:
            spans = await db.documents.spans(generation, Filters(**fields))
            return sorted(int(first) // 2 for first, _ in spans.tolist())

        assert await found() == [1, 2, 3]
        assert await found(titles=(("kessel uber", "kess*"),)) == [1]
        assert await found(titles=(("note",),)) == [2, 3]
        assert await found(types=(("pdf",),)) == [2]
        assert await found(not_types=("pdf",)) == [1, 3]
        assert await found(languages=(("de", "en"),)) == [1]
        assert await found(not_languages=("de",)) == [2, 3]
        assert await found(after=date(2024, 1, 1)) == [1]
        assert await found(before=date(1970, 1, 4)) == [2]
        assert await found(paths=(("LETTERS",),)) == [2]
        assert await found(path_glob="may.*", types=(("pdf",),)) == [2]
        assert await found(extensions=(".txt",), not_paths=("0003",)) == [1]
        assert await found(modified_after=datetime(1970, 1, 4, tzinfo=UTC), titles=(("note",),)) == [3]
