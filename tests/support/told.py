"""An operation whose messages a test tells itself: in the stores of a real server, which takes it for another's."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from conftest import Serving

from semantik.client.api import Client
from semantik.config.settings import ProgressSettings as Limits
from semantik.core.models import Counts, Lease, Operation, new_id, now
from semantik.progress import ProgressService, Publisher
from semantik.storage.mongo import Store

_NAMES = iter(range(1_000_000))


@asynccontextmanager
async def stores(
    serving: Serving, limits: Limits | None = None
) -> AsyncIterator[tuple[Store, ProgressService]]:
    """The stores of a server that runs, beside the server."""
    at = serving.stores
    async with (
        Store(at.mongo_url, at.database) as store,
        ProgressService(at.redis_url, limits or Limits(), "a test") as progress,
    ):
        yield store, progress


@dataclass
class Told:
    """`tell` a message as the operation's owner would, then `end` it."""

    id: str
    collection_id: str
    store: Store
    progress: ProgressService
    publisher: Publisher

    async def tell(self, kind: str, /, **data: Any) -> str:
        return await self.publisher.publish(kind, **data)

    async def save(self, **fields: Any) -> None:
        operation = await self.store.operations.get(self.id)
        assert operation is not None
        await self.store.operations.save(operation, fields)

    async def end(self, status: str = "completed", *, announced: bool = True) -> str:
        """As pipeline/execution/completion.py does it; returns the id of the last message."""
        await self.save(status=status, completed_at=now())
        await self.publisher.publish(f"operation_{status}", once="end", status=status)
        last = await self.publisher.publish("status_update", once="end status", terminal=True, status=status)
        if announced:
            await self.store.operations.mark_announced(self.id, self.publisher.last_seq)
        return last


@asynccontextmanager
async def told(
    serving: Serving, client: Client, *, ended: bool = False, limits: Limits | None = None
) -> AsyncIterator[Told]:
    """An operation of the client's that is under way, and stays so unless it is ended."""
    made = await client.call("POST", "collections", {"name": f"Told {next(_NAMES)}"})
    me = await client.call("GET", "auth/me")
    operation = Operation(
        id=new_id(),
        collection_id=made["id"],
        user_id=me["id"],
        type="index",
        source_id=None,
        status="processing",
        stage=None,
        counts=Counts(),
        current_file=None,
        progress_percent=0.0,
        created_at=now(),
        started_at=now(),
        lease=Lease("a test", new_id(), now() + timedelta(days=1)),
    )
    async with stores(serving, limits) as (store, progress):
        await store.operations.add(operation)
        async with progress.publisher(operation.id) as publisher:
            one = Told(operation.id, made["id"], store, progress, publisher)
            await one.tell("operation_started", status="processing", operation_type="index", total_files=2)
            if ended:
                await one.end()
            yield one
