"""How `semantik-reindex` has its wish done: through a server's REST API, or on the stores. Runs on the loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol

from semantik.auth.authorization import Authorizer
from semantik.client.api import Client
from semantik.commands.store_connection import open_stores
from semantik.config.settings import Settings
from semantik.core.errors import NotFound
from semantik.core.models import TERMINAL, OperationStatus, StageName, now
from semantik.services.operations import OperationService, ReindexOptions
from semantik.storage.data_folder import is_served
from semantik.storage.mongo import Store

_SILENT = timedelta(seconds=20)  # a server that tells nothing for so long runs nothing
_PAGE = 500


@dataclass(frozen=True)
class ReindexTarget:
    """A collection that may be reindexed, and whose it is."""

    id: str
    name: str
    owner: str


@dataclass(frozen=True)
class ReindexState:
    """How an operation stands; `error` says why it failed."""

    status: OperationStatus
    percent: float
    stage: StageName | None
    error: str | None

    @property
    def ended(self) -> bool:
        return self.status in TERMINAL


class ReindexTargets(Protocol):
    """Where the work is done; `alone`: in this very process, which must stay for it."""

    alone: bool

    async def targets(self) -> list[ReindexTarget]: ...

    async def begin(self, target: ReindexTarget, wish: ReindexOptions) -> str:
        """Put a REINDEX into the line; returns its id."""
        ...

    async def look(self, operation_id: str) -> ReindexState: ...


class RemoteTargets:
    """Through the REST API of a server; the collections are those of the one who asks."""

    alone = False

    def __init__(self, client: Client) -> None:
        self._client = client

    async def targets(self) -> list[ReindexTarget]:
        found: list[ReindexTarget] = []
        query: dict[str, Any] = {"limit": _PAGE}
        while True:
            page = await self._client.call("GET", "collections", **query)
            found += [ReindexTarget(item["id"], item["name"], "you") for item in page["items"]]
            if page["next_cursor"] is None:
                return found
            query["cursor"] = page["next_cursor"]

    async def begin(self, target: ReindexTarget, wish: ReindexOptions) -> str:
        asked = {name: value for name, value in vars(wish).items() if value is not None}
        accepted = await self._client.call("POST", f"collections/{target.id}/reindex", asked)
        return str(accepted["operation_id"])

    async def look(self, operation_id: str) -> ReindexState:
        told = await self._client.call("GET", f"operations/{operation_id}")
        return ReindexState(told["status"], told["progress_percent"], told["stage"], told["error_message"])


class StoreTargets:
    """By way of the stores: a server that shares them runs what is put into the line. All collections can be named."""

    def __init__(self, store: Store, alone: bool) -> None:
        self.alone = alone
        self._store = store
        self._operations = OperationService(store, Authorizer(store), Path, lambda: None)

    async def targets(self) -> list[ReindexTarget]:
        owners = {user.id: user.username for user in await self._store.users.all()}
        collections = await self._store.collections.all()
        return [
            ReindexTarget(one.id, one.name, owners.get(one.owner_id, one.owner_id)) for one in collections
        ]

    async def begin(self, target: ReindexTarget, wish: ReindexOptions) -> str:
        collection = await self._store.collections.get(target.id)
        owner = await self._store.users.get(collection.owner_id) if collection else None
        if owner is None:
            raise NotFound(f"The collection {target.name} is gone, or its owner is.")
        return (await self._operations.reindex(owner, target.id, wish)).id

    async def look(self, operation_id: str) -> ReindexState:
        operation = await self._store.operations.get(operation_id)
        if operation is None:
            return ReindexState("cancelled", 0.0, None, "Its collection was deleted.")
        return ReindexState(
            operation.status, operation.progress_percent, operation.stage, operation.error_message
        )


@asynccontextmanager
async def on_stores(settings: Settings) -> AsyncIterator[StoreTargets]:
    """Reach the stores; where no server is there to do the work, one runs in this process until it is done."""
    async with AsyncExitStack() as stack:
        if not is_served(settings.data):
            async with open_stores(settings) as stores:  # refuses what can't be, before anything is begun
                silent = not await _is_served_elsewhere(stores.store)
            if silent:
                from semantik.server import running

                here = replace(settings, host="127.0.0.1", port=0)
                await stack.enter_async_context(running(here))
                reached = await stack.enter_async_context(open_stores(settings))
                yield StoreTargets(reached.store, alone=True)
                return
        reached = await stack.enter_async_context(open_stores(settings))
        yield StoreTargets(reached.store, alone=False)


async def _is_served_elsewhere(store: Store) -> bool:
    return any(instance.seen_at + _SILENT > now() for instance in await store.instances.all())


async def follow(
    reindexing: ReindexTargets, operations: Mapping[str, ReindexTarget], pause_s: float = 0.5
) -> AsyncIterator[tuple[str, ReindexState]]:
    """Tell how operations stand, each time that one does otherwise, until all have ended."""
    told: dict[str, ReindexState] = {}
    while not all(key in told and told[key].ended for key in operations):
        for key in operations:
            if key not in told or not told[key].ended:
                state = await reindexing.look(key)
                if told.get(key) != state:
                    told[key] = state
                    yield key, state
        await asyncio.sleep(pause_s)
