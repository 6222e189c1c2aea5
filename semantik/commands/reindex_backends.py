"""Where `semantik-reindex` starts its operations: through a server's REST API, or on the stores. Runs on the loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Protocol

from semantik.auth.authorization import Authorizer
from semantik.auth.folder_access import FolderAccess
from semantik.auth.principal import Principal
from semantik.client.api import Client
from semantik.commands.server_connection import all_collections
from semantik.commands.store_connection import open_stores
from semantik.config.settings import Settings
from semantik.core.errors import NotFound
from semantik.core.models import API_KEY_SCOPES, TERMINAL, OperationStatus, StageName, now
from semantik.services.operation_options import ReindexOptions
from semantik.services.operations import OperationService
from semantik.services.server_labels import ServerLabels
from semantik.storage.data_folder import is_served
from semantik.storage.mongo import Store

_SILENT_AFTER = timedelta(seconds=20)  # without a heartbeat for so long a server is taken for dead


@dataclass(frozen=True)
class ReindexTarget:
    """A collection that can be reindexed, and the name of its owner."""

    id: str
    name: str
    owner: str


@dataclass(frozen=True)
class ReindexState:
    """The state of an operation: `percent` is 0 to 100, `error` the reason of a failure."""

    status: OperationStatus
    percent: float
    stage: StageName | None
    error: str | None

    @property
    def ended(self) -> bool:
        return self.status in TERMINAL


class ReindexBackend(Protocol):
    """Starts and observes operations; `in_process`: this process runs them, so it must not exit before their end."""

    in_process: bool

    async def collections(self) -> list[ReindexTarget]: ...

    async def start(self, target: ReindexTarget, options: ReindexOptions) -> str:
        """Queue a REINDEX; returns the operation's id."""
        ...

    async def get_state(self, operation_id: str) -> ReindexState: ...


class RestBackend:
    """Through the REST API of a server; the collections are those of the signed-in user."""

    in_process = False

    def __init__(self, client: Client) -> None:
        self._client = client

    async def collections(self) -> list[ReindexTarget]:
        return [
            ReindexTarget(each["id"], each["name"], "you") for each in await all_collections(self._client)
        ]

    async def start(self, target: ReindexTarget, options: ReindexOptions) -> str:
        body = {name: value for name, value in vars(options).items() if value is not None}
        accepted = await self._client.call("POST", f"collections/{target.id}/reindex", body)
        return str(accepted["operation_id"])

    async def get_state(self, operation_id: str) -> ReindexState:
        view = await self._client.call("GET", f"operations/{operation_id}")
        return ReindexState(view["status"], view["progress_percent"], view["stage"], view["error_message"])


class StoreBackend:
    """Through the stores: a server that uses them runs what is queued. The collections are those of all users."""

    def __init__(self, store: Store, settings: Settings, in_process: bool) -> None:
        self.in_process = in_process
        self._store = store
        folder_access = FolderAccess(store, lambda: settings)
        self._operations = OperationService(
            store,
            Authorizer(store),
            folder_access,
            lambda path, roots: Path(path),
            lambda: None,
            lambda: settings.embedding,
            ServerLabels(store, settings.label),
        )

    async def collections(self) -> list[ReindexTarget]:
        owners = {user.id: user.username for user in await self._store.users.all()}
        collections = await self._store.collections.all()
        return [
            ReindexTarget(one.id, one.name, owners.get(one.owner_id, one.owner_id)) for one in collections
        ]

    async def start(self, target: ReindexTarget, options: ReindexOptions) -> str:
        collection = await self._store.collections.get(target.id)
        owner = await self._store.users.get(collection.owner_id) if collection else None
        if owner is None:
            raise NotFound(f"The collection {target.name} or its owner no longer exists.")
        principal = Principal(owner, "semantik-reindex", None, API_KEY_SCOPES)
        return (await self._operations.reindex(principal, target.id, options)).id

    async def get_state(self, operation_id: str) -> ReindexState:
        operation = await self._store.operations.get(operation_id)
        if operation is None:
            return ReindexState("cancelled", 0.0, None, "Its collection was deleted.")
        return ReindexState(
            operation.status, operation.progress_percent, operation.stage, operation.error_message
        )


@asynccontextmanager
async def open_store_backend(settings: Settings) -> AsyncIterator[StoreBackend]:
    """Connect to the stores; where no server runs on them, one runs in this process until exit."""
    async with AsyncExitStack() as stack:
        if not is_served(settings.data):
            async with open_stores(settings) as stores:  # raises before a server is started
                served = await _is_served_elsewhere(stores.store)
            if not served:
                from semantik.server import running

                own = replace(settings, host="127.0.0.1", port=0)
                await stack.enter_async_context(running(own))
                stores = await stack.enter_async_context(open_stores(settings))
                yield StoreBackend(stores.store, settings, in_process=True)
                return
        stores = await stack.enter_async_context(open_stores(settings))
        yield StoreBackend(stores.store, settings, in_process=False)


async def _is_served_elsewhere(store: Store) -> bool:
    return any(instance.seen_at + _SILENT_AFTER > now() for instance in await store.instances.all())


async def poll_states(
    backend: ReindexBackend, operations: Mapping[str, ReindexTarget], pause_s: float = 0.5
) -> AsyncIterator[tuple[str, ReindexState]]:
    """Yield the state of each operation whenever it changes, until all have ended."""
    states: dict[str, ReindexState] = {}
    while not all(key in states and states[key].ended for key in operations):
        for key in operations:
            if key not in states or not states[key].ended:
                state = await backend.get_state(key)
                if states.get(key) != state:
                    states[key] = state
                    yield key, state
        await asyncio.sleep(pause_s)
