"""Time from start to serving and to the first answer, compared with an earlier build; worker replacement; memory."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from statistics import median

from bench.chunks import MODEL
from bench.inserted_data import inserted
from bench.previous_build import PREVIOUS_COMMIT, previous_build
from bench.queries import SearchConnection, random_queries
from bench.results import Result
from bench.server_process import Server, run_server
from bench.sizes import sized
from bench.start_comparison import compare_starts, pss_bytes
from pipeline.compute.messages import ModelSpec
from pipeline.workers.pool import Pool
from semantik.config.settings import EmbeddingSettings, Settings
from semantik.core.errors import Unavailable

_CHUNKS = sized(100_000, 20_000)
_STARTS = 3
_KILLS = sized(5, 2)
_REST_S = 5.0
_TASKS_STARTED_S = 0.5  # until every worker has a task
_TASK_S = 60.0
_MB = 1 << 20
_TARGETS = (0.45, 0.35, 0.5, 1.05, 0.97, 1.03)


def measure() -> Iterator[Result]:
    pairs = compare_starts(previous_build(PREVIOUS_COMMIT))
    for pair, target in zip(pairs, _TARGETS, strict=True):
        yield pair.result(PREVIOUS_COMMIT, target)
    data_set = inserted(_CHUNKS)
    yield from asyncio.run(_measure(data_set.data, data_set.collection_id))


async def _measure(data: Path, collection: str) -> list[Result]:
    queries = random_queries(int(time.time()))
    ready_s, answered_s = [], []
    for _ in range(_STARTS):
        started = time.perf_counter()
        async with (
            run_server(data) as server,
            SearchConnection(server.client.url, server.client.token, collection) as connection,
        ):
            ready_s.append(server.ready_s)
            await connection.search_seconds(next(queries))
            answered_s.append(time.perf_counter() - started)
    async with (
        run_server(data) as server,
        SearchConnection(server.client.url, server.client.token, collection) as connection,
    ):
        await connection.search_seconds(next(queries))
        query_worker_s = [await _kill_query_worker(server, connection, next(queries)) for _ in range(_KILLS)]
        await connection.search_seconds(next(queries))
        await asyncio.sleep(_REST_S)
        own_bytes, tree_bytes = pss_bytes(server.pid)
    settings = replace(Settings(), data=data)
    async with Pool(lambda: settings) as pool:
        await pool.wait_ready()
        worker_bytes = await _idle_worker_bytes(pool)
        batch_s = [await _kill_batch_workers(pool) for _ in range(_KILLS)]
    chunks_text = f"{_CHUNKS:,} chunks"
    return [
        Result(
            "start to serving", median(ready_s), "s", maximum=2, note=f"median of {_STARTS}; {chunks_text}"
        ),
        Result("start to the first answer", median(answered_s), "s", maximum=8, note="the same"),
        Result(
            "query worker killed, next new answer",
            median(query_worker_s),
            "s",
            maximum=0.3,
            note=f"of {_KILLS}",
        ),
        Result(
            "all batch workers killed, next task done", median(batch_s), "s", maximum=0.3, note=f"of {_KILLS}"
        ),
        Result(
            "memory of the server process, idle",
            own_bytes / _MB,
            "MB",
            maximum=150,
            note=f"PSS; {chunks_text} searched",
        ),
        Result("memory with all its children", tree_bytes / _MB, "MB", note="PSS: shared memory counts once"),
        Result("a worker's own memory, idle", worker_bytes / _MB, "MB (USS)", maximum=30),
    ]


async def _kill_query_worker(server: Server, connection: SearchConnection, query: str) -> float:
    usage = await server.client.call("GET", "status")
    (pid,) = [each["pid"] for each in usage["workers"] if each["role"] == "question"]
    started = time.perf_counter()
    os.kill(pid, signal.SIGKILL)
    await connection.search_seconds(query)
    return time.perf_counter() - started


async def _idle_worker_bytes(pool: Pool) -> int:
    """The own memory (USS, bytes) of the largest worker that has processed no file yet."""
    await _wait_for_workers(pool)
    return max(each.uss_bytes for each in await asyncio.to_thread(pool.workers) if each.role == "batch")


async def _kill_batch_workers(pool: Pool) -> float:
    """Kill every worker during its task; returns the seconds until a waiting task is done."""
    await _wait_for_workers(pool)
    pids = [each.pid for each in await asyncio.to_thread(pool.workers) if each.role == "batch"]
    blocking_tasks = [asyncio.create_task(pool.run(signal.pause, timeout_s=_TASK_S)) for _ in pids]
    waiting = asyncio.create_task(pool.run(os.getpid, timeout_s=_TASK_S))
    await asyncio.sleep(_TASKS_STARTED_S)
    started = time.perf_counter()
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    await waiting
    seconds = time.perf_counter() - started
    for task in blocking_tasks:
        with suppress(Unavailable):
            await task
    return seconds


async def _wait_for_workers(pool: Pool) -> None:
    """Start the workers with a task that needs the model, then run one task on each."""
    await pool.describe(ModelSpec(MODEL, EmbeddingSettings().precision))
    await asyncio.gather(*(pool.run(os.getpid, timeout_s=_TASK_S) for _ in range(pool.batch_workers)))
