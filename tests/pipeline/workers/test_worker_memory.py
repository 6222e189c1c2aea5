"""A worker process that keeps much memory after a task is replaced; one that gives it back stays."""

from __future__ import annotations

import asyncio
import os

import pytest
from conftest import run
from support.patience import deadline
from support.pools import fork_servers

from pipeline.compute import env
from pipeline.workers import client
from pipeline.workers.client import WorkerClient
from pipeline.workers.group import WorkerGroup

pytestmark = pytest.mark.usefixtures("fork_server")

MEMORY = 1 << 30
REST = 64 << 20
LARGE = 3 * REST
TIMEOUT_S = 60.0
_kept: list[bytes] = []


def keep(size: int) -> int:
    """Take memory and keep it, as the heap of a process does after a large file."""
    _kept.append(b"x" * size)
    return os.getpid()


def load_model(size: int) -> int:
    """Take memory as a model does."""
    with env.counting_model():
        return keep(size)


def take_and_return(size: int) -> int:
    return len(b"x" * size) and os.getpid()


def _client(rest_bytes: int = REST) -> WorkerClient:
    return WorkerClient(fork_servers().base, memory_bytes=MEMORY, rest_bytes=rest_bytes)


def test_a_worker_that_keeps_memory_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "_MIN_AGE_S", 0.0)

    async def test() -> None:
        worker = _client()
        small = await worker.run(keep, 1000, timeout_s=TIMEOUT_S)
        assert await worker.run(take_and_return, LARGE, timeout_s=TIMEOUT_S) == small
        large = await worker.run(keep, LARGE, timeout_s=TIMEOUT_S)
        assert large == small, "the task itself is done by the worker that has it"
        following = [worker.run(os.getpid, timeout_s=TIMEOUT_S) for _ in range(3)]
        (next_worker,) = {*await asyncio.gather(*following)}
        assert next_worker != large
        assert worker.pids() == [next_worker]
        await worker.close()

    run(test())


def test_a_model_that_a_worker_has_loaded_is_no_reason_to_replace_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "_MIN_AGE_S", 0.0)

    async def test() -> None:
        worker = _client()
        first = await worker.run(load_model, LARGE, timeout_s=TIMEOUT_S)
        assert await worker.run(os.getpid, timeout_s=TIMEOUT_S) == first
        await worker.run(keep, LARGE, timeout_s=TIMEOUT_S)
        assert await worker.run(os.getpid, timeout_s=TIMEOUT_S) != first
        await worker.close()

    run(test())


def test_a_worker_without_a_bound_and_a_new_one_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    async def stays(rest_bytes: int, min_age_s: float) -> bool:
        monkeypatch.setattr(client, "_MIN_AGE_S", min_age_s)
        worker = _client(rest_bytes)
        first = await worker.run(keep, LARGE, timeout_s=TIMEOUT_S)
        second = await worker.run(os.getpid, timeout_s=TIMEOUT_S)
        await worker.close()
        return bool(first == second)

    async def test() -> None:
        assert await stays(0, 0.0)
        assert await stays(REST, 3600.0)

    run(test())


def test_the_workers_of_a_group_are_replaced_before_their_next_task(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "_MIN_AGE_S", 0.0)

    async def test() -> None:
        group = WorkerGroup(fork_servers().base, 1, memory_bytes=MEMORY, rest_bytes=REST)
        large = await group.run(keep, LARGE, timeout_s=TIMEOUT_S)
        async with deadline():
            while not group.is_up:  # noqa: ASYNC110, there is no event for it
                await asyncio.sleep(0.01)
        assert group.pids() != [large]
        await group.close()

    run(test())


def test_a_worker_that_ends_after_its_task_is_not_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replaced, it would be starting while it is to end; and that ends the fork server with all its workers."""
    monkeypatch.setattr(client, "_MIN_AGE_S", 0.0)

    async def test() -> None:
        server = fork_servers().base
        group = WorkerGroup(server, 1, memory_bytes=MEMORY, rest_bytes=REST)
        first = await group.run(os.getpid, timeout_s=TIMEOUT_S)
        fork_server = server.pid()
        assert await group.run_in_new_worker(keep, LARGE, timeout_s=TIMEOUT_S) != first
        assert await group.run(os.getpid, timeout_s=TIMEOUT_S) == first
        assert server.pid() == fork_server
        await group.close()

    run(test())
