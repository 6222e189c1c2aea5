"""From the start to serving and to the first answer, a killed worker's replacement, and memory at rest."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from statistics import median

import psutil

from bench.corpus import small_files
from bench.figures import Figure
from bench.filled import filled
from bench.questions import Asker, questions
from bench.serving import Server, index, serving

_PASSAGES = 100_000
_STARTS = 3
_KILLS = 5
_FEW = 10  # files
_REST_S = 5.0
_LOOK_S = 0.005
_PATIENCE_S = 30.0
_MB = 1 << 20


def measure() -> Iterator[Figure]:
    yield from asyncio.run(_measure())


async def _measure() -> list[Figure]:
    home, collection = await filled(_PASSAGES)
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
        few, _ = await index(
            server.client, small_files(_FEW), "a few"
        )  # batch workers come with the first task
        await server.client.call("DELETE", f"collections/{few}")
        batch = [_killed_batch_worker((await _workers(server, "batch"))[0]) for _ in range(_KILLS)]
        await asker.ask(next(fresh))
        await asyncio.sleep(_REST_S)
        own, tree = _memory(server.pid)
    passages = f"{_PASSAGES:,} passages"
    return [
        Figure("start to serving", median(ready), "s", most=2, note=f"median of {_STARTS}; {passages}"),
        Figure("start to the first answer", median(answered), "s", most=8, note="the same"),
        Figure(
            "question worker killed, next new answer", median(questioner), "s", most=0.3, note=f"of {_KILLS}"
        ),
        Figure("batch worker killed, another there", median(batch), "s", most=0.3, note=f"of {_KILLS}"),
        Figure("the server's process at rest", own / _MB, "MB", most=150, note=f"PSS; {passages} searched"),
        Figure("with all its children", tree / _MB, "MB", note="PSS: what is shared counts once"),
    ]


async def _workers(server: Server, role: str) -> list[int]:
    usage = await server.client.call("GET", "status")
    return [each["pid"] for each in usage["workers"] if each["role"] == role]


async def _killed_questioner(server: Server, asker: Asker, question: str) -> float:
    (pid,) = await _workers(server, "question")
    begun = time.perf_counter()
    os.kill(pid, signal.SIGKILL)
    await asker.ask(question)
    return time.perf_counter() - begun


def _killed_batch_worker(pid: int) -> float:
    """The seconds until the fork server has another child."""
    parent = psutil.Process(pid).parent()
    assert parent is not None
    before = {each.pid for each in parent.children()}
    begun = time.perf_counter()
    os.kill(pid, signal.SIGKILL)
    while not {each.pid for each in parent.children()} - before:
        time.sleep(_LOOK_S)
        if time.perf_counter() - begun > _PATIENCE_S:
            raise RuntimeError(f"Nobody takes the place of worker {pid}.")
    return time.perf_counter() - begun


def _memory(pid: int) -> tuple[int, int]:
    """The bytes of a process, and of it with all its descendants."""
    process = psutil.Process(pid)
    own = process.memory_full_info().pss
    return own, own + sum(each.memory_full_info().pss for each in process.children(recursive=True))
