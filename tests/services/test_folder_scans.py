"""Folder scans: their events, cancellation, limits, and that no walk blocks the loop."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Awaitable, Callable, Generator, Iterator, Sequence
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.scanning.walk_rules import WalkRules
from pipeline.scanning.walker import walk_entries
from semantik.app import loop_monitor
from semantik.config import settings
from semantik.core.document_roots import resolve_source
from semantik.core.errors import Busy, Forbidden, Invalid
from semantik.core.scan_entries import ScanEntry, SkippedEntry
from semantik.services.folder_scans import (
    FolderScan,
    FolderScans,
    ScanCancelled,
    ScanCompleted,
    ScanEvent,
    ScanOptions,
    ScanProgress,
)

pytestmark = pytest.mark.gen_test

LIMITS = settings.ScanSettings(concurrent=2, max_files=100)


def _scans(roots: tuple[str, ...] = ("/",), limits: settings.ScanSettings = LIMITS) -> FolderScans:
    def walk(folder: Path, options: ScanOptions) -> Generator[ScanEntry, None, None]:
        return walk_entries(folder, WalkRules(roots, options.exclude, (), options.include, options.recursive))

    return FolderScans(lambda: limits, lambda path, _: resolve_source(path, roots, ()), walk)


def _resolve(path: str, roots: Sequence[str]) -> Path:
    return Path(path)


class HangingWalk:
    """A walk that hangs after its first entry, as on a dead network disk, until `go` is set."""

    def __init__(self) -> None:
        self.hangs = threading.Event()
        self.go = threading.Event()
        self.ended = threading.Event()
        self.thread = 0

    def walk(self, folder: Path, options: ScanOptions) -> Generator[ScanEntry, None, None]:
        self.thread = threading.get_ident()
        try:
            yield SkippedEntry("/first")
            self.hangs.set()
            self.go.wait()
            for number in range(1_000_000_000):
                yield SkippedEntry(f"/{number}")
        finally:
            self.ended.set()

    def scans(self, **limits: float) -> FolderScans:
        return FolderScans(lambda: replace(LIMITS, **limits), _resolve, self.walk)  # type: ignore[arg-type]


@pytest.fixture
def hanging() -> Iterator[HangingWalk]:
    walk = HangingWalk()
    yield walk
    walk.go.set()


async def _events(scan: FolderScan) -> list[ScanEvent]:
    return [event async for event in scan.events()]


async def _result(scan: FolderScan) -> ScanCompleted:
    last = (await _events(scan))[-1]
    assert isinstance(last, ScanCompleted)
    return last


async def _until(event: threading.Event) -> None:
    assert await asyncio.to_thread(event.wait, 30)


async def test_every_file_is_listed_and_every_entry_counted(tmp_path: Path) -> None:
    for name in ("a.txt", "b/c.PDF", "b/d/e.tar.gz"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / "b/loop").symlink_to(tmp_path)
    events = await _events(_scans().start(ScanOptions(str(tmp_path))))
    assert events[-2] == ScanProgress(6, 3, str(tmp_path / "b/d/e.tar.gz"), 24)
    done = events[-1]
    assert isinstance(done, ScanCompleted)
    assert [(each.path.removeprefix(f"{tmp_path}/"), each.extension) for each in done.files] == [
        ("a.txt", ".txt"),
        ("b/c.PDF", ".pdf"),
        ("b/d/e.tar.gz", ".gz"),
    ]
    assert (done.count, done.total_size, done.warnings, done.truncated) == (3, 24, (), False)
    top_level = await _result(_scans().start(ScanOptions(str(tmp_path), recursive=False)))
    assert [each.path for each in top_level.files] == [str(tmp_path / "a.txt")]
    filtered = ScanOptions(str(tmp_path), include=("*.txt", "b/*"), exclude=("a.*",))
    assert (await _result(_scans().start(filtered))).files == done.files[1:2]


async def test_file_list_is_truncated_and_counts_are_exact(tmp_path: Path) -> None:
    for number in range(101):
        (tmp_path / f"{number:03}.txt").write_text("12345")
    done = await _result(_scans().start(ScanOptions(str(tmp_path))))
    assert (len(done.files), done.count, done.total_size, done.truncated) == (100, 101, 505, True)
    (tmp_path / "000.txt").unlink()
    done = await _result(_scans().start(ScanOptions(str(tmp_path))))
    assert (len(done.files), done.count, done.total_size, done.truncated) == (100, 100, 500, False)


async def test_warnings_are_bounded_and_the_last_counts_the_rest(tmp_path: Path) -> None:
    for number in range(123):
        os.mkfifo(tmp_path / f"{number:03}")
    done = await _result(_scans().start(ScanOptions(str(tmp_path))))
    assert len(done.warnings) == 101
    assert done.warnings[0] == f"It is a FIFO, not a file: {tmp_path}/000"
    assert done.warnings[-1] == "… and 23 more warnings."
    assert done.count == 0


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (ScanOptions("/", include=("*.pdf", "[a")), r"'\[a'.*never closed"),
        (ScanOptions("/", exclude=("../x",)), r"'\.\./x'"),
        (ScanOptions("/", exclude=("x",) * 101), "exclude: 100 globs at most"),
        (ScanOptions("/", include=("x" * 201,)), "include: a glob has 200 characters"),
    ],
)
async def test_invalid_glob_is_rejected_before_the_walk(options: ScanOptions, word: str) -> None:
    with pytest.raises(Invalid, match=word):
        _scans().start(options)


async def test_forbidden_or_invalid_folder_is_rejected(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "roots").mkdir()
    (tmp_path / "roots" / "out").symlink_to(tmp_path)
    scans = _scans((str(tmp_path / "roots"),))
    for path, kind, word in [
        ("/etc", Forbidden, "outside"),
        (str(tmp_path / "roots" / "out"), Forbidden, "outside"),
        (str(tmp_path / "roots" / "missing"), Invalid, "no folder"),
        ("roots", Invalid, "absolute"),
    ]:
        with pytest.raises(kind, match=word):
            await _events(scans.start(ScanOptions(path)))
    with pytest.raises(Invalid, match="not a folder"):
        await _events(_scans().start(ScanOptions(str(tmp_path / "file"))))


async def test_failure_of_the_walk_is_raised_from_events() -> None:
    def walk(folder: Path, options: ScanOptions) -> Generator[ScanEntry, None, None]:
        raise ZeroDivisionError
        yield

    scans = FolderScans(lambda: replace(LIMITS, concurrent=1), _resolve, walk)
    for _ in range(2):  # the slot was released
        with pytest.raises(ZeroDivisionError):
            await _events(scans.start(ScanOptions("/")))


async def test_progress_continues_while_the_disk_hangs_and_stop_cancels(hanging: HangingWalk) -> None:
    scan = hanging.scans().start(ScanOptions("/start"))
    received: list[ScanEvent] = []
    async for event in scan.events():
        received.append(event)
        if len(received) > 3 and event == ScanProgress(1, 0, "/first"):
            scan.stop()
            scan.stop()
    assert received[-1] == ScanCancelled(1)
    assert sum(isinstance(each, ScanCancelled) for each in received) == 1
    assert not hanging.go.is_set()
    assert hanging.thread not in (0, threading.get_ident())
    hanging.go.set()
    await _until(hanging.ended)


async def _leave_by_closing(scan: FolderScan) -> None:
    async with aclosing(scan.events()) as events:
        async for _ in events:
            break


async def _leave_by_cancelling(scan: FolderScan) -> None:
    task = asyncio.create_task(_events(scan))
    await asyncio.sleep(0)  # it has started
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("leave", [_leave_by_closing, _leave_by_cancelling])
async def test_leaving_does_not_wait_for_the_walk_and_the_walk_ends(
    hanging: HangingWalk, leave: Callable[[FolderScan], Awaitable[None]]
) -> None:
    await leave(hanging.scans().start(ScanOptions("/")))
    await _until(hanging.hangs)
    assert not hanging.ended.is_set()
    hanging.go.set()
    await _until(hanging.ended)


async def test_scans_wait_for_a_slot_and_a_hanging_walk_keeps_its_slot(
    hanging: HangingWalk, tmp_path: Path
) -> None:
    scans = hanging.scans(concurrent=1, wait_s=0.1)
    first = scans.start(ScanOptions("/"))
    first_events = asyncio.create_task(_events(first))
    await _until(hanging.hangs)
    with pytest.raises(Busy, match="other scans"):
        await _events(scans.start(ScanOptions("/")))
    first.stop()
    assert (await first_events)[-1] == ScanCancelled(1)
    with pytest.raises(Busy):  # its thread still hangs
        await _events(scans.start(ScanOptions("/")))


async def test_scan_that_waits_for_a_slot_can_be_stopped_and_leaves_the_queue(hanging: HangingWalk) -> None:
    scans = hanging.scans(concurrent=1)
    first = asyncio.create_task(_events(scans.start(ScanOptions("/"))))
    await _until(hanging.hangs)
    waiting = scans.start(ScanOptions("/waiting"))
    async for event in waiting.events():
        assert event in (ScanProgress(0, 0, "/waiting"), ScanCancelled(0))
        waiting.stop()
    first.cancel()
    hanging.go.set()
    third = scans.start(ScanOptions("/"))
    async for event in third.events():  # the slot is not lost
        if isinstance(event, ScanProgress) and event.scanned:
            third.stop()


async def test_twenty_thousand_files_do_not_block_the_loop(tmp_path: Path) -> None:
    for folder in range(4):
        (tmp_path / str(folder)).mkdir()
        for number in range(5000):
            (tmp_path / str(folder) / f"{number}.txt").touch()
    watching = asyncio.create_task(loop_monitor.monitor_loop())  # its warning in the log fails the test
    done = await _result(_scans().start(ScanOptions(str(tmp_path), exclude=("**/*99.txt",))))
    watching.cancel()
    assert (done.count, len(done.files)) == (20_000 - 4 * 50, 100)
