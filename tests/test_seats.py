"""Sockets and scans counted over several processes, on a real Redis that also dies, stands still and forgets."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import redis
from redis_server import LIMITS, Lines, RedisServer, new_id, progress_on

from semantik.errors import Busy, Unavailable
from semantik.progress import Presence, Progress, Seats, link, seats
from semantik.progress.link import Link
from semantik.settings import Sockets

# A server process that takes two seats and says so; it is there to be killed.
VICTIM = """
import asyncio, sys
from semantik.progress.link import Link
from semantik.progress.seats import Seats
from semantik.settings import Sockets

async def main(url, user, operation):
    seats = Seats(Link(url, "victim"), Sockets, life_s=1)
    running = asyncio.create_task(seats.run())
    async with seats.socket(user, operation), seats.socket(user, operation):
        print("taken", flush=True)
        await running

asyncio.run(main(*sys.argv[1:]))
"""


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


class Recording(Link):
    """Keeps what was told, so that a test can tell it again."""

    def __init__(self, url: str) -> None:
        super().__init__(url, new_id())
        self.told: list[Mapping[str, Any]] = []
        self.looks = 0

    async def keep_seats(self, told: Mapping[str, object]) -> list[tuple[int, int]] | None:
        self.told.append(told)
        return await super().keep_seats(told)

    async def changed_watchers(self, after: str) -> tuple[str, set[str]]:
        self.looks += 1
        return await super().changed_watchers(after)


class Process:
    """What one server process has: the seats, their task, and a way to Redis of its own."""

    def __init__(self, url: str, limits: Sockets, life_s: float) -> None:
        self.link = Recording(url)
        self.seats = Seats(self.link, lambda: limits, life_s)
        self.task = asyncio.create_task(self.seats.run())

    @property
    def id(self) -> str:
        """As Redis knows it, once anything was told."""
        return str(self.link.told[0]["process"])


@asynccontextmanager
async def process(url: str, limits: Sockets = Sockets(), life_s: float = 15.0) -> AsyncIterator[Process]:  # noqa: B008
    one = Process(url, limits, life_s)
    try:
        yield one
    finally:
        one.task.cancel()
        ended = (await asyncio.gather(one.task, return_exceptions=True))[0]
        await one.seats.close()
        await one.link.close()
        assert isinstance(ended, asyncio.CancelledError), ended


class Heard:
    """A listener, and what it was told."""

    def __init__(self) -> None:
        self.all: list[Presence] = []
        self._news: asyncio.Queue[Presence] = asyncio.Queue()

    def __call__(self, operation_id: str, presence: Presence) -> None:
        self.all.append(presence)
        self._news.put_nowait(presence)

    async def until(self, sockets: int, users: int) -> None:
        async with asyncio.timeout(20):
            while await self._news.get() != Presence(sockets, users):
                pass


def of_user(admin: redis.Redis, user: str) -> list[int]:
    """What each process has of the user's sockets, as Redis knows it."""
    return sorted(int(n) for n in admin.hvals(link.SOCKETS.format(user_id=user)))


def left_in(admin: redis.Redis, *ids: str) -> list[str]:
    """The keys of these users, operations and processes."""
    kept = [key.decode() for key in admin.scan_iter("seats-*")]
    return [key for key in kept if key.partition(":")[2] in ids]


async def try_all(
    stack: AsyncExitStack, count: int, take: Callable[[int], Any]
) -> tuple[int, list[BaseException]]:
    """Take seats at the same time; how many were taken, and the refusals."""
    took = await asyncio.gather(
        *[stack.enter_async_context(take(n)) for n in range(count)], return_exceptions=True
    )
    refused = [one for one in took if isinstance(one, BaseException)]
    return count - len(refused), refused


@pytest.mark.gen_test(timeout=30)
async def test_no_more_get_in_than_are_allowed_and_nothing_is_left_behind(redis_url: str) -> None:
    user, operation = new_id(), new_id()
    admin = redis.Redis.from_url(redis_url, protocol=2)
    async with process(redis_url) as one, process(redis_url) as two, AsyncExitStack() as held:
        both = (one.seats, two.seats)
        took, refused = await try_all(held, 50, lambda n: both[n % 2].socket(user, operation))
        assert took == 10
        assert {type(error) for error in refused} == {Busy}
        assert str(refused[0]) == (
            "You have 10 sockets open, and 10 are allowed (sockets.per_user): close one, or try again later."
        )
        assert sum(of_user(admin, user)) == 10
        await held.aclose()
        async with one.seats.socket(user):  # those of its own process are given back before it asks
            pass
    assert left_in(admin, user, operation, one.id, two.id) == []
    assert 0 < admin.ttl(link.CHANGED) <= link.CHANGED_S
    admin.close()


