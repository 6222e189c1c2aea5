"""The worker for questions: it dies, hangs and fails, and the next task finds another one."""

from __future__ import annotations

import asyncio
import ctypes
import json
import os
import signal
from pathlib import Path

import psutil
import pytest
from conftest import run
from support.patience import deadline
from support.pools import fork_servers
from support.processes import still_running

from pipeline.workers.client import WorkerClient, WorkerDied
from pipeline.workers.group import WorkerGroup
from semantik.core.errors import Unavailable

pytestmark = pytest.mark.usefixtures("fork_server")

MEMORY = 1 << 30
SOON_S = 60.0
_PR_SET_PDEATHSIG = 1


def outlive_the_fork_server() -> int:
    """As one does that is forked just before its fork server dies."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, 0)
    return os.getpid()


def die_once(mark: Path) -> str:
    """Takes the first worker that does it along."""
    if not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return "done"


@pytest.mark.noisy
def test_a_killed_worker_is_replaced_and_the_task_is_done(tmp_path: Path) -> None:
    async def test() -> None:
        attendant = WorkerClient(fork_servers().base, nice=False, memory_bytes=MEMORY, spare=2)
        first = await attendant.run(os.getpid, timeout_s=SOON_S)
        assert attendant.pids() == [first]
        os.kill(first, signal.SIGKILL)
        second = await attendant.run(os.getpid, timeout_s=SOON_S)
        assert second != first
        busy = attendant.run(die_once, tmp_path / "mark", timeout_s=SOON_S)
        waiting = attendant.run(os.getpid, timeout_s=SOON_S)
        done, third = await asyncio.gather(busy, waiting)
        assert done == "done"
        assert third not in (first, second)
        await attendant.close()
        assert still_running([psutil.Process(third)] if psutil.pid_exists(third) else []) == []

    run(test())


@pytest.mark.noisy
def test_a_task_that_ends_its_workers_or_hangs_harms_no_other() -> None:
    async def test() -> None:
        attendant = WorkerClient(fork_servers().base, nice=False, memory_bytes=MEMORY, spare=2)
        with pytest.raises(WorkerDied, match="status 3"):
            await attendant.run(os._exit, 3, timeout_s=SOON_S)
        with pytest.raises(WorkerDied, match="took too long"):
            await attendant.run(signal.pause, timeout_s=0.3)
        with pytest.raises(ValueError, match="invalid literal"):
            await attendant.run(int, "x", timeout_s=SOON_S)
        assert await attendant.run(os.path.join, "a", "b", timeout_s=SOON_S) == "a/b"
        await attendant.close()

    run(test())


def test_leaving_ends_the_task_under_way() -> None:
    async def test() -> None:
        attendant = WorkerClient(fork_servers().base, nice=False, memory_bytes=MEMORY, spare=2)
        await attendant.run(len, "", timeout_s=SOON_S)
        hanging = asyncio.create_task(attendant.run(signal.pause, timeout_s=SOON_S))
        await asyncio.sleep(0)
        await attendant.close()
        for task in (hanging, attendant.run(len, "", timeout_s=SOON_S)):
            with pytest.raises(Unavailable, match="shutting down"):
                await task

    run(test())


def test_an_error_that_the_server_does_not_know_comes_back_with_its_words_and_its_trace() -> None:
    async def test() -> None:
        attendant = WorkerClient(fork_servers().base, nice=False, memory_bytes=MEMORY)
        with pytest.raises(RuntimeError, match="JSONDecodeError: Expecting value") as caught:
            await attendant.run(json.loads, "x", timeout_s=SOON_S)
        assert "in raw_decode" in caught.value.__notes__[0]
        await attendant.close()

    run(test())


@pytest.mark.noisy
def test_leaving_does_not_wait_for_a_worker_that_outlives_its_fork_server() -> None:
    async def test() -> None:
        attendant = WorkerClient(fork_servers().base, nice=False, memory_bytes=MEMORY)
        orphan = psutil.Process(await attendant.run(outlive_the_fork_server, timeout_s=SOON_S))
        server = psutil.Process(fork_servers().base.pid())
        server.kill()
        assert still_running([server]) == []
        assert await attendant.run(os.getpid, timeout_s=SOON_S) == orphan.pid
        async with deadline():
            await attendant.close()
        assert still_running([orphan]) == []

    run(test())


def test_leaving_launches_none_of_those_that_wait_for_the_fork_server() -> None:
    async def test() -> None:
        first, crew = (
            WorkerGroup(fork_servers().base, size, nice=True, memory_bytes=MEMORY) for size in (1, 8)
        )
        await first.run(os.getpid, timeout_s=SOON_S)
        before = fork_servers().base.pid()
        assert before is not None
        os.kill(before, signal.SIGSTOP)
        tasks = [asyncio.create_task(crew.run(len, "", timeout_s=SOON_S)) for _ in range(3)]
        await asyncio.sleep(0.2)
        await asyncio.gather(crew.close(), first.close())
        for task in tasks:
            with pytest.raises(Unavailable, match="shutting down"):
                await task
        assert fork_servers().base.pid() == before

    run(test())
