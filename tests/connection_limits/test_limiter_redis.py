"""The connection limits while Redis is killed, suspended, loses its data, or receives an update late."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from support.limiter_helpers import Heard, left_in, of_user, process
from support.redis_server import Lines, RedisServer

from semantik.config.settings import SocketSettings
from semantik.connection_limits import counter_store, limiter
from semantik.core.errors import Busy, Unavailable
from semantik.progress import redis_client


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path)
    yield server
    server.go_on()
    server.kill()


@pytest.fixture
def saving_server(tmp_path: Path) -> Iterator[RedisServer]:
    """A server that keeps its data when it is killed."""
    server = RedisServer(tmp_path, saved=True)
    yield server
    server.kill()


@pytest.mark.gen_test
async def test_counters_that_other_processes_removed_are_restored(server: RedisServer) -> None:
    async with process(server.url) as one, one.limiter.socket("a"):
        server.admin.delete(counter_store.ALIVE + one.id, counter_store.SOCKETS.format(user_id="a"))
        async with one.limiter.socket("b"):
            assert of_user(server.admin, "a") == of_user(server.admin, "b") == [1]


@pytest.mark.gen_test
async def test_counters_of_long_connections_are_written_again_before_they_expire(
    server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert limiter.FULL_UPDATE_S < counter_store.COUNTER_TTL_S / 2
    monkeypatch.setattr(limiter, "FULL_UPDATE_S", 0.0)
    key = counter_store.SOCKETS.format(user_id="a")
    async with process(server.url) as one, one.limiter.socket("a"):
        assert 0 < server.admin.ttl(key) <= counter_store.COUNTER_TTL_S
        server.admin.delete(key)
        async with one.limiter.socket("b"):
            assert of_user(server.admin, "a") == [1]


@pytest.mark.gen_test
async def test_late_update_changes_nothing(server: RedisServer) -> None:
    async with process(server.url) as one, one.limiter.socket("a", "o"):
        async with one.limiter.socket("b", "o"):
            pass
        async with one.limiter.socket("b", "o"):
            assert one.store.sent[0]["full"] and not one.store.sent[-1]["full"]
            for changes in tuple(one.store.sent):
                assert await one.store.update(changes) is None
            assert of_user(server.admin, "a") == of_user(server.admin, "b") == [1]
    assert left_in(server.admin, "a", "b", "o", one.id) == []


@pytest.mark.noisy
@pytest.mark.gen_test
async def test_counters_are_restored_when_redis_restarts_empty(server: RedisServer, lines: Lines) -> None:
    limits = SocketSettings(per_user=2)
    first, second = Heard(), Heard()
    async with (
        process(server.url, limits) as one,
        process(server.url, limits) as two,
        one.limiter.socket("a", "o"),
        two.limiter.socket("a", "o"),
    ):
        with one.limiter.subscribe("o", first), two.limiter.subscribe("o", second):
            await first.until(2, 1)
            await second.until(2, 1)
            server.kill()
            await lines.until("Sockets are not counted. Redis is away")
            await lines.until("Sockets are not counted. Redis is away")
            with pytest.raises(Unavailable, match="Redis is away"):
                async with one.limiter.socket("b"):
                    pass
            server.start()
            await lines.until("counted again")
            await lines.until("counted again")
            with pytest.raises(Busy, match="You have 2 sockets open"):
                async with one.limiter.socket("a"):
                    pass
            assert of_user(server.admin, "a") == [1, 1]
            assert of_user(server.admin, "b") == []
    assert left_in(server.admin, "a", "o", one.id, two.id) == []


@pytest.mark.noisy
@pytest.mark.gen_test
async def test_connection_closed_while_redis_is_down_is_not_counted_afterwards(
    saving_server: RedisServer, lines: Lines
) -> None:
    server, heard = saving_server, Heard()
    async with process(server.url) as one, process(server.url) as two, one.limiter.socket("a", "o"):
        with two.limiter.subscribe("o", heard):
            async with one.limiter.socket("b", "o"):
                await heard.until(2, 2)
                server.kill()
            await lines.until("not counted")
            await lines.until("not counted")
            server.start()
            await heard.until(1, 1)
        assert of_user(server.admin, "a") == [1]
        assert of_user(server.admin, "b") == []


@pytest.mark.noisy
@pytest.mark.gen_test
async def test_connections_closed_and_opened_while_redis_is_suspended_are_counted_correctly(
    server: RedisServer, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_client, "COMMAND_S", 0.3)
    async with process(server.url) as one, one.limiter.socket("a", "o"):
        async with one.limiter.socket("b", "o"):
            server.stand_still()
        with pytest.raises(Unavailable, match="Redis is away"):
            async with one.limiter.socket("c", "o"):
                pass
        cancelled = asyncio.create_task(one.limiter.socket("d", "o").__aenter__())
        await lines.until("not counted")
        cancelled.cancel()
        server.go_on()
        await lines.until("counted again")
        async with one.limiter.socket("e", "o"):
            assert [of_user(server.admin, user) for user in "abcde"] == [[1], [], [], [], [1]]
            assert len(server.admin.hgetall(counter_store.WATCHERS + "o")) == 2
    assert left_in(server.admin, *"abcde", "o", one.id) == []


@pytest.mark.noisy
@pytest.mark.gen_test
async def test_closing_does_not_wait_for_a_suspended_redis(
    server: RedisServer, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limiter, "CLOSE_TIMEOUT_S", 0.1)
    async with process(server.url, process_ttl_s=0.9) as one, one.limiter.socket("a"):
        server.stand_still()
    await lines.until("Redis counts the sockets of this server for another 0.9 s")


@pytest.mark.gen_test
async def test_reservation_cancelled_during_the_update_is_not_counted(
    server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with process(server.url) as one:
        updated, go_on = asyncio.Event(), asyncio.Event()
        update = one.store.update

        async def slow_update(changes: Mapping[str, object]) -> list[tuple[int, int]] | None:
            answers = await update(changes)
            updated.set()
            await go_on.wait()
            return answers

        monkeypatch.setattr(one.store, "update", slow_update)
        reserving = asyncio.create_task(one.limiter.socket("a").__aenter__())
        await updated.wait()
        assert of_user(server.admin, "a") == [1]
        reserving.cancel()
        await asyncio.gather(reserving, return_exceptions=True)
        go_on.set()
        async with one.limiter.socket("b"):
            pass
        while of_user(server.admin, "a"):  # noqa: ASYNC110, Redis sends no notification
            await asyncio.sleep(0.02)
