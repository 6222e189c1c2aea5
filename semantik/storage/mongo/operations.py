"""Operations in MongoDB: the queue, the lease, and the record that a socket's snapshot is made of."""

from __future__ import annotations

import re
import uuid
from collections.abc import Collection as Group
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from semantik.core.errors import LeaseLost
from semantik.core.models import Counts, Lease, Operation, Stage, now
from semantik.storage.mongo.rows import maybe_time, milliseconds, time_of, to_fields, to_row
from semantik.storage.mongo.table import Record, Sort, Table, Weight

_NEWEST: Sort = [("created_at", -1), ("_id", -1)]
_SPECIAL = frozenset(
    {"id", "counts", "warnings", "stages", "lease", "announced", "cancel_requested"}
    | {"created_at", "started_at", "completed_at"}
)
_OLDEST: Sort = [("created_at", 1), ("_id", 1)]


class OperationTable:
    """Written by whoever holds the lease: `save` raises LeaseLost for anybody else."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def prepare(self) -> None:
        await self._table.index([("status", 1), ("created_at", 1)])
        await self._table.index([("collection_id", 1), ("created_at", -1)])
        await self._table.index([("source_id", 1)])
        await self._table.index([("completed_at", 1)])
        await self._table.index([("announced", 1), ("status", 1)])

    async def add(self, operation: Operation) -> None:
        await self._table.insert(to_row(operation))

    async def get(self, operation_id: str) -> Operation | None:
        row = await self._table.get({"_id": operation_id})
        return _operation(row) if row else None

    async def of_collections(
        self,
        collection_ids: Sequence[str],
        limit: int,
        before: tuple[datetime, str] | None = None,
        only: Mapping[str, str] | None = None,
    ) -> list[Operation]:
        """The newest first; `before` is (created_at, id) of the last one of the page before.

        `only` leaves out those whose `status`, `type` or `source_id` is another.
        """
        if not collection_ids:
            return []
        one = collection_ids[0] if len(collection_ids) == 1 else None
        where: Record = {"collection_id": one or {"$in": list(collection_ids)}, **(only or {})}
        rows: list[Record] = []
        if before:
            moment, key = milliseconds(before[0]), before[1]
            # Two questions, since for one with $or the embedded store would read every operation.
            where["created_at"] = moment
            rows = await self._table.find({**where, "_id": {"$lt": key}}, _NEWEST, limit)
            where["created_at"] = {"$lt": moment}
            limit -= len(rows)
        if not before or limit:
            rows += await self._table.find(where, _NEWEST, limit)
        return [_operation(row) for row in rows]

    async def with_status(self, *statuses: str) -> list[Operation]:
        """The oldest first."""
        # The bounds are for the embedded store, which uses no index for $in.
        where = {"status": {"$gte": min(statuses), "$lte": max(statuses), "$in": list(statuses)}}
        return [_operation(row) for row in await self._table.find(where, _OLDEST)]

    async def under_way(self, since: datetime) -> list[Operation]:
        """Those that are queued or running, and those that have ended after `since`; the oldest first."""
        active = await self.with_status("queued", "processing")
        ended = await self._table.find({"completed_at": {"$gt": milliseconds(since)}})
        each = {one.id: one for one in (*active, *map(_operation, ended))}
        return sorted(each.values(), key=lambda one: (one.created_at, one.id))

    async def active(self, collection_ids: Sequence[str]) -> dict[str, list[Operation]]:
        """The queued and running operations of each collection, the oldest first."""
        wanted = set(collection_ids)
        found: dict[str, list[Operation]] = {}
        for operation in await self.with_status("queued", "processing"):
            if operation.collection_id in wanted:
                found.setdefault(operation.collection_id, []).append(operation)
        return found

    async def claim(self, operation: Operation, owner: str, lease_s: float) -> Operation | None:
        """Take the operation as it was read, queued or with a stale lease. None: somebody was faster."""
        where: Record = {"_id": operation.id, "status": operation.status}
        # Also the time: a lease that was renewed since is not stale any more.
        stale = to_fields(asdict(operation.lease)) if operation.lease else {"token": None}
        where |= {f"lease.{name}": stale[name] for name in ("token", "expires_at") if name in stale}
        lease = Lease(owner, _token_after(operation.lease), now() + timedelta(seconds=lease_s))
        row = await self._table.change(where, {"$set": {"lease": to_fields(asdict(lease))}})
        return _operation(row) if row else None

    async def renew(self, operation: Operation, lease_s: float, **fields: Any) -> Operation:
        """Keep the lease for another `lease_s` seconds, set fields, and read the record; raises LeaseLost."""
        expires_at = now() + timedelta(seconds=lease_s)
        return await self.save(operation, {"lease.expires_at": expires_at, **fields})

    async def save(self, operation: Operation, fields: Mapping[str, Any]) -> Operation:
        """Set fields of an operation whose lease the caller holds; raises LeaseLost."""
        assert operation.lease is not None
        row = await self._table.change_held(
            {"_id": operation.id, "lease.token": operation.lease.token}, {"$set": to_fields(fields)}
        )
        if row is None:
            raise LeaseLost(f"Operation {operation.id} is run by another server now.")
        return _operation(row)

    async def unannounced(self) -> list[Operation]:
        """Ended operations whose last message may not have been sent."""
        rows = await self._table.find({"announced": False}, _OLDEST)
        return [operation for operation in map(_operation, rows) if operation.ended]

    async def mark_announced(self, operation_id: str, last_message: int) -> None:
        await self._table.change(
            {"_id": operation_id}, {"$set": {"announced": True, "last_message": last_message}}
        )

    async def note_message(self, operation_id: str, last_message: int) -> None:
        """Keep the number of a message that was told before anybody held the lease."""
        await self._table.change({"_id": operation_id}, {"$max": {"last_message": last_message}})

    async def request_cancel(self, operation_id: str) -> bool:
        """Ask for the end of an operation; its owner does it. False when it has ended already."""
        where = {"_id": operation_id, "status": {"$in": ["queued", "processing"]}}
        return await self._table.change(where, {"$set": {"cancel_requested": True}}) is not None

    async def last_of_source(self, source_id: str) -> Operation | None:
        """The newest operation that was made for the source."""
        row = await self._table.get({"source_id": source_id}, _NEWEST)
        return _operation(row) if row else None

    async def ended_before(self, moment: datetime) -> list[Operation]:
        """Those that ended before a moment, and whose end has been told; the oldest first."""
        where = {"completed_at": {"$gt": 0, "$lt": milliseconds(moment)}, "announced": {"$in": [True, 1]}}
        return [_operation(row) for row in await self._table.find(where, _OLDEST)]

    async def by_ids(self, operation_ids: Sequence[str]) -> dict[str, Operation]:
        rows = await self._table.find({"_id": {"$in": list(operation_ids)}})
        return {row["_id"]: _operation(row) for row in rows}

    async def release(self, operation: Operation) -> None:
        """Take away a lease that has run out, so that whoever looks next takes the operation up."""
        assert operation.lease is not None
        where = {"_id": operation.id, "lease.token": operation.lease.token}
        stale = {"lease.expires_at": {"$lt": milliseconds(now())}}
        await self._table.change({**where, **stale}, {"$set": {"lease": None}})

    async def weigh(self, operation_ids: Sequence[str]) -> Weight:
        return await self._table.weigh({"_id": {"$in": list(operation_ids)}})

    async def remove_ids(self, operation_ids: Sequence[str]) -> None:
        await self._table.delete({"_id": {"$in": list(operation_ids)}})

    async def remove(self, collection_id: str) -> int:
        return await self._table.delete({"collection_id": collection_id})


def claimable(operation: Operation, owner: str, running_here: Group[str]) -> bool:
    """Whether `owner` may claim it: its lease ran out, or is the owner's own of an earlier life."""
    lease = operation.lease
    if operation.id in running_here:
        return False
    # A queued operation that has a lease was claimed by somebody who has yet to begin.
    return lease is None or lease.owner == owner or lease.expires_at < now()


def _token_after(lease: Lease | None) -> str:
    """A token that is greater than the one before, so that of two owners the later is known."""
    counted = re.match(r"t(\d+)\.", lease.token) if lease else None
    return f"t{int(counted[1]) + 1 if counted else 1:012}.{uuid.uuid4().hex}"


def _operation(row: Record) -> Operation:
    fields = {name: row[name] for name in Operation.__dataclass_fields__ if name not in _SPECIAL}
    lease = row["lease"]
    return Operation(
        id=row["_id"],
        counts=Counts(**row["counts"]),
        warnings=tuple(row["warnings"]),
        stages=tuple(Stage(one["name"], time_of(one["at"])) for one in row["stages"]),
        lease=Lease(lease["owner"], lease["token"], time_of(lease["expires_at"])) if lease else None,
        created_at=time_of(row["created_at"]),
        started_at=maybe_time(row["started_at"]),
        completed_at=maybe_time(row["completed_at"]),
        # The embedded store gives 0 and 1 back for truth values that an update has set.
        announced=bool(row["announced"]),
        cancel_requested=bool(row["cancel_requested"]),
        **fields,
    )
