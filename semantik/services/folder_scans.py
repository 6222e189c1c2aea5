"""Scans of folders that somebody watches live: how far one is, and what it found. Must not know sockets.

The walk and the rule for folders come in as plain callables. Each scan walks in a daemon thread of its own, and the
loop looks at it a few times a second. No thread can be ended from outside: one that hangs on a dead disk is left
behind, holding nobody up, not even the server's end; it keeps its place among the scans at once until it wakes up.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator, Iterator
from concurrent.futures import Future
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread

from semantik.config import settings
from semantik.core.errors import Busy, Conflict, Invalid
from semantik.core.globs import Globs
from semantik.core.scan_entries import FoundFile, ScanEntry, ScanWarning

_TICK_S = 0.25
_MAX_WARNINGS = 100
_MAX_GLOBS = 100
_MAX_GLOB = 200


@dataclass(frozen=True)
class ScanOptions:
    """What to scan: `path` is absolute, the globs are those of `semantik/core/globs.py`; no `include` includes all."""

    path: str
    recursive: bool = True
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()


@dataclass(frozen=True)
class ScanProgress:
    """`scanned` entries were looked at, `total` files found so far."""

    scanned: int
    total: int
    current_path: str


@dataclass(frozen=True)
class ScanCompleted:
    """`files` are the first of `count`, which with `total_size` (bytes) stays exact when they are `truncated`."""

    files: tuple[FoundFile, ...]
    count: int
    total_size: int
    warnings: tuple[str, ...]

    @property
    def truncated(self) -> bool:
        return len(self.files) < self.count


@dataclass(frozen=True)
class ScanCancelled:
    scanned: int


Step = ScanProgress | ScanCompleted | ScanCancelled
Resolve = Callable[[str], Path]
Walk = Callable[[Path, ScanOptions], Generator[ScanEntry, None, None]]


class FolderScans:
    """`resolve(path)` gives the real folder or raises; `walk(folder, wish)` tells of every entry it looks at;
    `limits()` are those of the moment.
    """

    def __init__(self, limits: Callable[[], settings.ScanSettings], resolve: Resolve, walk: Walk) -> None:
        self._limits = limits
        self._resolve = resolve
        self._walk = walk
        self._places = asyncio.Semaphore(limits().concurrent)
        self._names: set[str] = set()

    @contextmanager
    def named(self, scan_id: str) -> Iterator[None]:
        """While inside, nobody else comes in under this name, not even the same user. Raises Conflict for who tries."""
        if scan_id in self._names:
            raise Conflict("This scan_id cannot be used now: connect with a new UUID.")
        self._names.add(scan_id)
        try:
            yield
        finally:
            self._names.remove(scan_id)

    def start(self, wish: ScanOptions) -> FolderScan:
        """A scan that runs while its `steps` are taken. Raises Invalid for a glob that cannot be used."""
        for name, globs in (("include", wish.include), ("exclude", wish.exclude)):
            if len(globs) > _MAX_GLOBS:
                raise Invalid(f"{name}: {_MAX_GLOBS} globs at most, and these are {len(globs)}.")
            for glob in globs:
                if len(glob) > _MAX_GLOB:
                    raise Invalid(f"{name}: a glob has {_MAX_GLOB} characters at most: {glob[:40]!r}….")
            Globs(globs)
        return FolderScan(wish, self._limits(), self._places, self._resolve, self._walk)


class FolderScan:
    """One scan: take its `steps()` once; `stop()` ends it early."""

    def __init__(
        self,
        wish: ScanOptions,
        limits: settings.ScanSettings,
        places: asyncio.Semaphore,
        resolve: Resolve,
        walk: Walk,
    ) -> None:
        self._wish = wish
        self._wait_s = limits.wait_s
        self._places = places
        self._resolve = resolve
        self._walk = walk
        self._tally = _ScanTotals(wish.path, limits.max_files)
        self._stopped = asyncio.get_running_loop().create_future()
        self._left = Event()

    def stop(self) -> None:
        """The steps end with Cancelled, unless the end was reached before."""
        if not self._stopped.done():
            self._stopped.set_result(None)

    async def steps(self) -> AsyncGenerator[Step, None]:
        """Progress a few times a second, then one Completed or Cancelled; leaving early (`aclosing`) ends the walk.

        Raises Invalid or Forbidden for the folder, Busy when other scans have left no place for too long.
        """
        work = asyncio.create_task(self._work(), name="scan")
        try:
            while True:
                await asyncio.wait(
                    (work, self._stopped), timeout=_TICK_S, return_when=asyncio.FIRST_COMPLETED
                )
                if work.done():
                    completed = work.result()
                    yield self._tally.progress()
                    yield completed
                    return
                if self._stopped.done():
                    yield ScanCancelled(self._tally.progress().scanned)
                    return
                yield self._tally.progress()
        finally:
            self._left.set()
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)

    async def _work(self) -> ScanCompleted:
        try:
            async with asyncio.timeout(self._wait_s):
                await self._places.acquire()
        except TimeoutError as error:
            raise Busy("Too many other scans are running: try again later.") from error
        loop = asyncio.get_running_loop()
        ended: Future[ScanCompleted] = Future()
        ended.set_running_or_notify_cancel()  # so that the place stays taken until the thread itself has ended
        ended.add_done_callback(lambda _: self._free(loop))
        try:
            Thread(target=self._run, args=(ended,), name="scan", daemon=True).start()
        except RuntimeError as error:
            ended.set_exception(error)
        return await asyncio.wrap_future(ended)

    def _free(self, loop: asyncio.AbstractEventLoop) -> None:
        if not loop.is_closed():  # it is when the server has stopped meanwhile
            loop.call_soon_threadsafe(self._places.release)

    def _run(self, ended: Future[ScanCompleted]) -> None:
        try:
            ended.set_result(self._count())
        except BaseException as error:  # whoever takes the steps gets it
            ended.set_exception(error)

    def _count(self) -> ScanCompleted:
        folder = self._resolve(self._wish.path)
        with closing(self._walk(folder, self._wish)) as entries:
            for each in entries:
                if self._left.is_set():
                    break
                self._tally.add(each)
        return self._tally.completed()


class _ScanTotals:
    """What a walk adds up: its thread writes, the loop reads `progress`."""

    def __init__(self, path: str, max_files: int) -> None:
        self._max_files = max_files
        self._files: list[FoundFile] = []
        self._size = 0
        self._warnings: list[str] = []
        self._warned = 0
        self._at = (0, 0, path)  # one tuple, so that the loop never reads half of a change

    def add(self, each: ScanEntry) -> None:
        scanned, count, _ = self._at
        if isinstance(each, FoundFile):
            count += 1
            self._size += each.size
            if len(self._files) < self._max_files:
                self._files.append(each)
        elif isinstance(each, ScanWarning):
            self._warned += 1
            if len(self._warnings) < _MAX_WARNINGS:
                self._warnings.append(f"{each.message.removesuffix('.')}: {each.path}")
        self._at = (scanned + 1, count, each.path)

    def progress(self) -> ScanProgress:
        return ScanProgress(*self._at)

    def completed(self) -> ScanCompleted:
        more = self._warned - len(self._warnings)
        rest = (f"… and {more} more warnings.",) if more else ()
        return ScanCompleted(tuple(self._files), self._at[1], self._size, (*self._warnings, *rest))
