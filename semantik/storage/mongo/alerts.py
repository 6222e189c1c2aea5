"""Alerts in MongoDB, and which server makes those of a user now. Runs on the loop."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from datetime import datetime, timedelta

from semantik.core.errors import Conflict
from semantik.core.models import Alert, now
from semantik.storage.mongo.rows import milliseconds, time_of, to_row
from semantik.storage.mongo.table import Record, StorageSize, Table

_PAGE = 500
_BITS = 53  # numbers that JSON can hold exactly


class AlertTable:
    """`states` is a table of its own, with a row for each user: the last number given, and who holds the lease.

    Only the holder of a user's lease adds alerts, in the order of their numbers: who has read up to a number misses
    none.
    """

    def __init__(self, table: Table, states: Table) -> None:
        self._table = table
        self._states = states

    async def create_indexes(self) -> None:
        await self._table.create_index([("user_id", 1), ("number", 1)], unique=True)
        await self._table.create_index([("user_id", 1), ("queued", 1)])
        await self._table.create_index([("search_id", 1), ("number", 1)])
        await self._table.create_index([("collection_id", 1), ("path", 1)])
        await self._table.create_index([("created_at", 1)])

    async def add(self, alerts: Sequence[Alert]) -> None:
        """Add alerts whose ids are new. Raises Conflict when another server has given their numbers meanwhile."""
        await self._table.insert_many([to_row(each) for each in alerts])

    async def known(self, ids: Sequence[str]) -> set[str]:
        """Those of the ids that exist."""
        rows = await self._table.find({"_id": {"$in": list(ids)}}, fields={"_id": 1})
        return {row["_id"] for row in rows}

    async def get(self, alert_id: str) -> Alert | None:
        row = await self._table.find_one({"_id": alert_id})
        return _alert(row) if row else None

    async def after(self, user_id: str, number: int, limit: int) -> list[Alert]:
        """The alerts of a user above a number, in order."""
        where = {"user_id": user_id, "number": {"$gt": number}}
        return [_alert(row) for row in await self._table.find(where, [("number", 1)], limit)]

    async def before(self, user_id: str, search_id: str | None, number: int, limit: int) -> list[Alert]:
        """The newest alerts of a user below a number; of one search, or of all."""
        where: Record = {"user_id": user_id, "number": {"$lt": number}}
        if search_id is not None:
            where["search_id"] = search_id
        return [_alert(row) for row in await self._table.find(where, [("number", -1)], limit)]

    async def newest(self, search_ids: Sequence[str], user_id: str) -> dict[str, tuple[int, datetime]]:
        """How many alerts each search has given, and the time of the last one."""
        sums = {"n": {"$sum": 1}, "at": {"$max": "$created_at"}}
        rows = await self._table.group({"user_id": user_id}, "$search_id", sums)
        return {row["_id"]: (int(row["n"]), time_of(row["at"])) for row in rows if row["_id"] in search_ids}

    async def unqueued(self, user_id: str) -> list[Alert]:
        """Those whose deliveries are still to be queued."""
        rows = await self._table.find({"user_id": user_id, "queued": False}, [("number", 1)])
        return [_alert(row) for row in rows]

    async def mark_queued(self, ids: Sequence[str]) -> None:
        await self._table.update_many({"_id": {"$in": list(ids)}}, {"$set": {"queued": True}})

    async def pages(self) -> AsyncIterator[list[Alert]]:
        """All alerts, a page at a time."""
        async for rows in self._table.pages({}, "_id", _PAGE):
            yield [_alert(row) for row in rows]

    async def remove(self, ids: Sequence[str]) -> None:
        await self._table.delete_many({"_id": {"$in": list(ids)}})

    async def remove_search(self, search_id: str) -> None:
        await self._table.delete_in_pages({"search_id": search_id})

    async def remove_collection(self, collection_id: str) -> None:
        await self._table.delete_in_pages({"collection_id": collection_id})

    async def remove_of(self, user_id: str) -> None:
        await self._table.delete_in_pages({"user_id": user_id})
        await self._states.delete_many({"_id": user_id})

    async def size_before(self, moment: datetime) -> StorageSize:
        return await self._table.storage_size({"created_at": {"$lt": milliseconds(moment)}})

    async def remove_before(self, moment: datetime) -> None:
        await self._table.delete_in_pages({"created_at": {"$lt": milliseconds(moment)}})

    # The state of a user.

    async def last_numbers(self, user_ids: Collection[str]) -> dict[str, int]:
        """The number of each user's last alert; 0 without any."""
        rows = await self._states.find({"_id": {"$in": list(user_ids)}})
        return dict.fromkeys(user_ids, 0) | {row["_id"]: int(row["number"]) for row in rows}

    async def claim(self, user_id: str, token: str, lease_s: float) -> int | None:
        """Take or renew the lease of a user; returns the last number, or None while another server holds it."""
        moment = now()
        lease = {"token": token, "until": milliseconds(moment + timedelta(seconds=lease_s))}
        row = await self._states.update_one({"_id": user_id, "token": token}, {"$set": lease})
        if row is None:
            free = {"_id": user_id, "until": {"$lt": milliseconds(moment)}}
            row = await self._states.update_one(free, {"$set": lease})
        if row is None and await self._states.find_one({"_id": user_id}) is None:
            row = {"_id": user_id, "number": 0, **lease}
            try:
                await self._states.insert_one(row)
            except Conflict:  # another server was faster
                return None
        return None if row is None else await self._last_number(user_id, int(row["number"]))

    async def set_last_number(self, user_id: str, token: str, number: int) -> None:
        """Only while the lease is held; else the server that has it sets its own."""
        where = {"_id": user_id, "token": token}
        await self._states.update_one(where, {"$set": {"number": number}})

    async def release(self, user_id: str, token: str) -> None:
        await self._states.update_one({"_id": user_id, "token": token}, {"$set": {"until": 0, "token": ""}})

    async def _last_number(self, user_id: str, saved: int) -> int:
        """A crash may have come between alerts and the state."""
        row = await self._table.find_one(
            {"user_id": user_id, "number": {"$lt": 1 << _BITS}}, [("number", -1)]
        )
        return max(saved, int(row["number"]) if row else 0)


def _alert(row: Record) -> Alert:
    fields = {name: row[name] for name in Alert.__dataclass_fields__ if name != "id"}
    fields["created_at"] = time_of(row["created_at"])
    fields["queued"] = bool(row["queued"])
    return Alert(id=row["_id"], **fields)
