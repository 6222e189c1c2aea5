"""Texts that were recognised in pictures, in MongoDB: no page is recognised twice, whatever happens to its document.

They belong to a collection, and to a content rather than a document: a REINDEX, and another file with the same content,
use them. Runs on the loop.
"""

from __future__ import annotations

from collections.abc import Sequence

from semantik.core.models import RecognisedPage
from semantik.storage.mongo.rows import to_fields
from semantik.storage.mongo.table import Record, Table

_CONTENTS = 500  # looked up together


class RecognisedPageTable:
    """One row for each page of a content."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def create_indexes(self) -> None:
        await self._table.create_index([("content", 1)])
        await self._table.create_index([("collection_id", 1)])

    async def put(self, page: RecognisedPage) -> None:
        """Save a page, replacing what was recognised on it before."""
        key = f"{_content(page.collection_id, page.content_hash)}:{page.number}"
        fields = {**to_fields(vars(page)), "content": _content(page.collection_id, page.content_hash)}
        await self._table.upsert({"_id": key}, {"$set": fields})

    async def of_content(self, collection_id: str, content_hash: str) -> list[RecognisedPage]:
        """The pages of a content, in order."""
        rows = await self._table.find({"content": _content(collection_id, content_hash)})
        return sorted((_page(row) for row in rows), key=lambda page: page.number)

    async def any_of(self, collection_id: str) -> bool:
        """Whether the collection has any page."""
        return await self._table.find_one({"collection_id": collection_id}) is not None

    async def contents(self, collection_id: str) -> list[str]:
        """The hashes of all contents of a collection that have pages here."""
        rows = await self._table.group({"collection_id": collection_id}, "$content_hash", {"n": {"$sum": 1}})
        return [str(row["_id"]) for row in rows]

    async def remove(self, collection_id: str, content_hashes: Sequence[str]) -> None:
        """Remove the pages of some contents of a collection."""
        contents = [_content(collection_id, content_hash) for content_hash in content_hashes]
        for at in range(0, len(contents), _CONTENTS):
            await self._table.delete_many({"content": {"$in": contents[at : at + _CONTENTS]}})

    async def remove_all(self, collection_id: str) -> None:
        await self._table.delete_many({"collection_id": collection_id})


def _content(collection_id: str, content_hash: str) -> str:
    return f"{collection_id}:{content_hash}"


def _page(row: Record) -> RecognisedPage:
    return RecognisedPage(**{name: row[name] for name in RecognisedPage.__dataclass_fields__})
