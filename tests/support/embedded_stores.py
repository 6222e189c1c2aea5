"""Embedded stores that a test starts in its own process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil

from semantik.storage.data_folder import data_lock
from semantik.storage.embedded import embedded
from semantik.storage.mongo import Store


@asynccontextmanager
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with (
        data_lock(tmp_path) as lock,
        embedded(tmp_path, True, False, lock) as stores,
        Store(stores.mongo_url, "test", stores.mongo_reads_url) as opened,
    ):
        yield opened


def store_processes() -> list[psutil.Process]:
    """Our own children that are stores; another test's server may be a child of ours too."""
    programs = ("embedded_child.py", "redis-server")
    return [c for c in psutil.Process().children() if any(p in " ".join(c.cmdline()) for p in programs)]
