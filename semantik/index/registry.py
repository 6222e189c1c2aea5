"""All indexes of this server, opened when first needed: one folder for each collection and generation.

Runs on the loop; the disk is touched in threads.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
import secrets
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from semantik.config.settings import IndexSettings
from semantik.core.errors import Conflict, Invalid, Unavailable
from semantik.index import recovery
from semantik.index.files.checksums import step
from semantik.index.files.durable import Damaged, remove
from semantik.index.vector_index import IndexContext, Run, VectorIndex

log = logging.getLogger(__name__)

_SAFE_NAME = re.compile(r"[A-Za-z0-9_-]{1,100}")
DROPPED = "dropped."


class IndexRegistry:
    """The folder belongs to this object alone while it lives; the caller holds the lock that sees to that."""

    def __init__(self, directory: Path, settings: IndexSettings, run: Run, retry_s: float = 1.0) -> None:
        """`run` runs merges in the pool; `retry_s` is the first pause after a failure in the background."""
        self._directory = directory.resolve()
        # One writing thread: every change happens after the one asked for before it, and needs no lock.
        self._writer = ThreadPoolExecutor(1, "index-writer")
        self._readers = ThreadPoolExecutor(max(2, os.cpu_count() or 1), "index-reader")
        # One checking thread: reading two files through at once would take a disk longer.
        self._checker = ThreadPoolExecutor(1, "index-checker")
        self._writer.submit(_remove_dropped, self._directory)
        self._means = IndexContext(settings, run, self._writer, self._readers, self._checker, retry_s)
        self._opened: dict[tuple[str, int], asyncio.Task[VectorIndex]] = {}

    async def open(self, collection_id: str, generation: int, dimension: int) -> VectorIndex:
        """The index, read from disk and checked when it is not open yet; the same object for everyone.

        Raises Invalid for an id that cannot name a folder, Conflict when it is open with another dimension,
        Unavailable when the folder cannot be used.
        """
        key = (collection_id, generation)
        known = self._opened.get(key)
        if known is None or (known.done() and (known.exception() or known.result().closed)):
            home = self._home(collection_id) / str(generation)
            known = self._opened[key] = asyncio.create_task(self._load(key, home, dimension))
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

    def opened(self) -> list[tuple[str, int]]:
        """The collections and generations whose indexes are open, or about to be."""
        return list(self._opened)

    async def drop(self, collection_id: str, generation: int | None = None) -> None:
        """Close and delete one generation's index, or all of the collection's.

        A running search ends undisturbed. Raises Unavailable when the folder cannot be moved away.
        """
        doomed = self._home(collection_id)
        if generation is not None:
            doomed /= str(generation)
        keys = [key for key in self._opened if key[0] == collection_id and generation in (None, key[1])]
        tasks = [self._opened.pop(key) for key in keys]
        for index in _indexes(tasks):
            index.stop()
            self._writer.submit(index.let_go)
        aside = self._directory / f"{DROPPED}{secrets.token_hex(8)}"
        # Submitted before anything is awaited, so that who opens the index from here on finds the new folder.
        moving = asyncio.get_running_loop().run_in_executor(self._writer, _move, doomed, aside)
        try:
            await asyncio.shield(moving)
        except OSError as error:
            raise Unavailable(f"The index {doomed} cannot be deleted: {error.strerror}.") from error
        finally:
            if tasks:
                await asyncio.wait(tasks)
            for index in _indexes(tasks):
                index.stop()
                await index.stopped()
        await asyncio.to_thread(_remove, aside)

    async def close(self) -> None:
        """Save every tail and end the threads. No other call may follow."""
        tasks = list(self._opened.values())
        self._opened.clear()
        if tasks:
            await asyncio.wait(tasks)
        for index in _indexes(tasks):
            await index.close()
        await asyncio.to_thread(self._readers.shutdown)
        await asyncio.to_thread(self._checker.shutdown)
        await asyncio.to_thread(self._writer.shutdown)

    async def _load(self, key: tuple[str, int], home: Path, dimension: int) -> VectorIndex:
        loop = asyncio.get_running_loop()
        faults: dict[str, Damaged] = {}
        steps = recovery.examine(home, faults)
        try:
            more = True
            while more:
                more = await step(steps, self._checker)
                if self._opened.get(key) is not asyncio.current_task():
                    raise Unavailable("The index was closed; please ask again.")
            contents = await loop.run_in_executor(self._writer, recovery.load, home, dimension, faults)
        except OSError as error:
            raise Unavailable(
                f"The index {home} cannot be opened: {error.filename or home}: {error.strerror or error}. "
                "Let the server's user read and write there, or move it away: the index then rebuilds itself."
            ) from error
        return VectorIndex(contents, self._means)

    def _home(self, collection_id: str) -> Path:
        if not _SAFE_NAME.fullmatch(collection_id):
            raise Invalid(f"{collection_id!r} cannot name an index: only letters, digits, - and _ can.")
        return self._directory / collection_id


def _indexes(tasks: list[asyncio.Task[VectorIndex]]) -> list[VectorIndex]:
    """Those that were opened by now."""
    return [task.result() for task in tasks if task.done() and not task.exception()]


def _move(source: Path, target: Path) -> None:
    if os.path.lexists(source):
        source.rename(target)


def _remove_dropped(directory: Path) -> None:
    """Finish what a crash interrupted."""
    for path in directory.glob(f"{DROPPED}*"):
        _remove(path)


def _remove(aside: Path) -> None:
    """Nobody needs it any more, so what resists may stay until the next start."""
    try:
        remove(aside)
    except OSError as error:
        log.warning("%s cannot be removed: %s", aside, error)
