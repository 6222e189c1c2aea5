"""The life cycle of the pool: workers and fork servers that die, idle workers, closing during tasks.

The workers have the light model. `test_pool_loading.py` has the tests that depend on how the real one is loaded.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from conftest import run
from support.patience import deadline, patience
from support.pools import MODEL, OPTIONS, fork_servers, ready_pool, tasks_of
from support.processes import still_running, suspend
from support.server import ROOT

from pipeline.compute.messages import ReadDocument, ReadFailure
from pipeline.workers.client import WorkerDied
from pipeline.workers.fork_server import ForkServer
from pipeline.workers.group import WorkerGroup
from semantik.core.errors import Unavailable

pytestmark = pytest.mark.usefixtures("light_fork_server")


@pytest.mark.noisy
def test_an_idle_worker_that_is_killed_is_replaced() -> None:
    async def test() -> None:
        async with ready_pool() as pool:
            await pool.embed(MODEL, ["x"])
            for each in pool.workers():
                os.kill(each.pid, signal.SIGKILL)
            texts = await asyncio.gather(*(pool.embed(MODEL, ["x"]) for _ in range(4)))
            assert [each.shape for each in texts] == [(1, 384)] * 4
            assert (await pool.embed_queries(MODEL, ["x"])).shape == (1, 384)

    run(test())


def test_a_worker_that_is_stopped_or_killed_during_a_task_blocks_no_other() -> None:
    """The workers share nothing that one of them could leave locked."""
    data = b"x" * (32 << 20)

    async def test() -> None:
        group = WorkerGroup(fork_servers().base, 2, niceness=10, memory_bytes=1 << 30)
        await asyncio.gather(*(group.run(os.getpid, timeout_s=60) for _ in range(2)))
        stopped = group.pids()[0]
        suspend(stopped)
        tasks = [asyncio.create_task(group.run(len, data, timeout_s=60)) for _ in range(6)]
        async with deadline():
            done: list[asyncio.Task[int]] = []
            while len(done) < 5:
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                done += [task for task in tasks if task.done()]
                tasks = [task for task in tasks if not task.done()]
        assert [task.result() for task in done] == [len(data)] * 5
        os.kill(stopped, signal.SIGKILL)
        with pytest.raises(WorkerDied, match="SIGKILL"):
            await tasks[0]
        async with deadline():
            assert (
                await asyncio.gather(*(group.run(len, data, timeout_s=60) for _ in range(4)))
                == [len(data)] * 4
            )
        assert stopped not in group.pids()
        await group.close()

    run(test())


def _server(name: str) -> ForkServer:
    return fork_servers().base if name == "base" else fork_servers().full


@pytest.mark.noisy
@pytest.mark.parametrize("name", ["base", "full"])
def test_a_dead_fork_server_is_restarted_and_no_file_fails(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEMANTIK_FAILPOINT", "extract:hang:slow")
    slow, good = tasks_of(tmp_path, "slow.txt", "good.txt")

    async def test() -> None:
        async with ready_pool() as pool:
            reading = asyncio.create_task(pool.read([slow], OPTIONS))
            assert isinstance((await pool.read([good], OPTIONS))[0], ReadDocument)
            monkeypatch.delenv("SEMANTIK_FAILPOINT")
            query_worker = pool._queries.pids()
            workers = [psutil.Process(pid) for pid in pool._batch.readers.pids()]
            if name == "base":
                workers += map(psutil.Process, [*query_worker, _pid(fork_servers().full)])
            os.kill(_pid(_server(name)), signal.SIGKILL)
            vectors = await pool.embed_queries(MODEL, ["anybody there?"])
            assert vectors.shape == (1, 384)
            if name == "full":
                assert pool._queries.pids() == query_worker
            reading.cancel()
            assert isinstance((await pool.read([good], OPTIONS))[0], ReadDocument)
            assert still_running(workers) == []

    run(test())


def _pid(server: ForkServer) -> int:
    pid = server.pid()
    assert pid is not None
    return pid


def test_closing_ends_workers_with_running_tasks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEMANTIK_FAILPOINT", "extract:hang:evil")
    files = tasks_of(tmp_path, "evil.txt", "good.txt")

    async def test() -> None:
        async with ready_pool(workers=2) as pool:
            reading = asyncio.create_task(pool.read(files[:1], OPTIONS))
            await pool.read(files[1:], OPTIONS)
            workers = [psutil.Process(each.pid) for each in pool.workers()]
        assert still_running(workers) == []
        with pytest.raises(Unavailable, match="shutting down"):
            await reading
        with pytest.raises(Unavailable, match="shutting down"):
            await pool.embed(MODEL, ["x"])

    run(test())


def test_idle_workers_end_and_restart_on_demand() -> None:
    async def test() -> None:
        async with ready_pool(idle_s=0.5) as pool:
            for _ in range(2):
                assert (await pool.embed(MODEL, ["x"])).shape == (1, 384)
                assert await pool.run(len, "four", timeout_s=patience()) == 4
                idle_processes = [
                    psutil.Process(pid)
                    for pid in (
                        *pool._batch.readers.pids(),
                        *pool._indexers.pids(),
                        fork_servers().full.pid(),
                    )
                    if pid is not None and psutil.pid_exists(pid)  # a busy machine may be late
                ]
                assert await asyncio.to_thread(still_running, idle_processes) == []
                assert [each.role for each in await asyncio.to_thread(pool.workers)] == ["question"]
                assert (await pool.embed_queries(MODEL, ["y"])).shape == (1, 384)

    run(test())


def test_a_task_that_arrives_while_the_workers_end_is_done() -> None:
    async def test() -> None:
        async with ready_pool(idle_s=0.2) as pool:
            for number in range(12):
                assert await pool.run(len, "four", timeout_s=60) == 4
                if number % 4 == 0:
                    assert (await pool.embed(MODEL, ["x"])).shape == (1, 384)
                await asyncio.sleep(0.17 + 0.03 * number)

    run(test())


def test_workers_do_not_end_during_a_task(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEMANTIK_FAILPOINT", "extract:hang:slow")
    (slow,) = tasks_of(tmp_path, "slow.txt")

    async def test() -> None:
        async with ready_pool(idle_s=0.2, file_timeout_s=3) as pool:
            await pool.describe(MODEL)
            (outcome,) = await pool.read([slow], OPTIONS)
            assert isinstance(outcome, ReadFailure) and outcome.category == "timeout"

    run(test())


_PARENT = """
import asyncio, sys
from support import light_model
from pipeline.compute.messages import ChunkingOptions, FileTask
from pipeline.workers.pool import Pool
from semantik.config.settings import Settings

OPTIONS = ChunkingOptions("all-MiniLM-L6-v2", 200, 20)

async def main():
    async with Pool(Settings, light_model.FUNCTIONS) as pool:
        await pool.wait_ready()
        reading = asyncio.create_task(pool.read([FileTask("id", sys.argv[1], 1, roots=("/",))], OPTIONS))
        await pool.read([FileTask("id", sys.argv[2], 1, roots=("/",))], OPTIONS)
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
        env={
            **os.environ,
            "SEMANTIK_FAILPOINT": "extract:hang:evil",
            "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}",
        },
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout is not None
    assert parent.stdout.readline() == "busy\n"
    children = psutil.Process(parent.pid).children(recursive=True)
    assert len(children) >= 4
    parent.kill()
    parent.wait(patience())
    parent.stdout.close()
    assert still_running(children) == []
