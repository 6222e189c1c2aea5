"""A worker process that dies, hangs or fails: the next task gets a new one."""

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
from support.processes import still_running, suspend

from pipeline.workers.client import WorkerClient, WorkerDied
from pipeline.workers.group import WorkerGroup
from semantik.core.errors import Unavailable

pytestmark = pytest.mark.usefixtures("fork_server")

MEMORY = 1 << 30
TIMEOUT_S = 60.0
_PR_SET_PDEATHSIG = 1


def outlive_the_fork_server() -> int:
    """As a worker that is forked just before its fork server dies."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, 0)
    return os.getpid()


def die_once(marker: Path) -> str:
    """Kill the first worker that runs this."""
    if not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return "done"


@pytest.mark.noisy
def test_a_killed_worker_is_replaced_and_the_task_is_done(tmp_path: Path) -> None:
    async def test() -> None:
        client = WorkerClient(fork_servers().base, memory_bytes=MEMORY, retries=2)
        first = await client.run(os.getpid, timeout_s=TIMEOUT_S)
        assert client.pids() == [first]
        os.kill(first, signal.SIGKILL)
        second = await client.run(os.getpid, timeout_s=TIMEOUT_S)
        assert second != first
        busy = client.run(die_once, tmp_path / "marker", timeout_s=TIMEOUT_S)
        waiting = client.run(os.getpid, timeout_s=TIMEOUT_S)
        done, third = await asyncio.gather(busy, waiting)
        assert done == "done"
        assert third not in (first, second)
        await client.close()
        assert still_running([psutil.Process(third)] if psutil.pid_exists(third) else []) == []

    run(test())


@pytest.mark.noisy
def test_a_task_that_kills_its_workers_or_hangs_affects_no_other() -> None:
    async def test() -> None:
        client = WorkerClient(fork_servers().base, memory_bytes=MEMORY, retries=2)
        with pytest.raises(WorkerDied, match="status 3"):
            await client.run(os._exit, 3, timeout_s=TIMEOUT_S)
        with pytest.raises(WorkerDied, match="took too long"):
            await client.run(signal.pause, timeout_s=0.3)
        with pytest.raises(ValueError, match="invalid literal"):
            await client.run(int, "x", timeout_s=TIMEOUT_S)
        assert await client.run(os.path.join, "a", "b", timeout_s=TIMEOUT_S) == "a/b"
        await client.close()

    run(test())


def test_closing_ends_the_running_task() -> None:
    async def test() -> None:
        client = WorkerClient(fork_servers().base, memory_bytes=MEMORY, retries=2)
        await client.run(len, "", timeout_s=TIMEOUT_S)
        hanging = asyncio.create_task(client.run(signal.pause, timeout_s=TIMEOUT_S))
        await asyncio.sleep(0)
        await client.close()
        for task in (hanging, client.run(len, "", timeout_s=TIMEOUT_S)):
            with pytest.raises(Unavailable, match="shutting down"):
                await task

    run(test())


def test_an_error_of_an_unknown_class_comes_back_with_its_message_and_traceback() -> None:
    async def test() -> None:
        client = WorkerClient(fork_servers().base, memory_bytes=MEMORY)
        with pytest.raises(RuntimeError, match="JSONDecodeError: Expecting value") as caught:
            await client.run(json.loads, "x", timeout_s=TIMEOUT_S)
        assert "in raw_decode" in caught.value.__notes__[0]
        await client.close()

    run(test())


@pytest.mark.noisy
def test_closing_does_not_wait_for_a_worker_that_outlives_its_fork_server() -> None:
    async def test() -> None:
        client = WorkerClient(fork_servers().base, memory_bytes=MEMORY)
        orphan = psutil.Process(await client.run(outlive_the_fork_server, timeout_s=TIMEOUT_S))
        server = psutil.Process(fork_servers().base.pid())
        server.kill()
        assert still_running([server]) == []
        assert await client.run(os.getpid, timeout_s=TIMEOUT_S) == orphan.pid
        async with deadline():
            await client.close()
        assert still_running([orphan]) == []

    run(test())


def test_closing_launches_no_worker_that_waits_for_the_fork_server() -> None:
    async def test() -> None:
        first, group = (
            WorkerGroup(fork_servers().base, size, niceness=10, memory_bytes=MEMORY) for size in (1, 8)
        )
        await first.run(os.getpid, timeout_s=TIMEOUT_S)
        before = fork_servers().base.pid()
        assert before is not None
        suspend(before)
        tasks = [asyncio.create_task(group.run(len, "", timeout_s=TIMEOUT_S)) for _ in range(3)]
        await asyncio.sleep(0.2)
        await asyncio.gather(group.close(), first.close())
        for task in tasks:
            with pytest.raises(Unavailable, match="shutting down"):
                await task
        assert fork_servers().base.pid() == before

    run(test())
