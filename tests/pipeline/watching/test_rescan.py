"""When a watched folder is due for a scan, which folders cannot be watched, and the watcher process."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from support.patience import patience

from pipeline.scanning.walk_rules import WalkRules
from pipeline.watching.mounts import network_disk
from pipeline.watching.rescan import PendingChanges
from pipeline.watching.watched_folder import WatchedFolder
from pipeline.watching.watcher_client import WatcherClient, WatchEvent
from semantik.config.settings import WatchSettings
from semantik.core.models import Operation, Source, Stage
from semantik.services.queued_operation import queued_operation

LIMITS = WatchSettings(debounce_s=2, pause_s=10, poll_s=60)
SOURCE = Source("s", "c", "/srv/papers", datetime(2026, 1, 1, tzinfo=UTC), immediate=True)


def at(seconds: float) -> datetime:
    return SOURCE.created_at + timedelta(seconds=seconds)


def scan(started: float, completed: float | None, status: str = "completed", scan_s: float = 1) -> Operation:
    stages = Stage("scanning_documents", at(started)), Stage("scanning_completed", at(started + scan_s))
    operation = replace(queued_operation("u", "c", "append", "s"), started_at=at(started), stages=stages)
    return operation if completed is None else replace(operation, completed_at=at(completed), status=status)


def test_a_burst_delays_the_scan_up_to_a_limit() -> None:
    changes = PendingChanges()
    for second in range(9):
        changes.add(at(second))
        assert not changes.are_due(LIMITS, at(second + 1))
    assert changes.are_due(LIMITS, at(10)), "at most five times the debounce time"
    assert changes.are_due(LIMITS, at(10.5))


def test_a_scan_covers_only_changes_before_its_start() -> None:
    changes = PendingChanges()
    changes.add(at(1))
    changes.remove_seen_by(scan(1, None))
    assert changes.are_due(LIMITS, at(5)), "a change at the start of the scan is not covered"
    changes.remove_seen_by(scan(2, None))
    assert not changes.are_due(LIMITS, at(5))
    changes.add(at(3))
    changes.remove_seen_by(scan(2, 4))
    assert changes.are_due(LIMITS, at(5))


def test_the_pause_grows_with_the_scan_time_of_the_last_operation() -> None:
    folder = WatchedFolder(replace(SOURCE, interval_s=1), lambda: LIMITS)
    folder.update_scan(scan(0, 100, scan_s=1))
    assert (folder.is_due(at(109)), folder.is_due(at(110))) == (False, True)
    folder.update_scan(scan(0, 100, scan_s=40))
    assert (folder.is_due(at(299)), folder.is_due(at(300))) == (False, True)


def test_the_interval_counts_from_the_last_scan_whoever_requested_it() -> None:
    folder = WatchedFolder(
        replace(SOURCE, immediate=False, interval_s=100, scanned_at=at(50)), lambda: LIMITS
    )
    assert (folder.is_due(at(149)), folder.is_due(at(150))) == (False, True)
    folder.update_scan(scan(60, 80))
    assert (folder.is_due(at(179)), folder.is_due(at(180))) == (False, True)


def test_a_failed_scan_is_logged_once_and_retried_later(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "semantik.folders")
    folder = WatchedFolder(replace(SOURCE, immediate=False, interval_s=1), lambda: LIMITS)
    for _ in range(2):
        folder.update_scan(replace(scan(0, 5, "failed"), error_message="There is no folder /srv/papers."))
        assert (folder.is_due(at(64)), folder.is_due(at(65))) == (False, True)
    logged = [record.getMessage() for record in caplog.records]
    assert logged == ["The watched folder /srv/papers could not be scanned: There is no folder /srv/papers."]
    folder.update_scan(scan(70, 75))
    assert caplog.records[-1].levelno == logging.INFO and "again" in caplog.records[-1].getMessage()
    caplog.clear()


def test_a_folder_that_cannot_be_watched_is_polled_and_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.WARNING, "semantik.folders")
    folder = WatchedFolder(SOURCE, lambda: LIMITS)
    assert folder.needs_watch(at(0))
    for second in (0, 60):
        folder.set_watched(at(second))
        assert not folder.needs_watch(at(second))
        folder.on_event(WatchEvent("s", "lost", "it hangs."), at(second + 1))
    assert len(caplog.records) == 1 and "it hangs. It is scanned every 60 s" in caplog.text
    assert (folder.needs_watch(at(120)), folder.needs_watch(at(121))) == (False, True)
    folder.update_scan(scan(50, 55))
    assert (folder.is_due(at(114)), folder.is_due(at(115))) == (False, True)
    caplog.clear()


def test_a_folder_is_polled_while_its_watch_is_not_ready() -> None:
    folder = WatchedFolder(SOURCE, lambda: LIMITS)
    folder.set_watched(at(1))
    folder.update_scan(scan(0, 2))
    assert (folder.is_due(at(60)), folder.is_due(at(70))) == (False, True)


MOUNTS = """\
27 1 254:0 / / rw,relatime - ext4 /dev/vda rw
40 27 0:40 / /srv/my\\040share rw,relatime shared:1 - nfs4 nas:/share rw
41 40 254:1 / /srv/my\\040share/local rw,relatime - ext4 /dev/vdb rw
42 27 0:41 / /home/ann/cloud rw - fuse.rclone remote: rw
43 27 0:42 / /auto rw - autofs systemd-1 rw
44 27 0:43 / /auto rw - cifs //nas/auto rw
"""


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/", "nfs4"),
        ("/srv", "nfs4"),
        ("/srv/my share/deep", "nfs4"),
        ("/srv/my share/local", None),
        ("/srv/my shares", None),
        ("/home/ann", "fuse.rclone"),
        ("/home", "fuse.rclone"),
        ("/home/bob", None),
        ("/auto/x", "cifs"),
    ],
)
def test_network_disks_are_detected(folder: str, kind: str | None) -> None:
    assert network_disk(Path(folder), MOUNTS) == kind


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for number in range(30):
        (tmp_path / "tree" / str(number)).mkdir(parents=True)
    return tmp_path / "tree"


def _start_watcher(tree: Path, *prefix: str) -> subprocess.Popen[str]:
    rules = json.dumps({"roots": ["/"], "exclude": ["drafts/"], "forbidden": [str(tree / "1")]})
    command = [*prefix, sys.executable, "-P", "-m", "pipeline.watching.watcher_process", rules]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _send(process: subprocess.Popen[str], message: dict[str, str]) -> None:
    assert process.stdin is not None
    process.stdin.write(json.dumps(message) + "\n")
    process.stdin.flush()


def _receive(process: subprocess.Popen[str]) -> dict[str, Any]:
    assert process.stdout is not None
    message: dict[str, Any] = json.loads(process.stdout.readline())
    return message


@pytest.fixture
def watcher(tree: Path) -> Iterator[subprocess.Popen[str]]:
    with _start_watcher(tree) as process:
        yield process
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(patience()) == 0


def test_only_files_that_a_scan_would_see_give_change_events(
    tree: Path, watcher: subprocess.Popen[str]
) -> None:
    _send(watcher, {"watch": "a", "path": str(tree)})
    assert _receive(watcher) == {"id": "a", "kind": "ready"}
    (tree / "1" / "own.txt").write_text("x")
    (tree / "2" / "drafts").mkdir()
    (tree / "2" / "drafts" / "one.txt").write_text("x")
    _send(watcher, {"watch": "b", "path": str(tree / "2" / "drafts")})
    assert _receive(watcher) == {"id": "b", "kind": "ready"}  # a second later; there was no event for a
    _send(watcher, {"leave": "b"})
    (tree / "2" / "drafts" / "two.txt").write_text("x")
    (tree / "2" / "drafts.txt").write_text("x")
    assert _receive(watcher) == {"id": "a", "kind": "changed"}


def test_a_name_that_is_not_utf_8_does_not_end_the_watch(tree: Path, watcher: subprocess.Popen[str]) -> None:
    _send(watcher, {"watch": "a", "path": str(tree)})
    assert _receive(watcher)["kind"] == "ready"
    (tree / "2" / "not-\udcff.txt").write_text("x")
    assert [_receive(watcher)["kind"] for _ in range(2)] == ["changed", "ready"]
    (tree / "2" / "good.txt").write_text("x")
    assert _receive(watcher) == {"id": "a", "kind": "changed"}


def test_a_replaced_folder_is_watched_again_and_a_deleted_one_is_reported(
    tree: Path, watcher: subprocess.Popen[str]
) -> None:
    _send(watcher, {"watch": "a", "path": str(tree)})
    assert _receive(watcher)["kind"] == "ready"
    tree.rename(tree.with_name("old"))
    tree.mkdir()
    while _receive(watcher)["kind"] != "ready":
        pass
    (tree / "good.txt").write_text("x")
    assert _receive(watcher)["kind"] == "changed"
    shutil.rmtree(tree)
    while (last := _receive(watcher))["kind"] == "changed":
        pass
    assert last["kind"] == "gone" and "There is no folder" in last["reason"]


@pytest.mark.gen_test
async def test_new_rules_end_the_watches_with_old_rules(tree: Path) -> None:
    events: asyncio.Queue[WatchEvent] = asyncio.Queue()
    watches = WatcherClient(events.put_nowait)
    try:
        for exclude in (("*.txt",), ()):
            await watches.set_rules(WalkRules(("/",), exclude))
            if not exclude:
                assert await events.get() == WatchEvent("s", "left")
            await watches.watch("s", str(tree))
            assert await events.get() == WatchEvent("s", "ready")
        (tree / "1" / "good.txt").write_text("x")
        assert await events.get() == WatchEvent("s", "changed")
    finally:
        await watches.close()


@pytest.mark.parametrize("limit", ["max_inotify_watches", "max_inotify_instances"])
def test_an_inotify_limit_is_reported_with_the_setting_to_raise(tree: Path, limit: str) -> None:
    set_limit = f'echo 5 > /proc/sys/user/{limit} && exec "$@"'
    if limit.endswith("instances"):
        set_limit = set_limit.replace("echo 5", "echo 0")
    unshare = ["unshare", "--user", "--map-root-user", "sh", "-c"]
    if subprocess.run([*unshare, set_limit, "sh", "true"], capture_output=True).returncode != 0:
        pytest.skip("This machine does not allow limits for the test alone.")
    with _start_watcher(tree, *unshare, set_limit, "sh") as process:
        _send(process, {"watch": "a", "path": str(tree)})
        event = _receive(process)
        assert process.stdin is not None
        process.stdin.close()
    assert event["kind"] == "lost"
    assert "fs.inotify.max_user_" + limit.rpartition("_")[2] in event["reason"]


def test_an_unreadable_folder_is_reported_with_its_path(tree: Path) -> None:
    (tree / "7").chmod(0)
    # Root may read everything unless these capabilities are dropped.
    setpriv = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
    prefix = setpriv if os.getuid() == 0 else []
    with _start_watcher(tree, *prefix) as process:
        _send(process, {"watch": "a", "path": str(tree)})
        event = _receive(process)
        assert process.stdin is not None
        process.stdin.close()
    assert event["kind"] == "lost" and f"no permission to read {tree / '7'}" in event["reason"]
