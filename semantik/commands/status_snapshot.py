"""Collects what `semantik-status` shows from the stores; it only reads. Runs on the loop."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime

from semantik.app.instances import InstanceState, instance_state, store_address
from semantik.commands.store_connection import find_stores
from semantik.config.settings import Settings
from semantik.core.errors import Unavailable
from semantik.core.models import Collection, Operation, now
from semantik.progress.usage import redis_memory
from semantik.storage.mongo import Store
from semantik.storage.mongo.usage_stats import UsageStats

_COUNT_S = 10.0


@dataclass(frozen=True)
class StoreState:
    """Where a store is: "embedded", or its URL without user and password; and whether it answers."""

    where: str
    answers: bool


@dataclass(frozen=True)
class QueuedState:
    """An operation that is queued or running, and for how many seconds."""

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
    warned: int
    chunks: int
    status: str


@dataclass(frozen=True)
class StoreContents:
    """What MongoDB holds. `usage` is None when counting took too long."""

    instances: Sequence[InstanceState]
    queue: Sequence[QueuedState]
    collections: Sequence[CollectionState]
    usage: UsageStats | None


@dataclass(frozen=True)
class StatusSnapshot:
    """`contents` is None when MongoDB does not answer, `redis_bytes` when Redis does not."""

    mongo: StoreState
    redis: StoreState
    redis_bytes: int | None
    contents: StoreContents | None

    @property
    def alive(self) -> int:
        """The number of instances that are alive."""
        return sum(each.state == "alive" for each in self.contents.instances) if self.contents else 0

    @property
    def is_well(self) -> bool:
        return self.mongo.answers and self.redis.answers and self.alive > 0


async def collect(settings: Settings) -> StatusSnapshot:
    """Read everything once. Raises as `find_stores`; that a store does not answer is part of the result."""
    async with find_stores(settings) as stores:
        contents, memory = await asyncio.gather(
            _contents(stores.mongo_url, settings.mongo_database), _memory(stores.redis_url)
        )
    return StatusSnapshot(
        StoreState(store_address(settings.mongo_url), contents is not None),
        StoreState(store_address(settings.redis_url), memory is not None),
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
        # Not entered: that would create the indexes of a database that does not exist.
        stack.push_async_exit(store)
        try:
            return await _read(store, now())
        except Unavailable:
            return None


async def _read(store: Store, moment: datetime) -> StoreContents:
    instances = [instance_state(each, moment) for each in await store.instances.all()]
    active = await store.operations.with_status("processing", "queued")
    collections = await store.collections.get_many(sorted({o.collection_id for o in active}))
    queue = []
    for operation in active:
        collection = collections.get(operation.collection_id)
        since = operation.started_at or operation.created_at
        name = collection.name if collection else "(deleted)"
        queue.append(QueuedState(operation, name, (moment - since).total_seconds()))
    try:
        async with asyncio.timeout(_COUNT_S):
            usage = await store.usage_stats.collect()
    except TimeoutError:
        usage = None
    return StoreContents(instances, queue, await _collections(store, active), usage)


async def _collections(store: Store, active: Sequence[Operation]) -> list[CollectionState]:
    active_ids = {operation.collection_id for operation in active}
    return [
        _collection(collection, user.username, collection.id in active_ids)
        for user in await store.users.all()
        for collection in await store.collections.of_owner(user.id)
    ]


def _collection(collection: Collection, owner: str, active: bool) -> CollectionState:
    counts, status = collection.current.counts, collection.status(active)
    return CollectionState(
        collection.id,
        collection.name,
        owner,
        counts.indexed,
        counts.failed,
        counts.warned,
        counts.chunks,
        status,
    )
