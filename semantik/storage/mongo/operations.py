"""Operations in MongoDB: the queue, the lease, and the record that a socket's snapshot is made of."""

from __future__ import annotations

import re
import uuid
from collections.abc import Collection as Group
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any, Unpack

from semantik.core.errors import LeaseLost
from semantik.core.models import ACTIVE, Lease, Operation, OperationStatus, now
from semantik.storage.mongo.operation_rows import OperationFields, operation_from_row, operation_row
from semantik.storage.mongo.rows import milliseconds, to_fields
from semantik.storage.mongo.table import Record, Sort, StorageSize, Table

_NEWEST: Sort = [("created_at", -1), ("_id", -1)]
_OLDEST: Sort = [("created_at", 1), ("_id", 1)]
_PACE = ("files_per_s", "chunks_per_s", "bytes_per_s", "eta_s")


class OperationTable:
    """Only the holder of an operation's lease writes its progress: `save` raises LeaseLost for any other server."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def create_indexes(self) -> None:
        await self._table.create_index([("status", 1), ("created_at", 1)])
        await self._table.create_index([("collection_id", 1), ("created_at", -1)])
        await self._table.create_index([("source_id", 1)])
        await self._table.create_index([("completed_at", 1)])
        await self._table.create_index([("announced", 1), ("status", 1)])

    async def add(self, operation: Operation) -> None:
        await self._table.insert_one(operation_row(operation))

    async def get(self, operation_id: str) -> Operation | None:
        row = await self._table.find_one({"_id": operation_id})
        return operation_from_row(row) if row else None

    async def of_collections(
        self,
        collection_ids: Sequence[str],
        limit: int,
        before: tuple[datetime, str] | None = None,
        only: Mapping[str, str] | None = None,
    ) -> list[Operation]:
        """The newest first; `before` is (created_at, id) of the last one of the previous page.

        `only` are the `status`, `type` or `source_id` that they must have.
        """
        if not collection_ids:
            return []
        one = collection_ids[0] if len(collection_ids) == 1 else None
        where: Record = {"collection_id": one or {"$in": list(collection_ids)}, **(only or {})}
        rows: list[Record] = []
        if before:
            moment, key = milliseconds(before[0]), before[1]
            # Two queries, since for one with $or the embedded store would read every operation.
            where["created_at"] = moment
            rows = await self._table.find({**where, "_id": {"$lt": key}}, _NEWEST, limit)
            where["created_at"] = {"$lt": moment}
            limit -= len(rows)
        if not before or limit:
            rows += await self._table.find(where, _NEWEST, limit)
        return [operation_from_row(row) for row in rows]

    async def with_status(self, *statuses: OperationStatus) -> list[Operation]:
        """The oldest first."""
        # The bounds are for the embedded store, which uses no index for $in.
        where = {"status": {"$gte": min(statuses), "$lte": max(statuses), "$in": list(statuses)}}
        return [operation_from_row(row) for row in await self._table.find(where, _OLDEST)]

    async def active_or_ended_since(self, since: datetime) -> list[Operation]:
        """Those that are queued or run, and those that ended after `since`; the oldest first."""
        active = await self.with_status(*ACTIVE)
        ended = await self._table.find({"completed_at": {"$gt": milliseconds(since)}})
        each = {one.id: one for one in (*active, *map(operation_from_row, ended))}
        return sorted(each.values(), key=lambda one: (one.created_at, one.id))

    async def active_by_collection(self, collection_ids: Sequence[str]) -> dict[str, list[Operation]]:
        """The queued and running operations of each collection, the oldest first."""
        wanted = set(collection_ids)
        found: dict[str, list[Operation]] = {}
        for operation in await self.with_status(*ACTIVE):
            if operation.collection_id in wanted:
                found.setdefault(operation.collection_id, []).append(operation)
        return found

    async def claim(self, operation: Operation, owner: str, lease_s: float) -> Operation | None:
        """Take the lease of an operation as it was read, queued or with a stale lease. None when another server did so
        first."""
        where: Record = {"_id": operation.id, "status": operation.status}
        # The time is compared as well: a lease that was renewed since is not stale any more.
        stale = to_fields(asdict(operation.lease)) if operation.lease else {"token": None}
        where |= {f"lease.{name}": stale[name] for name in ("token", "expires_at") if name in stale}
        lease = Lease(owner, _next_token(operation.lease), now() + timedelta(seconds=lease_s))
        fields = {"lease": to_fields(asdict(lease)), "waiting": None, "waiting_since": None}
        fields |= dict.fromkeys(_PACE)  # that of an earlier owner is not this one's
        row = await self._table.update_one(where, {"$set": fields})
        return operation_from_row(row) if row else None

    async def set_waiting(self, operation: Operation, sentence: str | None) -> Operation | None:
        """Say why no server can take an operation as it was read, or that one can again.

        None when another server said something else first, or has taken it.
        """
        token = operation.lease.token if operation.lease else None
        where: Record = {"_id": operation.id, "status": operation.status, "lease.token": token}
        # Rows of before have no such field, which equals None.
        where["waiting"] = operation.waiting
        since = (operation.waiting_since or now()) if sentence else None
        row = await self._table.update_one(
            where, {"$set": to_fields({"waiting": sentence, "waiting_since": since})}
        )
        return operation_from_row(row) if row else None

    async def renew_lease(
        self, operation: Operation, lease_s: float, **fields: Unpack[OperationFields]
    ) -> Operation:
        """Extend the lease to `lease_s` seconds from now, set fields, and read the record. Raises LeaseLost."""
        expires_at = now() + timedelta(seconds=lease_s)
        return await self._update_leased(operation, {"lease.expires_at": expires_at, **fields})

    async def save(self, operation: Operation, fields: OperationFields) -> Operation:
        """Set fields of an operation whose lease the caller holds. Raises LeaseLost."""
        return await self._update_leased(operation, fields)

    async def _update_leased(self, operation: Operation, fields: Mapping[str, Any]) -> Operation:
        assert operation.lease is not None
        row = await self._table.update_fenced(
            {"_id": operation.id, "lease.token": operation.lease.token}, {"$set": to_fields(fields)}
        )
        if row is None:
            raise LeaseLost(f"Operation {operation.id} is run by another server now.")
        return operation_from_row(row)

    async def unannounced(self) -> list[Operation]:
        """Ended operations whose terminal message may not have been published."""
        rows = await self._table.find({"announced": False}, _OLDEST)
        return [operation for operation in map(operation_from_row, rows) if operation.ended]

    async def mark_announced(self, operation_id: str, last_message: int) -> None:
        await self._table.update_one(
            {"_id": operation_id}, {"$set": {"announced": True, "last_message": last_message}}
        )

    async def record_message(self, operation_id: str, last_message: int) -> None:
        """Save the number of a message that was published before any server held the lease."""
        await self._table.update_one({"_id": operation_id}, {"$max": {"last_message": last_message}})

    async def request_cancel(self, operation_id: str) -> bool:
        """Ask the server that runs the operation to cancel it. False when it has ended already."""
        where = {"_id": operation_id, "status": {"$in": list(ACTIVE)}}
        return await self._table.update_one(where, {"$set": {"cancel_requested": True}}) is not None

    async def last_of_source(self, source_id: str) -> Operation | None:
        """The newest operation that was made for the source."""
        row = await self._table.find_one({"source_id": source_id}, _NEWEST)
        return operation_from_row(row) if row else None

    async def ended_before(self, moment: datetime) -> list[Operation]:
        """Those that ended before a moment and whose terminal message was published; the oldest first."""
        where = {"completed_at": {"$gt": 0, "$lt": milliseconds(moment)}, "announced": {"$in": [True, 1]}}
        return [operation_from_row(row) for row in await self._table.find(where, _OLDEST)]

    async def by_ids(self, operation_ids: Sequence[str]) -> dict[str, Operation]:
        rows = await self._table.find({"_id": {"$in": list(operation_ids)}})
        return {row["_id"]: operation_from_row(row) for row in rows}

    async def release_lease(self, operation: Operation) -> None:
        """Remove a lease that has expired, so that any server can take the operation over."""
        assert operation.lease is not None
        where = {"_id": operation.id, "lease.token": operation.lease.token}
        stale = {"lease.expires_at": {"$lt": milliseconds(now())}}
        await self._table.update_one({**where, **stale}, {"$set": {"lease": None}})

    async def storage_size(self, operation_ids: Sequence[str]) -> StorageSize:
        return await self._table.storage_size({"_id": {"$in": list(operation_ids)}})

    async def remove_ids(self, operation_ids: Sequence[str]) -> None:
        await self._table.delete_many({"_id": {"$in": list(operation_ids)}})

    async def remove(self, collection_id: str) -> int:
        """Remove the operations of a collection; returns how many there were."""
        return await self._table.delete_many({"collection_id": collection_id})


def claimable(operation: Operation, owner: str, running_here: Group[str]) -> bool:
    """Whether `owner` may claim the operation: its lease has expired, or belongs to an earlier run of `owner`."""
    lease = operation.lease
    if operation.id in running_here:
        return False
    # A queued operation with a lease was claimed by a server that has yet to start it.
    return lease is None or lease.owner == owner or lease.expires_at < now()


def _next_token(lease: Lease | None) -> str:
    """A token that is greater than the previous one, so that of two owners the later one is known."""
    counted = re.match(r"t(\d+)\.", lease.token) if lease else None
    return f"t{int(counted[1]) + 1 if counted else 1:012}.{uuid.uuid4().hex}"
