"""The audit trail in MongoDB. Events are added and, after their time, removed; none is ever changed."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime

from semantik.core.errors import Conflict
from semantik.core.models import AuditEvent, AuditFilter
from semantik.storage.mongo.rows import time_of, to_row
from semantik.storage.mongo.table import Record, Sort, StorageSize, Table

_NEWEST: Sort = [("_id", -1)]
_EQUAL = ("outcome", "user_id", "username", "address", "request_id", "target")


class AuditTable:
    """Times are in the ids, which are the order of all pages."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def create_indexes(self) -> None:
        for field in ("user_id", "action", "address"):
            await self._table.create_index(
                [(field, 1)]
            )  # with _id beside it the embedded store takes no rows

    async def add(self, events: Sequence[AuditEvent]) -> None:
        """Add events; those that an interrupted call has added before are left as they are."""
        rows = [to_row(event) for event in events]
        try:
            await self._table.insert_many(rows)
        except Conflict:
            for row in rows:
                with suppress(Conflict):
                    await self._table.insert_one(row)

    async def page(self, only: AuditFilter, before_id: str | None, limit: int) -> list[AuditEvent]:
        """The newest first, before the event `before_id`."""
        where: Record = {
            name: value for name in _EQUAL if (value := getattr(only, name)) is not None
        } | _actions(only.action)
        ids: Record = {}
        if only.since is not None:
            ids["$gte"] = id_at(only.since)
        bounds = [] if only.until is None else [id_at(only.until)]
        bounds += [] if before_id is None else [before_id]
        if bounds:
            ids["$lt"] = min(bounds)
        if ids:
            where["_id"] = ids
        return [_event(row) for row in await self._table.find(where, _NEWEST, limit)]

    async def size_before(self, moment: datetime) -> StorageSize:
        return await self._table.storage_size(_before(moment))

    async def remove_before(self, moment: datetime) -> None:
        await self._table.delete_in_pages(_before(moment))


def id_at(moment: datetime) -> str:
    """The beginning of the ids of events at this moment."""
    return f"{int(moment.timestamp() * 1000):013d}"


def _before(moment: datetime) -> Record:
    return {"_id": {"$lt": id_at(moment)}}


def _actions(action: str | None) -> Record:
    if action is None:
        return {}
    return {"action": action if "." in action else {"$gte": f"{action}.", "$lt": f"{action}/"}}


def _event(row: Record) -> AuditEvent:
    return AuditEvent(
        row["_id"],
        time_of(row["at"]),
        row["action"],
        row["outcome"],
        row["user_id"],
        row["username"],
        row["credential"],
        row["address"],
        row["request_id"],
        row["target"],
        row["details"],
    )
