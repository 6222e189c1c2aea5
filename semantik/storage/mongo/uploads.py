"""Uploads in MongoDB, and the blocks of their contents where several servers share it. Runs on the loop.

A content is written under its SHA-256, so it may be written any number of times.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from bson import Binary

from semantik.core.models import Upload, UploadState
from semantik.storage.mongo.rows import milliseconds, time_of, to_fields, to_row
from semantik.storage.mongo.table import Record, Table

BLOCK_BYTES = 1 << 20
_PAGE = 2000
_OF_A_MOMENT = 8  # more uploads of one millisecond are rare
_STORED_PAGE = 500  # short on the loop: an operation reads all uploads of its collection


class UploadTable:
    """One row for each upload; `blocks` is a table of its own, empty unless servers share their contents."""

    def __init__(self, table: Table, blocks: Table) -> None:
        self._table = table
        self._blocks = blocks

    async def create_indexes(self) -> None:
        for keys in (("collection_id", "content"), ("user_id", "state"), ("state", "server"), ("content",)):
            await self._table.create_index([(key, 1) for key in keys])
        await self._table.create_index([("state", 1), ("operation_id", 1)])
        await self._table.create_index([("collection_id", 1), ("created_at", 1)])

    async def add(self, upload: Upload) -> None:
        await self._table.insert_one(to_row(upload))

    async def get(self, collection_id: str, upload_id: str) -> Upload | None:
        row = await self._table.find_one({"_id": upload_id, "collection_id": collection_id})
        return _upload(row) if row else None

    async def update(self, upload: Upload, fields: Mapping[str, Any]) -> Upload | None:
        """Set fields of an upload that is in the same state still; None when it is not, or gone."""
        where = {"_id": upload.id, "state": upload.state}
        row = await self._table.update_one(where, {"$set": to_fields(fields)})
        return _upload(row) if row else None

    async def stored(self, collection_id: str, content: str) -> Upload | None:
        """The upload of a collection that has this content."""
        where = {"collection_id": collection_id, "content": content, "state": "stored"}
        row = await self._table.find_one(where)
        return _upload(row) if row else None

    async def named(self, collection_id: str, name: str) -> list[Upload]:
        """The stored uploads of a collection that have this name."""
        rows = await self._table.find({"collection_id": collection_id, "name": name, "state": "stored"})
        return [_upload(row) for row in rows]

    async def page(self, collection_id: str, before: tuple[int, str], limit: int) -> list[Upload]:
        """The newest uploads of a collection before the position (milliseconds, id); of one moment by their ids."""
        where: Record = {
            "collection_id": collection_id,
            "created_at": {"$lte": before[0]},
            "state": {"$ne": "removing"},
        }
        number = limit + _OF_A_MOMENT
        while True:
            rows = await self._table.find(where, [("created_at", -1), ("_id", -1)], number)
            found = [row for row in rows if (row["created_at"], row["_id"]) < before]
            if len(found) >= limit or len(rows) < number:
                return [_upload(row) for row in found[:limit]]
            number *= 2  # of the position's own moment, any number may be on the pages before

    async def all_stored(self, collection_id: str) -> AsyncIterator[list[Upload]]:
        """The stored uploads of a collection in the order of their contents, a page at a time."""
        where: Record = {"collection_id": collection_id, "content": {"$gt": ""}}
        while rows := await self._table.find(where, [("content", 1)], _STORED_PAGE):
            yield [_upload(row) for row in rows if row["state"] == "stored"]
            if len(rows) < _STORED_PAGE:
                return
            # Of a content that two servers stored at the same time, the first upload alone counts.
            where["content"] = {"$gt": rows[-1]["content"]}

    async def unqueued(self) -> list[Upload]:
        """Stored and removed uploads that no operation was queued for."""
        where = {"state": {"$in": ["stored", "removing"]}, "operation_id": None}
        rows = await self._table.find(where, limit=_PAGE)
        return [_upload(row) for row in rows]

    async def set_operation(self, uploads: Sequence[Upload], operation_id: str) -> None:
        ids = [one.id for one in uploads]
        await self._table.update_many({"_id": {"$in": ids}}, {"$set": {"operation_id": operation_id}})

    async def of_server(self, server: str, state: UploadState) -> list[Upload]:
        """The uploads in a state that a server receives."""
        rows = await self._table.find({"state": state, "server": server})
        return [_upload(row) for row in rows]

    async def unchanged_since(self, moment: datetime) -> list[Upload]:
        """Unfinished uploads of all servers that have had no bytes since."""
        where = {"state": "receiving", "changed_at": {"$lt": milliseconds(moment)}}
        return [_upload(row) for row in await self._table.find(where, limit=_PAGE)]

    async def used(self, user_id: str) -> tuple[int, int]:
        """The bytes of a user's uploads, finished or not, and the number of those that are not finished."""
        sums = {"bytes": {"$sum": "$size"}, "n": {"$sum": 1}}
        rows = await self._table.group({"user_id": user_id}, "$state", sums)
        unfinished = sum(int(row["n"]) for row in rows if row["_id"] == "receiving")
        return sum(int(row["bytes"]) for row in rows if row["_id"] != "removing"), unfinished

    async def in_use(self, contents: Sequence[str]) -> set[str]:
        """Those of the contents that an upload has."""
        found = set()
        for content in contents:
            if await self._table.find_one({"content": content}):
                found.add(content)
        return found

    async def remove(self, upload: Upload) -> bool:
        """Whether it was there still, in the same state."""
        return await self._table.delete_many({"_id": upload.id, "state": upload.state}) == 1

    async def remove_all(self, collection_id: str) -> None:
        await self._table.delete_in_pages({"collection_id": collection_id})

    # What servers share of contents.

    async def put_block(self, content: str, number: int, data: bytes, moment: datetime) -> None:
        fields = {"content": content, "number": number, "data": Binary(data), "at": milliseconds(moment)}
        await self._blocks.upsert({"_id": f"{content}:{number}"}, {"$set": fields})

    async def block(self, content: str, number: int) -> bytes | None:
        row = await self._blocks.find_one({"_id": f"{content}:{number}"})
        return bytes(row["data"]) if row else None

    async def shared_contents(self, before: datetime) -> list[str]:
        """The contents whose first block was written before."""
        where = {"number": 0, "at": {"$lt": milliseconds(before)}}
        return [str(row["content"]) for row in await self._blocks.find(where, fields={"content": 1})]

    async def remove_blocks(self, content: str) -> None:
        await self._blocks.delete_many({"_id": {"$gte": f"{content}:", "$lt": f"{content};"}})


def _upload(row: Record) -> Upload:
    fields = {name: row[name] for name in Upload.__dataclass_fields__ if name != "id"}
    fields |= {name: time_of(row[name]) for name in ("created_at", "changed_at")}
    return Upload(id=row["_id"], **fields)
