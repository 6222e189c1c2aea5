"""All keyword indexes of this server, opened when first needed: one folder for each collection and generation.

Runs on the loop; threads read and write the disk.
"""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from semantik.core.errors import Unavailable
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
from semantik.index.keyword import folder
from semantik.index.keyword.context import KeywordContext, RunInPool
from semantik.index.keyword.index import KeywordIndex
from semantik.index.keyword.state import KeywordState, load_state

log = logging.getLogger(__name__)

_WRITERS = 2
_MAINTENANCE_S = 1.0
# A crash costs at most the words of this time, which are read from MongoDB again.
_COMMIT_S = 30.0
_WRITER_IDLE_S = 10.0
# Each open index has a thread of tantivy and its files mapped: of those not in use only so many stay open.
_MAX_OPEN = 32
_FILES_IDLE_S = 60.0


class KeywordRegistry:
    """While it exists, only this object may use the folder; the caller holds the lock that ensures this."""

    def __init__(self, directory: Path, run_in_pool: RunInPool) -> None:
        """`run_in_pool` analyses many texts."""
        self._directory = directory.resolve()
        self._writers = ThreadPoolExecutor(_WRITERS, "keyword-writer")
        self._readers = ThreadPoolExecutor(max(2, os.cpu_count() or 1), "keyword-reader")
        # Opens, moves and removes folders in the order of the calls.
        self._folders = ThreadPoolExecutor(1, "keyword-folders")
        self._folders.submit(remove_dropped, self._directory)
        self._context = KeywordContext(run_in_pool, self._writers, self._readers)
        self._opened: dict[tuple[str, int], asyncio.Task[KeywordIndex]] = {}
        self._maintenance: asyncio.Task[None] | None = None
        self._closed = False

    async def open(self, collection_id: str, generation: int, dimension: int) -> KeywordIndex:
        """The index, the same object for every caller. Read from disk and checked when it is not open yet.

        It has no use for `dimension`. Raises Invalid for an id that cannot name a folder, Unavailable when the folder
        cannot be used, or the registry is closed.
        """
        if self._closed:
            raise Unavailable(CLOSED)
        if self._maintenance is None:
            self._maintenance = asyncio.create_task(self._maintain(), name="keyword-maintenance")
        key = (collection_id, generation)
        known = self._opened.get(key)
        if known is None or (known.done() and (known.exception() or known.result().closed)):
            directory = collection_folder(self._directory, collection_id) / str(generation)
            previous = known.result() if known is not None and not known.exception() else None
            known = self._opened[key] = asyncio.create_task(self._load(key, directory, previous))
        return await asyncio.shield(known)

    def get_if_open(self, collection_id: str, generation: int) -> KeywordIndex | None:
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
        dropped = self._directory / f"{DROPPED_PREFIX}{secrets.token_hex(8)}"
        # Submitted before anything is awaited, so that a later `open` makes a new folder.
        moving = asyncio.get_running_loop().run_in_executor(self._folders, move, directory, dropped)
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
        """Save what was added to every index, and end the threads. Later, `open` is refused."""
        self._closed = True
        tasks = list(self._opened.values())
        self._opened.clear()
        if self._maintenance is not None:
            self._maintenance.cancel()
            await asyncio.wait([self._maintenance])
        if tasks:
            await asyncio.wait(tasks)
        for index in _indexes(tasks):
            await index.close()
        for executor in (self._writers, self._readers, self._folders):
            await asyncio.to_thread(executor.shutdown)

    async def _load(
        self, key: tuple[str, int], directory: Path, previous: KeywordIndex | None
    ) -> KeywordIndex:
        if previous is not None:
            await previous.wait_stopped()  # it may hold the lock of the files
        faults: list[Damaged] = []
        steps = folder.find_damage(directory, faults)
        try:
            more = True
            while more:
                more = await run_step(steps, self._folders)
                self._check_wanted(
                    key
                )  # after the last step, too: `drop` may have moved the folder meanwhile
            state = await self._in_order(load_state, directory, faults)
        except OSError as error:
            raise Unavailable(
                f"The index {directory} cannot be opened: {error.strerror or error}. "
                "Let the server's user read and write there, or move it away: the index then rebuilds itself."
            ) from error
        return KeywordIndex(state, self._context)

    def _check_wanted(self, key: tuple[str, int]) -> None:
        if self._opened.get(key) is not asyncio.current_task():
            raise Unavailable("The index was closed; please ask again.")

    async def _in_order(self, function: Callable[..., KeywordState], *args: object) -> KeywordState:
        return await asyncio.get_running_loop().run_in_executor(self._folders, function, *args)

    async def _maintain(self) -> None:
        while True:
            await asyncio.sleep(_MAINTENANCE_S)
            found = _indexes(list(self._opened.values()))
            for place, index in enumerate(sorted(found, key=lambda each: each.idle_s)):
                keep_files = place < _MAX_OPEN
                index.maintain(_COMMIT_S, _WRITER_IDLE_S if keep_files else _FILES_IDLE_S, keep_files)


def _indexes(tasks: list[asyncio.Task[KeywordIndex]]) -> list[KeywordIndex]:
    """The indexes whose opening has ended well."""
    return [task.result() for task in tasks if task.done() and not task.cancelled() and not task.exception()]
