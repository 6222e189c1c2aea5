"""What a server knows of Milvus: while it runs, is killed, halted and started again, refuses, or tells no version."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.local_tls import free_port
from support.milvus import Milvus
from support.patience import deadline, patience

from semantik.core.errors import EngineAway
from semantik.index import EngineState
from semantik.index.milvus import milvus_monitor, milvus_registry
from semantik.index.milvus.connection import MilvusConnection
from semantik.index.milvus.monitor import MilvusMonitor

pytestmark = [pytest.mark.gen_test, pytest.mark.noisy]


@pytest.fixture
def milvus(tmp_path: Path) -> Iterator[Milvus]:
    server = Milvus(tmp_path)
    server.start()
    yield server
    server.kill()


async def _until(monitor: MilvusMonitor, state: str) -> EngineState:
    async with deadline():
        while monitor.state.state != state:  # noqa: ASYNC110 (a state tells no event)
            await asyncio.sleep(0.02)
    return monitor.state


async def test_it_is_ready_then_away_then_ready_again(milvus: Milvus) -> None:
    settings = milvus.settings(timeout_s=patience(2.0))
    registry = milvus_registry(settings)
    await registry.open("c", 1, 4)
    other = milvus_registry(milvus.settings())
    await other.open("c", 1, 4)  # of another installation: it does not count
    async with milvus_monitor(settings) as monitor:
        assert monitor.state.state == "checking" and monitor.state.collections is None
        ready = await _until(monitor, "ready")
        assert (ready.name, ready.address, ready.collections) == ("milvus", milvus.url, 1)
        assert ready.version is not None and ready.version.startswith("milvus_lite-")
        assert ready.losses == 0 and ready.problem is None
        milvus.kill()
        away = await _until(monitor, "away")
        assert away.since > ready.since and away.losses == 1
        assert away.version == ready.version and away.collections is None
        assert away.problem is not None and f"Milvus at {milvus.url} does not answer" in away.problem
        await asyncio.to_thread(milvus.start)
        again = await _until(monitor, "ready")
        assert again.since > away.since and again.problem is None
        assert again.collections == 1 and again.losses == 1
    await registry.close()
    await other.close()


async def test_a_look_at_one_that_hangs_ends_and_leaves_since_when_as_it_is(milvus: Milvus) -> None:
    connection = MilvusConnection(milvus.settings(timeout_s=1.0))
    monitor = MilvusMonitor(connection)
    milvus.pause()
    try:
        await monitor.look()
        away = monitor.state
        assert away.state == "away" and away.losses == 1
        await monitor.look()
        assert monitor.state == away
    finally:
        milvus.resume()
        await connection.close()


async def test_without_a_server_it_is_away_and_tells_no_version() -> None:
    connection = MilvusConnection(_Nowhere().settings(timeout_s=1.0))
    monitor = MilvusMonitor(connection)
    await monitor.look()
    assert monitor.state.state == "away" and monitor.state.version is None
    await connection.close()


async def test_one_that_tells_no_version_is_ready(milvus: Milvus, monkeypatch: Any) -> None:
    connection = MilvusConnection(milvus.settings())
    monitor = MilvusMonitor(connection)
    call = connection.call

    async def refuse(method: str, *args: Any, **kwargs: Any) -> Any:
        if method == "get_server_version":
            raise EngineAway("Milvus refuses milvus.token: permission denied.")
        return await call(method, *args, **kwargs)

    monkeypatch.setattr(connection, "call", refuse)
    await monitor.look()
    assert monitor.state.state == "ready" and monitor.state.version is None
    await connection.close()


async def test_a_fault_of_the_library_is_told_and_ends_nothing(milvus: Milvus, monkeypatch: Any) -> None:
    connection = MilvusConnection(milvus.settings())
    monitor = MilvusMonitor(connection)

    async def fail(*_: Any, **__: Any) -> None:
        raise ValueError("what nobody expected")

    with monkeypatch.context() as patched:
        patched.setattr(connection, "call", fail)
        await monitor.look()
    assert monitor.state.state == "away" and "what nobody expected" in str(monitor.state.problem)
    await monitor.look()
    assert monitor.state.state == "ready" and monitor.state.problem is None
    await connection.close()


class _Nowhere(Milvus):
    """Nobody listens there."""

    def __init__(self) -> None:
        self.url = f"http://127.0.0.1:{free_port()}"