@pytest.mark.gen_test(timeout=30)
async def test_an_operation_and_the_scans_of_a_user_are_limited_alike(redis_url: str) -> None:
    operation, user = new_id(), new_id()
    limits = Sockets(per_user=10, per_operation=3, scans_per_user=2)
    async with (
        process(redis_url, limits) as one,
        process(redis_url, limits) as two,
        AsyncExitStack() as held,
    ):
        both = (one.seats, two.seats)
        took, refused = await try_all(held, 20, lambda n: both[n % 2].socket(new_id(), operation))
        assert took == 3
        assert str(refused[0]).startswith("3 sockets watch this operation, and 3 are allowed (sockets.per_op")
        took, refused = await try_all(held, 20, lambda n: both[n % 2].scan(user))
        assert took == 2
        assert str(refused[0]).startswith("You have 2 scans running, and 2 are allowed (sockets.scans_per_us")


@pytest.mark.gen_test(timeout=30)
async def test_who_is_refused_has_taken_no_place_at_all(redis_url: str) -> None:
    operation, user = new_id(), new_id()
    admin = redis.Redis.from_url(redis_url, protocol=2)
    async with process(redis_url, Sockets(per_user=2, per_operation=1)) as one:
        async with one.seats.socket(new_id(), operation):
            with pytest.raises(Busy, match="1 sockets watch this operation"):
                async with one.seats.socket(user, operation):
                    pass
            assert of_user(admin, user) == []
        async with one.seats.socket(user, operation):
            assert of_user(admin, user) == [1]
    admin.close()


@pytest.mark.gen_test(timeout=30)
async def test_many_at_once_take_few_rounds(redis_url: str) -> None:
    operation = new_id()
    limits = Sockets(per_user=1000, per_operation=1000)
    async with process(redis_url, limits) as one, process(redis_url, limits) as two:
        heard = Heard()
        with two.seats.listening(operation, heard):
            await heard.until(0, 0)
            async with AsyncExitStack() as held:
                users = [new_id() for _ in range(5)]
                took, _ = await try_all(held, 1000, lambda n: one.seats.socket(users[n % 5], operation))
                assert took == 1000
                await heard.until(1000, 5)
                assert len(one.link.told) < 10
            await heard.until(0, 0)
            assert len(heard.all) < 10
            assert len(one.link.told) < 20


@pytest.mark.gen_test(timeout=30)
async def test_a_listener_does_not_look_at_every_change(redis_url: str) -> None:
    operation, heard = new_id(), Heard()
    async with process(redis_url) as one:
        with one.seats.listening(operation, heard):
            await heard.until(0, 0)
            for _ in range(200):
                async with one.seats.socket("a", operation):
                    pass
            assert len(one.link.told) >= 200
            assert one.link.looks < 100


@pytest.mark.gen_test(timeout=30)
async def test_presence_is_told_once_for_every_change(redis_url: str) -> None:
    operation, other = new_id(), new_id()
    async with process(redis_url, life_s=600) as one, process(redis_url, life_s=600) as two:
        here, there, late = Heard(), Heard(), Heard()
        with one.seats.listening(operation, here), two.seats.listening(operation, there):
            async with one.seats.socket("a", operation):
                await here.until(1, 1)
                await there.until(1, 1)
                async with AsyncExitStack() as held:
                    await try_all(held, 2, lambda n: two.seats.socket("ab"[n], operation))
                    await here.until(3, 2)
                    await there.until(3, 2)
                    with two.seats.listening(operation, late):
                        await late.until(3, 2)
                    async with two.seats.socket("c", other):
                        pass
                await there.until(1, 1)
                await here.until(1, 1)
        assert late.all == [Presence(3, 2)]
        for heard in (here, there):
            assert heard.all[-3:] == [Presence(1, 1), Presence(3, 2), Presence(1, 1)], heard.all
            assert heard.all[:-3] in ([], [Presence(0, 0)])


