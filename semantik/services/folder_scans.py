"""Scans of folders with live progress: how far a scan is, and what it found. Must not know sockets.

The walk and the rule for folders come in as plain callables. Each scan walks in a daemon thread of its own, and the
loop reads its progress a few times a second. A thread cannot be stopped from outside: one that hangs on a dead disk is
abandoned. It delays nothing, not even the server's stop, but occupies its slot among the scans until it returns.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Iterator, Sequence
from concurrent.futures import Future
from contextlib import aclosing, closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event, Thread

from semantik.config import settings
from semantik.core.errors import Busy, Conflict, Invalid, Unavailable
from semantik.core.globs import Globs
from semantik.core.scan_entries import FoundFile, ScanEntry, ScanWarning
from semantik.services.folder_languages import FolderLanguages

_TICK_S = 0.25
_LANGUAGES_S = 30.0
_MAX_WARNINGS = 100
_MAX_GLOBS = 100
_MAX_GLOB = 200


@dataclass(frozen=True)
class ScanOptions:
    """What to scan: `path` is absolute, the globs follow `semantik/core/globs.py`; an empty `include` includes all.

    `roots` are the folders below which the user may scan.
    """

    path: str
    recursive: bool = True
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    roots: tuple[str, ...] = ()


@dataclass(frozen=True)
class ScanProgress:
    """So far `scanned` entries were visited and `total` files found, with `total_size` bytes."""

    scanned: int
    total: int
    current_path: str
    total_size: int = 0


@dataclass(frozen=True)
class ScanCompleted:
    """`files` are the first of `count`; `count` and `total_size` (bytes) are exact even when `files` is `truncated`.

    `languages` are those of a few of the files.
    """

    files: tuple[FoundFile, ...]
    count: int
    total_size: int
    warnings: tuple[str, ...]
    languages: FolderLanguages = FolderLanguages()

    @property
    def truncated(self) -> bool:
        return len(self.files) < self.count


@dataclass(frozen=True)
class ScanCancelled:
    scanned: int


ScanEvent = ScanProgress | ScanCompleted | ScanCancelled
Resolve = Callable[[str, Sequence[str]], Path]
Languages = Callable[[Sequence[FoundFile], Sequence[str]], Awaitable[FolderLanguages]]
Walk = Callable[[Path, ScanOptions], Generator[ScanEntry, None, None]]


class FolderScans:
    """`resolve(path, roots)` returns the real folder or raises; `walk(folder, options)` yields every entry that it
    visits; `limits()` are the current settings; `languages(files, roots)` looks at a few of the files.
    """

    def __init__(
        self,
        limits: Callable[[], settings.ScanSettings],
        resolve: Resolve,
        walk: Walk,
        languages: Languages | None = None,
    ) -> None:
        self._languages = languages
        self._limits = limits
        self._resolve = resolve
        self._walk = walk
        self._slots = asyncio.Semaphore(limits().concurrent)
        self._ids: set[str] = set()

    @contextmanager
    def reserve_id(self, scan_id: str) -> Iterator[None]:
        """While inside, no other scan has this id, not even one of the same user. Raises Conflict for the others."""
        if scan_id in self._ids:
            raise Conflict("This scan_id cannot be used now: connect with a new UUID.")
        self._ids.add(scan_id)
        try:
            yield
        finally:
            self._ids.remove(scan_id)

    def start(self, options: ScanOptions) -> FolderScan:
        """A scan that runs while its `events` are read. Raises Invalid for a glob that cannot be used."""
        for name, globs in (("include", options.include), ("exclude", options.exclude)):
            if len(globs) > _MAX_GLOBS:
                raise Invalid(f"{name}: {_MAX_GLOBS} globs at most, and these are {len(globs)}.")
            for glob in globs:
                if len(glob) > _MAX_GLOB:
                    raise Invalid(f"{name}: a glob has {_MAX_GLOB} characters at most: {glob[:40]!r}….")
            Globs(globs)
        return FolderScan(options, self._limits(), self._slots, self._resolve, self._walk, self._languages)

    async def languages(self, path: str, roots: tuple[str, ...]) -> FolderLanguages:
        """The languages of a few of the folder's files.

        Raises Invalid or Forbidden for the folder, Busy when too many scans run, Unavailable when it is too large.
        """
        try:
            async with (
                asyncio.timeout(_LANGUAGES_S),
                aclosing(self.start(ScanOptions(path, roots=roots)).events()) as events,
            ):
                async for event in events:
                    if isinstance(event, ScanCompleted):
                        return event.languages
        except TimeoutError as error:
            raise Unavailable("The folder takes too long to look at.") from error
        return FolderLanguages()


class FolderScan:
    """One scan, of what `options` say: iterate over its `events()` once; `stop()` ends it early."""

    def __init__(
        self,
        options: ScanOptions,
        limits: settings.ScanSettings,
        slots: asyncio.Semaphore,
        resolve: Resolve,
        walk: Walk,
        languages: Languages | None,
    ) -> None:
        self._languages = languages
        self.options = options
        self._wait_s = limits.wait_s
        self._slots = slots
        self._resolve = resolve
        self._walk = walk
        self._totals = _ScanTotals(options.path, limits.max_files)
        self._stopped = asyncio.get_running_loop().create_future()
        self._abandoned = Event()

    def stop(self) -> None:
        """The events end with ScanCancelled, unless the scan has completed before."""
        if not self._stopped.done():
            self._stopped.set_result(None)

    async def events(self) -> AsyncGenerator[ScanEvent, None]:
        """Progress a few times a second, then one ScanCompleted or ScanCancelled; closing it early ends the walk.

        Raises Invalid or Forbidden for the folder, Busy when no slot becomes free in time.
        """
        result = asyncio.create_task(self._run(), name="scan")
        try:
            while True:
                await asyncio.wait(
                    (result, self._stopped), timeout=_TICK_S, return_when=asyncio.FIRST_COMPLETED
                )
                if result.done():
                    completed = result.result()
                    yield self._totals.progress()
                    yield completed
                    return
                if self._stopped.done():
                    yield ScanCancelled(self._totals.progress().scanned)
                    return
                yield self._totals.progress()
        finally:
            self._abandoned.set()
            result.cancel()
            await asyncio.gather(result, return_exceptions=True)

    async def _run(self) -> ScanCompleted:
        try:
            async with asyncio.timeout(self._wait_s):
                await self._slots.acquire()
        except TimeoutError as error:
            raise Busy("Too many other scans are running: try again later.") from error
        loop = asyncio.get_running_loop()
        ended: Future[ScanCompleted] = Future()
        ended.set_running_or_notify_cancel()  # so that the slot stays occupied until the thread itself has ended
        ended.add_done_callback(lambda _: self._release_slot(loop))
        try:
            Thread(target=self._run_thread, args=(ended,), name="scan", daemon=True).start()
        except RuntimeError as error:
            ended.set_exception(error)
        completed = await asyncio.wrap_future(ended)
        if self._languages is None:
            return completed
        return replace(completed, languages=await self._languages(completed.files, self.options.roots))

    def _release_slot(self, loop: asyncio.AbstractEventLoop) -> None:
        if not loop.is_closed():  # it is when the server has stopped in the meantime
            loop.call_soon_threadsafe(self._slots.release)

    def _run_thread(self, ended: Future[ScanCompleted]) -> None:
        try:
            ended.set_result(self._walk_folder())
        except BaseException as error:  # raised to the reader of the events
            ended.set_exception(error)

    def _walk_folder(self) -> ScanCompleted:
        folder = self._resolve(self.options.path, self.options.roots)
        with closing(self._walk(folder, self.options)) as entries:
            for entry in entries:
                if self._abandoned.is_set():
                    break
                self._totals.add(entry)
        return self._totals.completed()


class _ScanTotals:
    """The totals of a walk: its thread writes them, the loop reads `progress`."""

    def __init__(self, path: str, max_files: int) -> None:
        self._max_files = max_files
        self._files: list[FoundFile] = []
        self._warnings: list[str] = []
        self._warned = 0
        self._position = (0, 0, path, 0)  # one tuple, so that the loop never reads a partial update

    def add(self, entry: ScanEntry) -> None:
        scanned, count, _, size = self._position
        if isinstance(entry, FoundFile):
            count += 1
            size += entry.size
            if len(self._files) < self._max_files:
                self._files.append(entry)
        elif isinstance(entry, ScanWarning):
            self._warned += 1
            if len(self._warnings) < _MAX_WARNINGS:
                self._warnings.append(f"{entry.message.removesuffix('.')}: {entry.path}")
        self._position = (scanned + 1, count, entry.path, size)

    def progress(self) -> ScanProgress:
        return ScanProgress(*self._position)

    def completed(self) -> ScanCompleted:
        omitted = self._warned - len(self._warnings)
        rest = (f"… and {omitted} more warnings.",) if omitted else ()
        _, count, _, size = self._position
        return ScanCompleted(tuple(self._files), count, size, (*self._warnings, *rest))
