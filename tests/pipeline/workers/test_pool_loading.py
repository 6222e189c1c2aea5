"""Fork servers that load the real model: they die meanwhile, or are closed, and load only what is needed."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from pathlib import Path

import psutil
import pytest
from conftest import run
from support.patience import patience
from support.pools import MODEL, fork_servers, ready_pool
from support.processes import command_line

from pipeline.workers.fork_server import ForkServer
from pipeline.workers.group import WorkerGroup
from pipeline.workers.pool import Pool
from semantik.config.settings import Settings

pytestmark = pytest.mark.usefixtures("fork_server")


def _server(name: str) -> ForkServer:
    return fork_servers().base if name == "base" else fork_servers().full


def _pid(server: ForkServer) -> int:
    pid = server.pid()
    assert pid is not None
    return pid


@pytest.mark.noisy
@pytest.mark.parametrize("name", ["base", "full"])
def test_a_fork_server_that_dies_while_it_loads_loses_no_task(name: str) -> None:
    server = _server(name)

    async def test() -> None:
        server.stop()
        group = WorkerGroup(server, 2, niceness=10, memory_bytes=1 << 30)
        tasks = [asyncio.create_task(group.run(len, "four", timeout_s=60)) for _ in range(4)]
        for _ in range(2):
            await asyncio.sleep(0.4)
            while server.pid() is None:  # noqa: ASYNC110, there is no event for it
                await asyncio.sleep(0.1)
            os.kill(_pid(server), signal.SIGKILL)
        assert await asyncio.gather(*tasks) == [4] * 4
        await group.close()

    run(test())


@pytest.mark.parametrize("name", ["base", "full"])
def test_closing_does_not_wait_for_a_fork_server_that_loads(name: str, tmp_path: Path) -> None:
    before = psutil.Process().children(recursive=True)
    settings = Settings(data=tmp_path)

    async def test() -> None:
        async with Pool(lambda: settings) as pool:
            if name == "full":
                await pool.wait_ready()
            loading = asyncio.create_task(pool.describe(MODEL) if name == "full" else pool.wait_ready())
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.2):
                    await asyncio.shield(loading)
            assert pool.is_ready == (name == "full")
            nonlocal closing_s
            closing_s = time.monotonic()
        closing_s = time.monotonic() - closing_s
        loading.cancel()
        await asyncio.gather(loading, return_exceptions=True)

    closing_s = 0.0
    run(test())
    assert closing_s < patience(3)
    started = [each for each in psutil.Process().children(recursive=True) if each not in before]
    assert not [each for each in started if "forkserver" in " ".join(command_line(each))]


def test_an_idle_pool_has_loaded_only_the_traced_model() -> None:
    """It has imported none of the libraries that load a model."""

    async def test() -> None:
        async with ready_pool() as pool:
            await pool.describe(MODEL)  # traces the model if that was not done yet
            assert (await pool.embed_queries(MODEL, ["x"])).shape == (1, 384)
        fork_servers().base.stop()
        fork_servers().full.stop()
        async with ready_pool() as pool:
            assert (await pool.embed_queries(MODEL, ["x"])).shape == (1, 384)
            assert fork_servers().full.pid() is None
            (query_worker,) = pool._queries.pids()
            maps = Path(f"/proc/{query_worker}/maps").read_text()
            assert "libtorch" in maps and "tokenizers" in maps
            assert not [
                word for word in ("/sklearn/", "/scipy/", "/safetensors/", "/pypdfium2") if word in maps
            ]
            loaded = set(await pool.run(_libraries_loaded, timeout_s=patience()))
            assert "torch" in loaded and "tokenizers" in loaded
            assert not loaded & {"transformers", "sentence_transformers", "sklearn", "scipy", "pypdfium2"}
            for pid in (query_worker, _pid(fork_servers().base)):
                assert psutil.Process(pid).num_threads() == 1, "a process is forked with a single thread"

    run(test())


def _libraries_loaded() -> list[str]:
    return [name.partition(".")[0] for name in sys.modules]
