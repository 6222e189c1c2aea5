"""How `semantik-reindex` has its wish done: through a server's REST API, or on the stores. Runs on the loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol

from semantik.access import Access
from semantik.client import Client
from semantik.commands.reach import reach
from semantik.data_folder import is_served
from semantik.errors import NotFound
from semantik.operations import Operations, Recutting
from semantik.records import TERMINAL, now
from semantik.settings import Settings
from semantik.store import Store

_SILENT = timedelta(seconds=20)  # a server that tells nothing for so long runs nothing
_PAGE = 500


@dataclass(frozen=True)
class Target:
    """A collection that may be reindexed, and whose it is."""

    id: str
    name: str
    owner: str


@dataclass(frozen=True)
class State:
    """How an operation stands; `error` says why it failed."""

    status: str
    percent: float
    stage: str | None
    error: str | None

    @property
    def ended(self) -> bool:
        return self.status in TERMINAL


class Reindexing(Protocol):
    """Where the work is done; `alone`: in this very process, which must stay for it."""

    alone: bool

    async def targets(self) -> list[Target]: ...

    async def begin(self, target: Target, wish: Recutting) -> str:
        """Put a REINDEX into the line; returns its id."""
        ...

    async def look(self, operation_id: str) -> State: ...


class Remote:
    """Through the REST API of a server; the collections are those of the one who asks."""

    alone = False

    def __init__(self, client: Client) -> None:
        self._client = client

    async def targets(self) -> list[Target]:
        found: list[Target] = []
        query: dict[str, Any] = {"limit": _PAGE}
        while True:
            page = await self._client.call("GET", "collections", **query)
            found += [Target(item["id"], item["name"], "you") for item in page["items"]]
            if page["next_cursor"] is None:
                return found
            query["cursor"] = page["next_cursor"]

    async def begin(self, target: Target, wish: Recutting) -> str:
        asked = {name: value for name, value in vars(wish).items() if value is not None}
        accepted = await self._client.call("POST", f"collections/{target.id}/reindex", asked)
        return str(accepted["operation_id"])

    async def look(self, operation_id: str) -> State:
        told = await self._client.call("GET", f"operations/{operation_id}")
        return State(told["status"], told["progress_percent"], told["stage"], told["error_message"])


class OnStores:
    """By way of the stores: a server that shares them runs what is put into the line. All collections can be named."""

    def __init__(self, store: Store, alone: bool) -> None:
        self.alone = alone
        self._store = store
        self._operations = Operations(store, Access(store), Path, lambda: None)

    async def targets(self) -> list[Target]:
        owners = {user.id: user.username for user in await self._store.users.all()}
        collections = await self._store.collections.all()
        return [Target(one.id, one.name, owners.get(one.owner_id, one.owner_id)) for one in collections]

    async def begin(self, target: Target, wish: Recutting) -> str:
        collection = await self._store.collections.get(target.id)
        owner = await self._store.users.get(collection.owner_id) if collection else None
        if owner is None:
            raise NotFound(f"The collection {target.name} is gone, or its owner is.")
        return (await self._operations.reindex(owner, target.id, wish)).id

    async def look(self, operation_id: str) -> State:
        operation = await self._store.operations.get(operation_id)
        if operation is None:
            return State("cancelled", 0.0, None, "Its collection was deleted.")
        return State(operation.status, operation.progress_percent, operation.stage, operation.error_message)


@asynccontextmanager
async def on_stores(settings: Settings) -> AsyncIterator[OnStores]:
    """Reach the stores; where no server is there to do the work, one runs in this process until it is done."""
    async with AsyncExitStack() as stack:
        if not is_served(settings.data):
            async with reach(settings) as stores:  # refuses what can't be, before anything is begun
                silent = not await _is_served_elsewhere(stores.store)
            if silent:
                from semantik.server import running

                here = replace(settings, host="127.0.0.1", port=0)
                await stack.enter_async_context(running(here))
                reached = await stack.enter_async_context(reach(settings))
                yield OnStores(reached.store, alone=True)
                return
        reached = await stack.enter_async_context(reach(settings))
        yield OnStores(reached.store, alone=False)


async def _is_served_elsewhere(store: Store) -> bool:
    return any(instance.seen_at + _SILENT > now() for instance in await store.instances.all())


async def follow(
    reindexing: Reindexing, operations: Mapping[str, Target], pause_s: float = 0.5
) -> AsyncIterator[tuple[str, State]]:
    """Tell how operations stand, each time that one does otherwise, until all have ended."""
    told: dict[str, State] = {}
    while not all(key in told and told[key].ended for key in operations):
        for key in operations:
            if key not in told or not told[key].ended:
                state = await reindexing.look(key)
                if told.get(key) != state:
                    told[key] = state
                    yield key, state
        await asyncio.sleep(pause_s)
