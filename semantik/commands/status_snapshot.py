"""What `semantik-status` shows, gathered from the stores: it only reads. Runs on the loop."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta

import psutil

from semantik.app.heartbeat import EVERY_S
from semantik.commands.store_connection import addresses
from semantik.config.settings import Settings
from semantik.core.errors import Unavailable
from semantik.core.models import Collection, Operation, now
from semantik.progress.usage import redis_memory
from semantik.storage.mongo import Store
from semantik.storage.mongo.instances import Instance
from semantik.storage.mongo.usage_stats import UsageStats

_SILENT = timedelta(seconds=3 * EVERY_S)
_COUNT_S = 10.0


@dataclass(frozen=True)
class StoreState:
    """Where a store is: "embedded", or its URL without user and password; and whether it answers."""

    where: str
    answers: bool


@dataclass(frozen=True)
class InstanceState:
    """`state` is alive, silent (it tells nothing any more) or gone (its process has ended)."""

    instance: Instance
    state: str
    seen_s: float


@dataclass(frozen=True)
class QueuedState:
    """An operation that waits or runs, and for how many seconds it has."""

    operation: Operation
    collection: str
    for_s: float


@dataclass(frozen=True)
class CollectionState:
    id: str
    name: str
    owner: str
    documents: int
    failed: int
    chunks: int
    status: str


@dataclass(frozen=True)
class StoreContents:
    """What MongoDB tells. `figures` is None when counting took too long."""

    instances: Sequence[InstanceState]
    queue: Sequence[QueuedState]
    collections: Sequence[CollectionState]
    figures: UsageStats | None


@dataclass(frozen=True)
class StatusSnapshot:
    """`contents` is None when MongoDB is away, `redis_bytes` when Redis is."""

    mongo: StoreState
    redis: StoreState
    redis_bytes: int | None
    contents: StoreContents | None

    @property
    def alive(self) -> int:
        """How many instances are."""
        return sum(each.state == "alive" for each in self.contents.instances) if self.contents else 0

    @property
    def is_well(self) -> bool:
        return self.mongo.answers and self.redis.answers and self.alive > 0


async def collect(settings: Settings) -> StatusSnapshot:
    """Look at everything once; as `addresses`, but a store that is away is told in what this returns."""
    async with addresses(settings) as found:
        contents, memory = await asyncio.gather(
            _contents(found.mongo_url, settings.mongo_database), _memory(found.redis_url)
        )
    return StatusSnapshot(
        StoreState(_shown(settings.mongo_url), contents is not None),
        StoreState(_shown(settings.redis_url), memory is not None),
        memory,
        contents,
    )


async def _memory(url: str) -> int | None:
    try:
        return await redis_memory(url) if url else None
    except Unavailable:
        return None


async def _contents(url: str, database: str) -> StoreContents | None:
    async with AsyncExitStack() as stack:
        store = Store(url, database)
        stack.push_async_exit(
            store
        )  # not entered: that would make the indexes of a database that is not there
        try:
            return await _read(store, now())
        except Unavailable:
            return None


async def _read(store: Store, moment: datetime) -> StoreContents:
    instances = [_instance(each, moment) for each in await store.instances.all()]
    active = await store.operations.with_status("processing", "queued")
    collections = await store.collections.get_many(sorted({o.collection_id for o in active}))
    queue = []
    for operation in active:
        collection = collections.get(operation.collection_id)
        begun = operation.started_at or operation.created_at
        name = collection.name if collection else "(deleted)"
        queue.append(QueuedState(operation, name, (moment - begun).total_seconds()))
    try:
        async with asyncio.timeout(_COUNT_S):
            figures = await store.usage_stats.collect()
    except TimeoutError:
        figures = None
    return StoreContents(instances, queue, await _collections(store, active), figures)


def _instance(instance: Instance, moment: datetime) -> InstanceState:
    seen = max(moment - instance.seen_at, timedelta(0))
    state = "silent" if seen > _SILENT else "alive"
    if instance.host == socket.gethostname() and not psutil.pid_exists(instance.pid):
        state = "gone"
    return InstanceState(instance, state, seen.total_seconds())


async def _collections(store: Store, active: Sequence[Operation]) -> list[CollectionState]:
    busy = {operation.collection_id for operation in active}
    return [
        _collection(collection, user.username, collection.id in busy)
        for user in await store.users.all()
        for collection in await store.collections.of_owner(user.id)
    ]


def _collection(collection: Collection, owner: str, busy: bool) -> CollectionState:
    counts, status = collection.current.counts, collection.status(busy)
    return CollectionState(
        collection.id, collection.name, owner, counts.indexed, counts.failed, counts.chunks, status
    )


def _shown(url: str) -> str:
    """A URL for everybody's eyes: user, password and options are left out, as any of them may be secret."""
    if not url:
        return "embedded"
    return re.sub(r"//.*@", "//", url.partition("?")[0])
