"""An operation that no server runs: its record is in the server's store, and the test tells its messages.

Held by a lease that lasts, so the dispatcher leaves it alone; to a watcher it is an operation like any other.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from conftest import Serving
from support.redis_server import LIMITS

from semantik.client.api import Client
from semantik.core.models import Lease, Operation, new_id, now
from semantik.progress import ProgressService, Publisher
from semantik.storage.mongo import Store


@dataclass
class Staged:
    """`progress` and `store` are the server's own, seen from another process."""

    client: Client
    operation: Operation
    progress: ProgressService
    store: Store

    @property
    def operation_id(self) -> str:
        return self.operation.id

    @property
    def path(self) -> str:
        return f"/ws/operations/{self.operation_id}?token={self.client.token}"

    def publisher(self, floor: int = 0) -> Publisher:
        return self.progress.publisher(self.operation_id, floor)

    async def end(self, publisher: Publisher) -> None:
        """Keep the end and tell it, as every operation does."""
        ended = {"status": "completed", "completed_at": now(), "last_message": publisher.last_seq}
        await self.store.operations.save(self.operation, ended)
        await publisher.publish("operation_completed", once="end", status="completed")
        await publisher.publish("status_update", once="end status", terminal=True, status="completed")
        await self.store.operations.mark_announced(self.operation_id, publisher.last_seq)


@asynccontextmanager
async def staged(serving: Serving, client: Client, folder: Path) -> AsyncIterator[Staged]:
    """An operation of the client's; `folder` is made, and stays empty."""
    folder.mkdir()
    made = await client.call("POST", "collections", {"name": "Staged", "source_path": str(folder)})
    async for _ in client.watch(made["operation_id"]):
        pass
    stores = serving.stores
    async with (
        Store(stores.mongo_url, stores.database) as store,
        ProgressService(stores.redis_url, LIMITS, new_id()) as progress,
    ):
        model = await store.operations.get(made["operation_id"])
        assert model is not None
        lease = Lease("a test", new_id(), now() + timedelta(days=1))
        running = replace(model, id=new_id(), status="processing", lease=lease)
        running = replace(running, last_message=0, completed_at=None, announced=False)
        await store.operations.add(running)
        yield Staged(client, running, progress, store)
