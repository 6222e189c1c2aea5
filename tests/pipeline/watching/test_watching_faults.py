"""Watched folders when something fails: a missing folder, a crashed server, a store or a watcher process that dies."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from support.api import documents, new_user
from support.patience import patience
from support.processes import command_line
from support.server import Serving, complaints
from support.watched_source import (
    OPEN,
    QUICK,
    immediate_source,
    wait_for_two_scans_elsewhere,
    wait_until,
    watched_source,
)

from semantik.client.websocket import Refused

pytestmark = [pytest.mark.gen_test, pytest.mark.server]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "harbour"
    root.mkdir()
    (root / "tides.txt").write_text("The tide rises twice a day, because of the moon.")
    return root


@pytest.mark.noisy
async def test_a_missing_folder_is_logged_once_and_watched_again_when_it_returns(
    start: Callable[..., Serving], folder: Path, tmp_path: Path
) -> None:
    serving = start(*OPEN, *QUICK)
    client = await new_user(serving)
    watched = await immediate_source(client, folder)
    before = len(await watched.scans())
    away = folder.rename(folder.with_name("away"))
    scans = await watched.wait_for_scans(before + 1)
    assert scans[-1]["status"] == "failed"
    await wait_for_two_scans_elsewhere(client, tmp_path)
    assert len(await watched.scans()) == before + 1
    logged = [line for line in complaints(serving) if str(folder) in line]
    assert len(logged) == 1 and "There is no folder" in logged[0]
    assert set(await documents(client, watched.id)) == {"tides.txt"}
    (away / "gulls.txt").write_text("Gulls steal bread.")
    away.rename(folder)
    await watched.wait_for_documents("tides.txt", "gulls.txt")
    (folder / "ropes.txt").write_text("A bowline does not slip.")
    await watched.wait_for_documents("tides.txt", "gulls.txt", "ropes.txt")


@pytest.mark.noisy
async def test_the_claim_of_a_server_that_dies_before_queuing_its_scan_expires(
    start: Callable[..., Serving], folder: Path
) -> None:
    flags = (*OPEN, *QUICK, "--operations-lease-s", "2")
    serving = start(*flags, env={"SEMANTIK_FAILPOINT": "watched.claimed"})
    watched = await watched_source(await new_user(serving), folder, immediate=True)
    await asyncio.to_thread(serving.process.wait, patience())
    (folder / "gulls.txt").write_text("Gulls steal bread.")
    watched.client.url = start(*flags).url
    await watched.wait_for_documents("tides.txt", "gulls.txt")


@pytest.mark.embedded
@pytest.mark.noisy
async def test_no_change_is_lost_when_the_store_or_the_watcher_process_dies(
    start: Callable[..., Serving], folder: Path
) -> None:
    serving = start(*OPEN, *QUICK)
    watched = await immediate_source(await new_user(serving), folder)
    _child(serving, "mongo.sock").kill()
    (folder / "gulls.txt").write_text("Gulls steal bread.")

    async def store_answers() -> bool:
        try:
            await watched.scans()
        except Refused:
            return False
        return True

    await wait_until(store_answers)
    await watched.wait_for_documents("tides.txt", "gulls.txt")
    _child(serving, "pipeline.watching.watcher_process").kill()
    (folder / "ropes.txt").write_text("A bowline does not slip.")
    await watched.wait_for_documents("tides.txt", "gulls.txt", "ropes.txt")
    assert len([line for line in complaints(serving) if "cannot be noticed" in line]) == 1


@pytest.mark.parametrize("hung", [False, True], ids=["at work", "hung"])
async def test_a_server_with_watched_folders_stops_normally(
    start: Callable[..., Serving], folder: Path, hung: bool
) -> None:
    serving = start(*OPEN, *QUICK)
    await immediate_source(await new_user(serving), folder)
    if hung:
        _child(serving, "pipeline.watching.watcher_process").suspend()
    assert serving.stop() == 0
    assert "ending at once" not in serving.log.read_text()


async def test_a_killed_server_leaves_no_watcher_process(start: Callable[..., Serving], folder: Path) -> None:
    serving = start(*OPEN, *QUICK)
    await immediate_source(await new_user(serving), folder)
    child = _child(serving, "pipeline.watching.watcher_process")
    serving.kill()
    psutil.wait_procs([child], patience())
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE


def _child(serving: Serving, word: str) -> psutil.Process:
    [child] = [each for each in serving.tree[1:] if word in " ".join(command_line(each))]
    return child
