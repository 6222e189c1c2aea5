"""Embedded stores that a test starts in its own process."""

from __future__ import annotations

import os
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
from support.processes import command_line

from semantik.storage.data_folder import data_lock
from semantik.storage.embedded import embedded
from semantik.storage.mongo import Store


@asynccontextmanager
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    """An empty store: in the MongoDB that this run is against, if one was named, otherwise in an embedded one."""
    if given := os.environ.get("SEMANTIK_TEST_MONGO_URL"):
        async with Store(given, f"test-{uuid.uuid4().hex}") as opened:
            yield opened
        return
    async with (
        data_lock(tmp_path) as lock,
        embedded(tmp_path, True, False, lock) as stores,
        Store(stores.mongo_url, "test", stores.mongo_reads_url) as opened,
    ):
        yield opened


def store_processes() -> list[psutil.Process]:
    """The stores that this process has started; servers of other tests may be its children, too."""
    return [child for child in psutil.Process().children() if _is_store(child)]


def _is_store(process: psutil.Process) -> bool:
    command = " ".join(command_line(process))
    return "semantik.storage.embedded_child" in command or "redis-server" in command
