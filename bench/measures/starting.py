"""From the start to serving and to the first answer, beside an earlier build; a killed worker's replacement; memory."""

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

from bench import indexed
from bench.figures import Figure
from bench.passages import MODEL
from bench.questions import Asker, questions
from bench.serving import Server, serving
from bench.starts import beside_former, memory
from pipeline.compute.messages import ModelSpec
from pipeline.workers.pool import Pool
from semantik.config.settings import EmbeddingSettings, Settings
from semantik.core.errors import Unavailable

_PASSAGES = 100_000
_STARTS = 3
_KILLS = 5
_REST_S = 5.0
_BEGUN_S = 0.5  # until every worker has a task
_TASK_S = 60.0
_MB = 1 << 20


def measure() -> Iterator[Figure]:
    yield from beside_former()
    with indexed.copy(_PASSAGES) as made:
        yield from asyncio.run(_measure(made.data, made.collection_id))


async def _measure(home: Path, collection: str) -> list[Figure]:
    fresh = questions(int(time.time()))
    ready, answered = [], []
    for _ in range(_STARTS):
        begun = time.perf_counter()
        async with (
            serving(home) as server,
            Asker(server.client.url, server.client.token, collection) as asker,
        ):
            ready.append(server.ready_s)
            await asker.ask(next(fresh))
            answered.append(time.perf_counter() - begun)
    async with serving(home) as server, Asker(server.client.url, server.client.token, collection) as asker:
        await asker.ask(next(fresh))
        questioner = [await _killed_questioner(server, asker, next(fresh)) for _ in range(_KILLS)]
        await asker.ask(next(fresh))
        await asyncio.sleep(_REST_S)
        own, tree = memory(server.pid)
    settings = replace(Settings(), data=home)
    async with Pool(lambda: settings) as pool:
        await pool.wait_ready()
        worker = await _idle_worker(pool)
        batch = [await _killed_batch_workers(pool) for _ in range(_KILLS)]
    passages = f"{_PASSAGES:,} passages"
    return [
        Figure("start to serving", median(ready), "s", most=2, note=f"median of {_STARTS}; {passages}"),
        Figure("start to the first answer", median(answered), "s", most=8, note="the same"),
        Figure(
            "question worker killed, next new answer", median(questioner), "s", most=0.3, note=f"of {_KILLS}"
        ),
        Figure("all batch workers killed, next task done", median(batch), "s", most=0.3, note=f"of {_KILLS}"),
        Figure("the server's process at rest", own / _MB, "MB", most=150, note=f"PSS; {passages} searched"),
        Figure("with all its children", tree / _MB, "MB", note="PSS: what is shared counts once"),
        Figure("a worker's own memory, idle", worker / _MB, "MB (USS)", most=30),
    ]


async def _killed_questioner(server: Server, asker: Asker, question: str) -> float:
    usage = await server.client.call("GET", "status")
    (pid,) = [each["pid"] for each in usage["workers"] if each["role"] == "question"]
    begun = time.perf_counter()
    os.kill(pid, signal.SIGKILL)
    await asker.ask(question)
    return time.perf_counter() - begun


async def _idle_worker(pool: Pool) -> int:
    """The bytes that a worker has for itself which has done nothing yet; the most of all."""
    await _all_up(pool)
    return max(each.uss_bytes for each in await asyncio.to_thread(pool.workers) if each.role == "batch")


async def _killed_batch_workers(pool: Pool) -> float:
    """The seconds until a task is done that waits while every worker is killed at its work."""
    await _all_up(pool)
    pids = [each.pid for each in await asyncio.to_thread(pool.workers) if each.role == "batch"]
    work = [asyncio.create_task(pool.run(signal.pause, timeout_s=_TASK_S)) for _ in pids]
    waiting = asyncio.create_task(pool.run(os.getpid, timeout_s=_TASK_S))
    await asyncio.sleep(_BEGUN_S)
    begun = time.perf_counter()
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    await waiting
    seconds = time.perf_counter() - begun
    for task in work:
        with suppress(Unavailable):
            await task
    return seconds


async def _all_up(pool: Pool) -> None:
    """They come with the first task that needs the model, and each has done one."""
    await pool.describe(ModelSpec(MODEL, EmbeddingSettings().precision))
    await asyncio.gather(*(pool.run(os.getpid, timeout_s=_TASK_S) for _ in range(pool.batch_workers)))
