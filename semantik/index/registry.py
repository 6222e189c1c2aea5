"""All indexes of this server, opened when first needed: one folder for each collection and generation.

Runs on the loop; threads read and write the disk.
"""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from semantik.config.settings import IndexSettings
from semantik.core.errors import Conflict, Unavailable
from semantik.index import recovery
from semantik.index.files.checksums import run_step
from semantik.index.files.durable import Damaged
from semantik.index.folders import (
    CLOSED,
    DROPPED_PREFIX,
    collection_folder,
    move,
    remove_dropped,
    try_remove,
)
from semantik.index.vector_index import IndexContext, RunInPool, VectorIndex

log = logging.getLogger(__name__)


class IndexRegistry:
    """While it exists, only this object may use the folder; the caller holds the lock that ensures this."""

    def __init__(
        self, directory: Path, settings: IndexSettings, run_in_pool: RunInPool, retry_s: float = 1.0
    ) -> None:
        """`run_in_pool` runs merges; `retry_s` is the first pause after a failure in the background."""
        self._directory = directory.resolve()
        # One writing thread: changes run in the order in which they were submitted, and need no lock.
        self._writer = ThreadPoolExecutor(1, "index-writer")
        self._readers = ThreadPoolExecutor(max(2, os.cpu_count() or 1), "index-reader")
        # One checking thread: a disk takes longer to read two files at once.
        self._checker = ThreadPoolExecutor(1, "index-checker")
        self._writer.submit(remove_dropped, self._directory)
        self._context = IndexContext(
            settings, run_in_pool, self._writer, self._readers, self._checker, retry_s
        )
        self._opened: dict[tuple[str, int], asyncio.Task[VectorIndex]] = {}
        self._closed = False

    async def open(self, collection_id: str, generation: int, dimension: int) -> VectorIndex:
        """The index, the same object for every caller. Read from disk and checked when it is not open yet.

        Raises Invalid for an id that cannot name a folder, Conflict when it is open with another dimension,
        Unavailable when the folder cannot be used, or the registry is closed.
        """
        if self._closed:
            raise Unavailable(CLOSED)
        key = (collection_id, generation)
        known = self._opened.get(key)
        if known is None or (known.done() and (known.exception() or known.result().closed)):
            directory = collection_folder(self._directory, collection_id) / str(generation)
            known = self._opened[key] = asyncio.create_task(self._load(key, directory, dimension))
        index = await asyncio.shield(known)
        if index.dimension != dimension:
            raise Conflict(f"The index is open for vectors of {index.dimension} numbers, not {dimension}.")
        return index

    def get_if_open(self, collection_id: str, generation: int) -> VectorIndex | None:
        """The index, if it is open already."""
        known = self._opened.get((collection_id, generation))
        if known is None or not known.done() or known.exception() or known.result().closed:
            return None
        return known.result()

    def open_keys(self) -> list[tuple[str, int]]:
        """The collections and generations whose indexes are open, or about to be."""
        return list(self._opened)

    async def drop(self, collection_id: str, generation: int | None = None) -> None:
        """Close and delete one generation's index, or all of the collection's.

        A running search completes. Raises Unavailable when the folder cannot be moved away.
        """
        directory = collection_folder(self._directory, collection_id)
        if generation is not None:
            directory /= str(generation)
        keys = [key for key in self._opened if key[0] == collection_id and generation in (None, key[1])]
        tasks = [self._opened.pop(key) for key in keys]
        for index in _indexes(tasks):
            index.stop()
            self._writer.submit(index.release_files)
        dropped = self._directory / f"{DROPPED_PREFIX}{secrets.token_hex(8)}"
        # Submitted before anything is awaited, so that a later `open` makes a new folder.
        moving = asyncio.get_running_loop().run_in_executor(self._writer, move, directory, dropped)
        try:
            await asyncio.shield(moving)
        except OSError as error:
            raise Unavailable(f"The index {directory} cannot be deleted: {error.strerror}.") from error
        finally:
            if tasks:
                await asyncio.wait(tasks)
            for index in _indexes(tasks):
                index.stop()
                await index.wait_stopped()
        await asyncio.to_thread(try_remove, dropped)

    async def close(self) -> None:
        """Save the newest vectors of every index and end the threads. Later, `open` is refused."""
        self._closed = True
        tasks = list(self._opened.values())
        self._opened.clear()
        if tasks:
            await asyncio.wait(tasks)
        for index in _indexes(tasks):
            await index.close()
        await asyncio.to_thread(self._readers.shutdown)
        await asyncio.to_thread(self._checker.shutdown)
        await asyncio.to_thread(self._writer.shutdown)

    async def _load(self, key: tuple[str, int], directory: Path, dimension: int) -> VectorIndex:
        loop = asyncio.get_running_loop()
        faults: dict[str, Damaged] = {}
        steps = recovery.find_damage(directory, faults)
        try:
            more = True
            while more:
                more = await run_step(steps, self._checker)
                if self._opened.get(key) is not asyncio.current_task():
                    raise Unavailable("The index was closed; please ask again.")
            state = await loop.run_in_executor(self._writer, recovery.load, directory, dimension, faults)
        except OSError as error:
            raise Unavailable(
                f"The index {directory} cannot be opened: "
                f"{error.filename or directory}: {error.strerror or error}. "
                "Let the server's user read and write there, or move it away: the index then rebuilds itself."
            ) from error
        return VectorIndex(state, self._context)


def _indexes(tasks: list[asyncio.Task[VectorIndex]]) -> list[VectorIndex]:
    """The indexes whose opening has ended well."""
    return [task.result() for task in tasks if task.done() and not task.exception()]
