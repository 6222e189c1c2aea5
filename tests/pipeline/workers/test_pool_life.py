"""The life of the pool: workers and fork servers that die, and leaving whatever is under way."""

from __future__ import annotations

import asyncio
import multiprocessing.forkserver
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from conftest import ROOT, run
from support.processes import still_running
from test_pool import CUTTING, MODEL, forkserver_pid, ready_pool, tasks_of

from pipeline.compute.messages import ReadDocument
from pipeline.workers.client import WorkerDied
from pipeline.workers.group import WorkerGroup
from pipeline.workers.pool import Pool
from semantik.config.settings import Settings
from semantik.core.errors import Unavailable

pytestmark = pytest.mark.usefixtures("fork_server")


@pytest.mark.noisy
def test_a_worker_killed_in_its_sleep_is_replaced() -> None:
    async def test() -> None:
        async with ready_pool() as pool:
            for each in pool.workers():
                os.kill(each.pid, signal.SIGKILL)
            texts = await asyncio.gather(*(pool.embed(MODEL, ["x"]) for _ in range(4)))
            assert [each.shape for each in texts] == [(1, 384)] * 4
            assert (await pool.embed_questions(MODEL, ["x"])).shape == (1, 384)

    run(test())


def test_a_worker_that_stands_still_in_the_midst_of_a_task_holds_up_no_other() -> None:
    """Nor does one that is killed there: there is nothing that it could keep from the others."""
    much = b"x" * (32 << 20)

    async def test() -> None:
        crew = WorkerGroup(2, nice=True, memory_bytes=1 << 30)
        await asyncio.gather(*(crew.run(os.getpid, timeout_s=60) for _ in range(2)))
        still = crew.pids()[0]
        os.kill(still, signal.SIGSTOP)
        tasks = [asyncio.create_task(crew.run(len, much, timeout_s=60)) for _ in range(6)]
        async with asyncio.timeout(20):
            done: list[asyncio.Task[int]] = []
            while len(done) < 5:
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                done += [task for task in tasks if task.done()]
                tasks = [task for task in tasks if not task.done()]
        assert [task.result() for task in done] == [len(much)] * 5
        os.kill(still, signal.SIGKILL)
        with pytest.raises(WorkerDied, match="SIGKILL"):
            await tasks[0]
        async with asyncio.timeout(20):
            assert (
                await asyncio.gather(*(crew.run(len, much, timeout_s=60) for _ in range(4)))
                == [len(much)] * 4
            )
        assert still not in crew.pids()
        await crew.close()

    run(test())


@pytest.mark.noisy
def test_a_dead_fork_server_is_started_again_and_no_file_pays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEMANTIK_FAILPOINT", "extract:hang:slow")
    slow, good = tasks_of(tmp_path, "slow.txt", "good.txt")

    async def test() -> None:
        async with ready_pool() as pool:
            reading = asyncio.create_task(pool.read([slow], CUTTING))
            assert isinstance((await pool.read([good], CUTTING))[0], ReadDocument)
            monkeypatch.delenv("SEMANTIK_FAILPOINT")
            workers = [psutil.Process(each.pid) for each in pool.workers()]
            os.kill(forkserver_pid(), signal.SIGKILL)
            question = await pool.embed_questions(MODEL, ["anybody there?"])
            assert question.shape == (1, 384)
            reading.cancel()
            assert isinstance((await pool.read([good], CUTTING))[0], ReadDocument)
            assert still_running(workers, 5) == []

    run(test())


@pytest.mark.noisy
def test_a_fork_server_that_dies_while_it_loads_costs_no_task() -> None:
    multiprocessing.forkserver._forkserver._stop()  # type: ignore[attr-defined]

    async def test() -> None:
        crew = WorkerGroup(2, nice=True, memory_bytes=1 << 30)
        tasks = [asyncio.create_task(crew.run(len, "four", timeout_s=60)) for _ in range(4)]
        for _ in range(2):
            await asyncio.sleep(0.4)
            os.kill(forkserver_pid(), signal.SIGKILL)
        assert await asyncio.gather(*tasks) == [4] * 4
        await crew.close()

    run(test())


def test_leaving_ends_the_workers_whatever_they_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEMANTIK_FAILPOINT", "extract:hang:evil")
    files = tasks_of(tmp_path, "evil.txt", "good.txt")

    async def test() -> None:
        async with ready_pool(workers=2) as pool:
            reading = asyncio.create_task(pool.read(files[:1], CUTTING))
            await pool.read(files[1:], CUTTING)
            workers = [psutil.Process(each.pid) for each in pool.workers()]
        assert still_running(workers, 5) == []
        with pytest.raises(Unavailable, match="shutting down"):
            await reading
        with pytest.raises(Unavailable, match="shutting down"):
            await pool.embed(MODEL, ["x"])

    run(test())


def test_leaving_does_not_wait_for_what_is_still_loading() -> None:
    multiprocessing.forkserver._forkserver._stop()  # type: ignore[attr-defined]

    async def test() -> None:
        async with Pool(Settings) as pool:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.2):
                    await pool.wait_ready()
            assert not pool.is_ready

    run(test(), timeout_s=5)
    ended = os.waitid(os.P_PID, forkserver_pid(), os.WEXITED | os.WNOWAIT)
    assert ended is not None
    assert ended.si_status == signal.SIGKILL


_PARENT = """
import asyncio, sys
from pipeline.batch import Cutting, FileTask, ModelSpec
from pipeline.pool import Pool
from semantik.settings import Settings

async def main():
    async with Pool(Settings) as pool:
        await pool.wait_ready()
        reading = asyncio.create_task(pool.read([FileTask("id", sys.argv[1], 1)], Cutting("all-MiniLM-L6-v2", 200, 20)))
        await pool.read([FileTask("id", sys.argv[2], 1)], Cutting("all-MiniLM-L6-v2", 200, 20))
        print("busy", flush=True)
        await reading

if __name__ == "__main__":
    asyncio.run(main())
"""


def test_no_process_outlives_a_killed_server(tmp_path: Path) -> None:
    evil, good = tasks_of(tmp_path, "evil.txt", "good.txt")
    (tmp_path / "parent.py").write_text(_PARENT)
    parent = subprocess.Popen(
        [sys.executable, str(tmp_path / "parent.py"), evil.path, good.path],
        env={**os.environ, "SEMANTIK_FAILPOINT": "extract:hang:evil", "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout is not None
    assert parent.stdout.readline() == "busy\n"
    children = psutil.Process(parent.pid).children(recursive=True)
    assert len(children) >= 4
    parent.kill()
    parent.wait(10)
    parent.stdout.close()
    assert still_running(children, 10) == []
