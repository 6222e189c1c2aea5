"""The servers that share this database, each with its last heartbeat and what it can do."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from semantik.storage.mongo.rows import milliseconds, time_of, to_row
from semantik.storage.mongo.table import Record, Table

HEARTBEAT_S = 5.0
SILENT_AFTER = timedelta(seconds=3 * HEARTBEAT_S)


@dataclass(frozen=True)
class Instance:
    """A server; `id` names its data folder. `pool` is loading or ready, `running` counts the operations it runs.

    `roots` are the folders that it reads for everybody, `models` its default model and the folders of others, and
    `refused` the operations that it could run by their place in the queue, but whose folder or model it has not. At
    `peer_url` the others reach it; empty: nowhere. `load` is the load average of a minute for each processor of its
    machine, `free_bytes` the memory that is free there.
    """

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
    label: str = ""
    roots: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    device: str = ""
    refused: tuple[str, ...] = ()
    peer_url: str = ""
    load: float = 0.0
    free_bytes: int = 0

    def is_silent(self, moment: datetime) -> bool:
        """Whether its heartbeats have stopped: it has died, or cannot reach MongoDB."""
        return moment - self.seen_at > SILENT_AFTER


class InstanceTable:
    """A server that stops cleanly removes its row; one that died shows by its `seen_at`."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def save(self, instance: Instance) -> None:
        row = to_row(instance)
        del row["refused"]  # the dispatcher says that, at other times
        await self._table.upsert({"_id": row.pop("_id")}, {"$set": row})

    async def set_refused(self, instance_id: str, operation_ids: Collection[str]) -> bool:
        """Save what the server refuses; False as long as its first heartbeat is not written."""
        fields = {"refused": sorted(operation_ids)}
        return await self._table.update_one({"_id": instance_id}, {"$set": fields}) is not None

    async def remove(self, instance_id: str) -> None:
        await self._table.delete_many({"_id": instance_id})

    async def remove_unseen(self, since: datetime) -> None:
        """Remove those whose last heartbeat is older than `since`."""
        await self._table.delete_many({"seen_at": {"$lt": milliseconds(since)}})

    async def all(self) -> list[Instance]:
        return [_instance(row) for row in await self._table.find({}, [("host", 1), ("pid", 1)])]


def _instance(row: Record) -> Instance:
    # Rows of builds whose servers took every operation have no more than these.
    fields = {name: row[name] for name in ("host", "pid", "url", "version", "workers", "pool", "running")}
    return Instance(
        id=row["_id"],
        started_at=time_of(row["started_at"]),
        seen_at=time_of(row["seen_at"]),
        label=row.get("label", ""),
        roots=tuple(row.get("roots", ())),
        models=tuple(row.get("models", ())),
        device=row.get("device", ""),
        refused=tuple(row.get("refused", ())),
        peer_url=row.get("peer_url", ""),
        load=row.get("load", 0.0),
        free_bytes=row.get("free_bytes", 0),
        **fields,
    )
