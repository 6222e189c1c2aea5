"""Deliveries in MongoDB: the queue of what is sent to webhooks and mail addresses. Runs on the loop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from semantik.core.models import Delivery
from semantik.storage.mongo.rows import maybe_time, milliseconds, time_of, to_fields, to_row
from semantik.storage.mongo.table import Record, StorageSize, Table


class DeliveryTable:
    """The id of a delivery follows from what it tells and to whom: it is queued once, however often that is tried."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def create_indexes(self) -> None:
        await self._table.create_index([("state", 1), ("target", 1), ("next_at", 1)])
        await self._table.create_index([("state", 1), ("next_at", 1)])
        await self._table.create_index([("target", 1), ("created_at", 1)])
        await self._table.create_index([("user_id", 1)])
        await self._table.create_index([("created_at", 1)])

    async def queue(self, deliveries: Sequence[Delivery]) -> None:
        """Add those that are not there yet."""
        for each in deliveries:
            row = to_row(each)
            await self._table.upsert({"_id": row.pop("_id")}, {"$setOnInsert": row})

    async def get(self, delivery_id: str) -> Delivery | None:
        row = await self._table.find_one({"_id": delivery_id})
        return _delivery(row) if row else None

    async def due_targets(self, moment: datetime, limit: int, without: Sequence[str]) -> list[str]:
        """Targets with something to send, each step one look-up in the index."""
        found: list[str] = []
        last = ""
        while len(found) < limit:
            where = {"state": "pending", "target": {"$gt": last}}
            row = await self._table.find_one(where, [("target", 1), ("next_at", 1)])
            if row is None:
                break
            last = str(row["target"])
            if row["next_at"] <= milliseconds(moment) and last not in without:
                found.append(last)
        return found

    async def next_at(self) -> datetime | None:
        """When the next one is due; None without any."""
        row = await self._table.find_one({"state": "pending"}, [("next_at", 1)])
        return time_of(row["next_at"]) if row else None

    async def due(self, target: str, moment: datetime, limit: int) -> list[Delivery]:
        """What is to be sent to a target now, in the order in which it is due."""
        where = {"state": "pending", "target": target, "next_at": {"$lte": milliseconds(moment)}}
        return [_delivery(row) for row in await self._table.find(where, [("next_at", 1)], limit)]

    async def claim(self, delivery: Delivery, until: datetime) -> Delivery | None:
        """Begin an attempt: no other server begins one before `until`. None when another one was faster."""
        where = {"_id": delivery.id, "state": "pending", "next_at": milliseconds(delivery.next_at)}
        update = {"$set": {"next_at": milliseconds(until)}, "$inc": {"attempts": 1}}
        row = await self._table.update_one(where, update)
        return _delivery(row) if row else None

    async def save(self, delivery: Delivery, fields: Mapping[str, Any]) -> None:
        """Save the outcome of an attempt that was claimed; ignored when another server has claimed it since."""
        where = {"_id": delivery.id, "attempts": delivery.attempts, "state": "pending"}
        await self._table.update_one(where, {"$set": to_fields(fields)})

    async def postpone(self, target: str, until: datetime) -> None:
        """Send nothing to a target before `until`."""
        moment = milliseconds(until)
        where = {"state": "pending", "target": target, "next_at": {"$lt": moment}}
        await self._table.update_many(where, {"$set": {"next_at": moment}})

    async def page(self, target: str, before: tuple[int, str], limit: int) -> list[Delivery]:
        """The newest deliveries of a target before the position (milliseconds, id)."""
        where: Record = {"target": target, "created_at": {"$lte": before[0]}}
        number = limit
        while True:
            number *= 2  # of the position's own moment, any number may be on the pages before
            rows = await self._table.find(where, [("created_at", -1), ("_id", -1)], number)
            found = [row for row in rows if (row["created_at"], row["_id"]) < before]
            if len(found) >= limit or len(rows) < number:
                return [_delivery(row) for row in found[:limit]]

    async def remove_target(self, target: str) -> None:
        await self._table.delete_in_pages({"target": target})

    async def remove_collection(self, collection_id: str) -> None:
        await self._table.delete_in_pages({"collection_id": collection_id})

    async def remove_of(self, user_id: str) -> None:
        await self._table.delete_in_pages({"user_id": user_id})

    async def size_before(self, moment: datetime) -> StorageSize:
        return await self._table.storage_size({"created_at": {"$lt": milliseconds(moment)}})

    async def remove_before(self, moment: datetime) -> None:
        await self._table.delete_in_pages({"created_at": {"$lt": milliseconds(moment)}})


def _delivery(row: Record) -> Delivery:
    fields = {name: row[name] for name in Delivery.__dataclass_fields__ if name != "id"}
    fields |= {name: time_of(row[name]) for name in ("created_at", "next_at")}
    return Delivery(id=row["_id"], ended_at=maybe_time(fields.pop("ended_at")), **fields)
