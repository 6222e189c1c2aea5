"""An operation that no server runs: its record is in a running server's stores, and the test publishes its messages.

A lease that lasts holds it, so the dispatcher leaves it alone; to a watcher it is an operation like any other.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from support.patience import deadline
from support.redis_server import LIMITS
from support.server import Serving

from semantik.client.api import Client
from semantik.config.settings import ProgressSettings
from semantik.core.errors import Unavailable
from semantik.core.models import Counts, Lease, Operation, new_id, now
from semantik.progress import ProgressService, Publisher
from semantik.storage.mongo import Store

_NAMES = iter(range(1_000_000))


@asynccontextmanager
async def server_stores(
    serving: Serving, limits: ProgressSettings = LIMITS
) -> AsyncIterator[tuple[Store, ProgressService]]:
    """The stores of a server that runs, used from this process."""
    at = serving.stores
    async with (
        Store(at.mongo_url, at.database) as store,
        ProgressService(at.redis_url, limits, new_id()) as progress,
    ):
        yield store, progress


@dataclass
class FakeOperation:
    """`publish` a message as the server that runs the operation would, then `end` it."""

    id: str
    collection_id: str
    client: Client
    store: Store
    progress: ProgressService
    publisher: Publisher

    @property
    def path(self) -> str:
        """Of its socket, with the client's token."""
        return f"/ws/operations/{self.id}?token={self.client.token}"

    async def publish(self, kind: str, /, **data: Any) -> str:
        """Returns the id of the message. Patient: on a busy machine, Redis may answer late."""
        key = f"test {next(_NAMES)}"
        async with deadline():
            while True:
                try:
                    return await self.publisher.publish(kind, idempotency_key=key, **data)
                except Unavailable:
                    continue

    async def save(self, **fields: Any) -> None:
        """Change the record."""
        operation = await self.store.operations.get(self.id)
        assert operation is not None
        await self.store.operations.save(operation, fields)

    async def end(self, status: str = "completed", *, announced: bool = True) -> str:
        """As pipeline/execution/completion.py does it; returns the id of the last message."""
        await self.save(status=status, completed_at=now(), last_message=self.publisher.last_seq)
        await self.publisher.publish(f"operation_{status}", idempotency_key="end", status=status)
        last = await self.publisher.publish(
            "status_update", idempotency_key="end status", terminal=True, status=status
        )
        if announced:
            await self.store.operations.mark_announced(self.id, self.publisher.last_seq)
        return last


@asynccontextmanager
async def fake_operation(
    serving: Serving,
    client: Client,
    *,
    started: bool = True,
    ended: bool = False,
    limits: ProgressSettings = LIMITS,
) -> AsyncIterator[FakeOperation]:
    """An operation of the client's that is under way, and stays so unless it is ended.

    Unless it is `started`, nothing was published of it.
    """
    made = await client.call("POST", "collections", {"name": f"Fake {next(_NAMES)}"})
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
    async with server_stores(serving, limits) as (store, progress):
        await store.operations.add(operation)
        async with progress.publisher(operation.id) as publisher:
            fake = FakeOperation(operation.id, made["id"], client, store, progress, publisher)
            if started:
                first = {"status": "processing", "operation_type": "index", "total_files": 2}
                await fake.publish("operation_started", **first)
            if ended:
                await fake.end()
            yield fake