@pytest.mark.gen_test(timeout=30)
async def test_the_seats_of_a_killed_process_cease_to_count(redis_url: str) -> None:
    user, operation = new_id(), new_id()
    admin = redis.Redis.from_url(redis_url, protocol=2)
    arguments = ("-c", VICTIM, redis_url, user, operation)
    path = {"PYTHONPATH": str(Path(seats.__file__).parents[2])}
    victim = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, stdout=asyncio.subprocess.PIPE, env={**os.environ, **path}
    )
    assert victim.stdout is not None
    try:
        assert await victim.stdout.readline() == b"taken\n"
        async with process(redis_url, Sockets(per_user=3), life_s=1) as one:
            heard = Heard()
            with one.seats.listening(operation, heard):
                async with one.seats.socket(user, operation):
                    await heard.until(3, 1)
                    with pytest.raises(Busy, match="You have 3 sockets open"):
                        async with one.seats.socket(user):
                            pass
                    victim.kill()
                    await heard.until(1, 1)
                    async with one.seats.socket(user), one.seats.socket(user):
                        assert of_user(admin, user) == [3]
    finally:
        if victim.returncode is None:
            victim.kill()
        await victim.wait()
    assert left_in(admin, user, operation) == []
    admin.close()


@pytest.mark.gen_test(timeout=30)
async def test_what_others_wiped_of_a_silent_process_comes_back_with_it(server: RedisServer) -> None:
    async with process(server.url) as one, one.seats.socket("a"):
        server.admin.delete(link.ALIVE + one.id, link.SOCKETS.format(user_id="a"))
        async with one.seats.socket("b"):
            assert of_user(server.admin, "a") == of_user(server.admin, "b") == [1]


@pytest.mark.gen_test(timeout=30)
async def test_what_is_open_for_long_is_written_again_before_it_expires(
    server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert seats.REWRITE_S < link.SEATS_S / 2
    monkeypatch.setattr(seats, "REWRITE_S", 0.0)
    key = link.SOCKETS.format(user_id="a")
    async with process(server.url) as one, one.seats.socket("a"):
        assert 0 < server.admin.ttl(key) <= link.SEATS_S
        server.admin.delete(key)
        async with one.seats.socket("b"):
            assert of_user(server.admin, "a") == [1]


@pytest.mark.gen_test(timeout=30)
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
@pytest.mark.gen_test(timeout=30)
async def test_redis_comes_back_empty(server: RedisServer, lines: Lines) -> None:
    limits = Sockets(per_user=2)
    here, there = Heard(), Heard()
    async with (
        process(server.url, limits) as one,
        process(server.url, limits) as two,
        one.seats.socket("a", "o"),
        two.seats.socket("a", "o"),
    ):
        with one.seats.listening("o", here), two.seats.listening("o", there):
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
@pytest.mark.gen_test(timeout=30)
async def test_who_leaves_while_redis_is_dead_is_not_found_there_again(
    saving_server: RedisServer, lines: Lines
) -> None:
    server, heard = saving_server, Heard()
    async with process(server.url) as one, process(server.url) as two, one.seats.socket("a", "o"):
        with two.seats.listening("o", heard):
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
@pytest.mark.gen_test(timeout=30)
async def test_redis_stands_still_while_seats_are_left_and_taken(
    server: RedisServer, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link, "COMMAND_S", 0.3)
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
            assert len(server.admin.hgetall(link.WATCHERS + "o")) == 2
    assert left_in(server.admin, *"abcde", "o", one.id) == []


@pytest.mark.noisy
@pytest.mark.gen_test(timeout=30)
async def test_closing_does_not_wait_for_a_redis_that_stands_still(
    server: RedisServer, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seats, "CLOSE_S", 0.1)
    async with process(server.url, life_s=0.9) as one, one.seats.socket("a"):
        server.stand_still()
    await lines.until("Redis counts the sockets of this server for another 0.9 s")


@pytest.mark.gen_test(timeout=30)
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


@pytest.mark.gen_test(timeout=30)
async def test_the_room_has_seats_and_gives_them_back(redis_url: str) -> None:
    user = new_id()
    admin = redis.Redis.from_url(redis_url, protocol=2)
    async with progress_on(redis_url) as progress:
        await progress.seats.socket(user).__aenter__()
        assert of_user(admin, user) == [1]
    assert left_in(admin, user) == []
    assert not [task for task in asyncio.all_tasks() if "progress" in task.get_name()]
    admin.close()


@pytest.mark.gen_test(timeout=30)
async def test_a_listener_that_fails_is_seen(redis_url: str) -> None:
    def fails(operation_id: str, presence: Presence) -> None:
        raise KeyError(operation_id)

    async with Progress(redis_url, LIMITS, new_id(), lambda: Sockets(per_user=1)) as progress:
        with progress.seats.listening("o", fails), pytest.raises(KeyError):
            await asyncio.wait_for(progress.failure, 5)
