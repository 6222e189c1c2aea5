"""The servers that share this database, each with its last heartbeat."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from semantik.storage.mongo.rows import milliseconds, time_of, to_row
from semantik.storage.mongo.table import Record, Table


@dataclass(frozen=True)
class Instance:
    """A server; `id` names its data folder. `pool` is loading or ready, `running` counts the operations it runs."""

    id: str
    host: str
    pid: int
    url: str
    version: str
    started_at: datetime
    seen_at: datetime
    workers: int
    pool: str
    running: int


class InstanceTable:
    """A server that stops cleanly removes its row; one that died shows by its `seen_at`."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def save(self, instance: Instance) -> None:
        row = to_row(instance)
        await self._table.upsert({"_id": row.pop("_id")}, {"$set": row})

    async def remove(self, instance_id: str) -> None:
        await self._table.delete_many({"_id": instance_id})

    async def remove_unseen(self, since: datetime) -> None:
        """Remove those whose last heartbeat is older than `since`."""
        await self._table.delete_many({"seen_at": {"$lt": milliseconds(since)}})

    async def all(self) -> list[Instance]:
        return [_instance(row) for row in await self._table.find({}, [("host", 1), ("pid", 1)])]


def _instance(row: Record) -> Instance:
    special = ("id", "started_at", "seen_at")
    fields = {name: row[name] for name in Instance.__dataclass_fields__ if name not in special}
    return Instance(
        id=row["_id"], started_at=time_of(row["started_at"]), seen_at=time_of(row["seen_at"]), **fields
    )
