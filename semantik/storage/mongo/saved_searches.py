"""Saved searches in MongoDB, and how far each has come in each collection. Runs on the loop."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from semantik.core.models import SavedSearch
from semantik.storage.mongo.filter_rows import filters_from_row, filters_row
from semantik.storage.mongo.rows import time_of, to_fields, to_row
from semantik.storage.mongo.table import Record, Table

_PAGE = 500
_TIMES = ("created_at", "begins_at")


class SavedSearchTable:
    """`cursors` is a table of its own, with a row for each search and collection: the last seq that was looked at."""

    def __init__(self, table: Table, cursors: Table) -> None:
        self._table = table
        self._cursors = cursors

    async def create_indexes(self) -> None:
        await self._table.create_index([("user_id", 1), ("created_at", 1)])
        await self._table.create_index([("paused", 1)])
        await self._table.create_index([("feed_hash", 1)])
        for name in ("search_id", "collection_id", "user_id"):
            await self._cursors.create_index([(name, 1)])

    async def add(self, search: SavedSearch) -> None:
        await self._table.insert_one(_row(search))

    async def get(self, search_id: str) -> SavedSearch | None:
        row = await self._table.find_one({"_id": search_id})
        return _search(row) if row else None

    async def by_feed(self, feed_hash: str) -> SavedSearch | None:
        row = await self._table.find_one({"feed_hash": feed_hash}) if feed_hash else None
        return _search(row) if row else None

    async def of_user(self, user_id: str) -> list[SavedSearch]:
        """The oldest first."""
        rows = await self._table.find({"user_id": user_id}, [("created_at", 1), ("_id", 1)])
        return [_search(row) for row in rows]

    async def active(self) -> list[SavedSearch]:
        """Those of all users that are not paused."""
        return [_search(row) for row in await self._table.find({"paused": False})]

    async def existing(self, search_ids: Collection[str]) -> set[str]:
        """Those of the ids that exist."""
        rows = await self._table.find({"_id": {"$in": list(search_ids)}}, fields={"_id": 1})
        return {row["_id"] for row in rows}

    async def update(self, search_id: str, fields: Mapping[str, Any]) -> SavedSearch | None:
        """Set fields; None when there is no such search."""
        update = dict(fields)
        if "filters" in update:
            update["filters"] = filters_row(update["filters"])
        row = await self._table.update_one({"_id": search_id}, {"$set": to_fields(update)})
        return _search(row) if row else None

    async def begin_anew(
        self, search: SavedSearch, fields: Mapping[str, Any], at: datetime
    ) -> SavedSearch | None:
        """The same, so that what was indexed before `at` gives no alerts: its cursors do not count any more."""
        await self._cursors.delete_many({"search_id": search.id})
        return await self.update(search.id, {**fields, "begins_at": at, "version": search.version + 1})

    async def remove(self, search_id: str) -> None:
        await self._cursors.delete_many({"search_id": search_id})
        await self._table.delete_many({"_id": search_id})

    async def remove_of(self, user_id: str) -> None:
        await self._cursors.delete_many({"user_id": user_id})
        await self._table.delete_many({"user_id": user_id})

    # How far a search has come.

    async def cursors(self, searches: Sequence[SavedSearch]) -> dict[tuple[str, str], int]:
        """The last seq that each search has looked at, by the search's and the collection's ids."""
        versions = {each.id: each.version for each in searches}
        ids = list(versions)
        found: dict[tuple[str, str], int] = {}
        for at in range(0, len(ids), _PAGE):
            for row in await self._cursors.find({"search_id": {"$in": ids[at : at + _PAGE]}}):
                if row["version"] == versions[row["search_id"]]:
                    found[row["search_id"], row["collection_id"]] = int(row["seq"])
        return found

    async def set_cursor(self, search: SavedSearch, collection_id: str, seq: int) -> None:
        fields = {"search_id": search.id, "collection_id": collection_id, "user_id": search.user_id}
        where = {"_id": _cursor_key(search, collection_id)}
        await self._cursors.upsert(where, {"$set": {**fields, "version": search.version, "seq": seq}})

    async def move_cursors(self, searches: Sequence[SavedSearch], collection_id: str, seq: int) -> None:
        """Move cursors that were set; those of a search that was deleted or began anew are gone."""
        keys = [_cursor_key(each, collection_id) for each in searches]
        for at in range(0, len(keys), _PAGE):
            await self._cursors.update_many({"_id": {"$in": keys[at : at + _PAGE]}}, {"$set": {"seq": seq}})

    async def remove_collection(self, collection_id: str) -> None:
        await self._cursors.delete_many({"collection_id": collection_id})


def _cursor_key(search: SavedSearch, collection_id: str) -> str:
    return f"{search.id}:{search.version}:{collection_id}"


def _row(search: SavedSearch) -> Record:
    return {**to_row(search), "filters": filters_row(search.filters)}


def _search(row: Record) -> SavedSearch:
    fields = {name: row[name] for name in SavedSearch.__dataclass_fields__ if name not in ("id", "filters")}
    fields |= {name: time_of(row[name]) for name in _TIMES}
    ids = row["collection_ids"]
    fields["collection_ids"] = None if ids is None else tuple(ids)
    fields["webhook_ids"] = tuple(row["webhook_ids"])
    fields |= {name: bool(row[name]) for name in ("paused", "mail")}
    return SavedSearch(id=row["_id"], filters=filters_from_row(row["filters"]), **fields)
