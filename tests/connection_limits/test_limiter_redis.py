"""The seats while Redis dies, stands still, forgets, or is told late."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from support.limiter_helpers import Heard, left_in, of_user, process
from support.redis_server import Lines, RedisServer

from semantik.config.settings import SocketSettings
from semantik.connection_limits import limiter
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
    """One that finds its data again after it was killed."""
    server = RedisServer(tmp_path, saved=True)
    yield server
    server.kill()


@pytest.mark.gen_test
async def test_what_others_wiped_of_a_silent_process_comes_back_with_it(server: RedisServer) -> None:
    async with process(server.url) as one, one.seats.socket("a"):
        server.admin.delete(redis_client.ALIVE + one.id, redis_client.SOCKETS.format(user_id="a"))
        async with one.seats.socket("b"):
            assert of_user(server.admin, "a") == of_user(server.admin, "b") == [1]


@pytest.mark.gen_test
async def test_what_is_open_for_long_is_written_again_before_it_expires(
    server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert limiter.REWRITE_S < redis_client.SEATS_S / 2
    monkeypatch.setattr(limiter, "REWRITE_S", 0.0)
    key = redis_client.SOCKETS.format(user_id="a")
    async with process(server.url) as one, one.seats.socket("a"):
        assert 0 < server.admin.ttl(key) <= redis_client.SEATS_S
        server.admin.delete(key)
        async with one.seats.socket("b"):
            assert of_user(server.admin, "a") == [1]


@pytest.mark.gen_test
async def test_a_command_that_comes_late_changes_nothing(server: RedisServer) -> None:
    async with process(server.url) as one, one.seats.socket("a", "o"):
        async with one.seats.socket("b", "o"):
            pass
        async with one.seats.socket("b", "o"):
            assert one.link.told[0]["whole"] and not one.link.told[-1]["whole"]
            for told in tuple(one.link.told):
                assert await one.link.keep_seats(told) is None
            assert of_user(server.admin, "a") == of_user(server.admin, "b") == [1]
    assert left_in(server.admin, "a", "b", "o", one.id) == []


@pytest.mark.noisy
@pytest.mark.gen_test
async def test_redis_comes_back_empty(server: RedisServer, lines: Lines) -> None:
    limits = SocketSettings(per_user=2)
    here, there = Heard(), Heard()
    async with (
        process(server.url, limits) as one,
        process(server.url, limits) as two,
        one.seats.socket("a", "o"),
        two.seats.socket("a", "o"),
    ):
        with one.seats.subscribe("o", here), two.seats.subscribe("o", there):
            await here.until(2, 1)
            await there.until(2, 1)
            server.kill()
            await lines.until("Sockets are not counted. Redis is away")
            await lines.until("Sockets are not counted. Redis is away")
            with pytest.raises(Unavailable, match="Redis is away"):
                async with one.seats.socket("b"):
                    pass
            server.start()
            await lines.until("counted again")
            await lines.until("counted again")
            with pytest.raises(Busy, match="You have 2 sockets open"):
                async with one.seats.socket("a"):
                    pass
            assert of_user(server.admin, "a") == [1, 1]
            assert of_user(server.admin, "b") == []
    assert left_in(server.admin, "a", "o", one.id, two.id) == []


@pytest.mark.noisy
@pytest.mark.gen_test
async def test_who_leaves_while_redis_is_dead_is_not_found_there_again(
    saving_server: RedisServer, lines: Lines
) -> None:
    server, heard = saving_server, Heard()
    async with process(server.url) as one, process(server.url) as two, one.seats.socket("a", "o"):
        with two.seats.subscribe("o", heard):
            async with one.seats.socket("b", "o"):
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
async def test_redis_stands_still_while_seats_are_left_and_taken(
    server: RedisServer, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_client, "COMMAND_S", 0.3)
    async with process(server.url) as one, one.seats.socket("a", "o"):
        async with one.seats.socket("b", "o"):
            server.stand_still()
        with pytest.raises(Unavailable, match="Redis is away"):
            async with one.seats.socket("c", "o"):
                pass
        impatient = asyncio.create_task(one.seats.socket("d", "o").__aenter__())
        await lines.until("not counted")
        impatient.cancel()
        server.go_on()
        await lines.until("counted again")
        async with one.seats.socket("e", "o"):
            assert [of_user(server.admin, user) for user in "abcde"] == [[1], [], [], [], [1]]
            assert len(server.admin.hgetall(redis_client.WATCHERS + "o")) == 2
    assert left_in(server.admin, *"abcde", "o", one.id) == []


@pytest.mark.noisy
@pytest.mark.gen_test
async def test_closing_does_not_wait_for_a_redis_that_stands_still(
    server: RedisServer, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limiter, "CLOSE_S", 0.1)
    async with process(server.url, life_s=0.9) as one, one.seats.socket("a"):
        server.stand_still()
    await lines.until("Redis counts the sockets of this server for another 0.9 s")


@pytest.mark.gen_test
async def test_who_gives_up_while_redis_is_asked_is_not_counted(
    server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with process(server.url) as one:
        asked, go_on = asyncio.Event(), asyncio.Event()
        keep_seats = one.link.keep_seats

        async def slow(told: Mapping[str, object]) -> list[tuple[int, int]] | None:
            answers = await keep_seats(told)
            asked.set()
            await go_on.wait()
            return answers

        monkeypatch.setattr(one.link, "keep_seats", slow)
        taking = asyncio.create_task(one.seats.socket("a").__aenter__())
        await asked.wait()
        assert of_user(server.admin, "a") == [1]
        taking.cancel()
        await asyncio.gather(taking, return_exceptions=True)
        go_on.set()
        async with one.seats.socket("b"):
            pass
        while of_user(server.admin, "a"):  # noqa: ASYNC110, Redis tells nobody
            await asyncio.sleep(0.02)
