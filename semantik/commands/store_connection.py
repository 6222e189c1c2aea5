"""Connects a command to the stores: by URL, through a running server's sockets, or by starting the embedded stores.

Runs on the loop.
"""

from __future__ import annotations

import os
import pwd
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from semantik.config.settings import Settings
from semantik.core.errors import ConfigError, Forbidden, Unavailable
from semantik.storage.data_folder import InUse, data_lock, is_served
from semantik.storage.embedded import embedded, embedded_urls
from semantik.storage.mongo import Store


@dataclass(frozen=True)
class StoreAddresses:
    """Where the stores are; `is_served`: a server runs on this data folder.

    `redis_url` is empty where Redis is embedded in a data folder that is not on this machine.
    """

    mongo_url: str
    redis_url: str
    is_served: bool


@dataclass(frozen=True)
class OpenStores:
    """The open store, and where it and Redis are; `is_served`: a server runs on this data folder."""

    store: Store
    mongo_url: str
    redis_url: str
    is_served: bool


@asynccontextmanager
async def open_stores(settings: Settings, *, create: bool = False) -> AsyncIterator[OpenStores]:
    """Open the store; as `find_stores`, and raises Unavailable when MongoDB does not answer."""
    async with AsyncExitStack() as stack:
        addresses = await stack.enter_async_context(find_stores(settings, create=create))
        try:
            store = await stack.enter_async_context(Store(addresses.mongo_url, settings.mongo_database))
        except Unavailable as error:
            if settings.mongo_url:
                raise
            raise Unavailable(
                f"The embedded MongoDB of the data folder {settings.data} does not answer; if the server "
                "uses one of your own, name it with --mongo-url as you do for the server."
            ) from error
        yield OpenStores(store, addresses.mongo_url, addresses.redis_url, addresses.is_served)


@asynccontextmanager
async def find_stores(settings: Settings, *, create: bool = False) -> AsyncIterator[StoreAddresses]:
    """Find the stores: by their URLs, in the server that runs on the data folder, or embedded ones started until exit.

    Raises ConfigError for a data folder that was never used (unless `create`) or cannot be used, Forbidden when it
    belongs to another user, Conflict when another script holds it for longer than 10 s.
    """
    if settings.mongo_url and (settings.redis_url or not _is_used(settings.data)):
        yield StoreAddresses(settings.mongo_url, settings.redis_url, is_served(settings.data))
        return
    if not create and not _is_used(settings.data):
        raise ConfigError(_why_unused(settings.data))
    async with AsyncExitStack() as stack:
        try:
            lock = await stack.enter_async_context(data_lock(settings.data, script=True))
        except InUse:
            mongo_url, redis_url = embedded_urls(settings.data)
            served = True
        else:
            _check_owner(settings.data)
            stores = await stack.enter_async_context(
                embedded(settings.data, not settings.mongo_url, not settings.redis_url, lock)
            )
            mongo_url, redis_url, served = stores.mongo_url, stores.redis_url, False
        yield StoreAddresses(settings.mongo_url or mongo_url, settings.redis_url or redis_url, served)


def _is_used(data: Path) -> bool:
    try:
        return (data / "lock").exists()
    except OSError as error:
        raise ConfigError(f"The data folder {data} cannot be read: {error.strerror}.") from error


def _why_unused(data: Path) -> str:
    if not data.exists():
        return f"The data folder {data} does not exist; name the server's with --data or --config."
    if not data.is_dir():
        return f"data = {str(data)!r} is a file; name the server's data folder with --data or --config."
    return f"No server has used the folder {data} yet; name the server's data folder with --data or --config."


def _check_owner(data: Path) -> None:
    """Raises Forbidden for root in another user's folder: the server could not open the files that root creates."""
    owner = (data / "lock").stat().st_uid
    if owner != os.geteuid():
        try:
            name = pwd.getpwuid(owner).pw_name
        except KeyError:
            name = f"#{owner}"
        raise Forbidden(
            f"The data folder {data} belongs to the user {name}, and no server runs on it: "
            f"start the server, or run this as that user (sudo -u {name} …)."
        )
