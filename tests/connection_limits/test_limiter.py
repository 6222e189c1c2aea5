"""Sockets and scans counted over several processes, on a real Redis."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import redis
from support.limiter_helpers import Heard, left_in, of_user, process, try_all
from support.patience import patience
from support.redis_server import LIMITS, new_id, progress_on

from semantik.config.settings import SocketSettings
from semantik.connection_limits import limiter
from semantik.connection_limits.watcher_counts import WatcherCount
from semantik.core.errors import Busy
from semantik.progress import ProgressService, redis_client

# A server process that takes two seats and says so; it is there to be killed.
VICTIM = """
import asyncio, sys
from semantik.config.settings import SocketSettings
from semantik.connection_limits.limiter import ConnectionLimiter
from semantik.progress.redis_client import RedisClient

async def main(url, user, operation):
    seats = ConnectionLimiter(RedisClient(url, "victim"), SocketSettings, life_s=1)
    running = asyncio.create_task(seats.run())
    async with seats.socket(user, operation), seats.socket(user, operation):
        print("taken", flush=True)
        await running

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.mark.gen_test
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
    assert 0 < admin.ttl(redis_client.CHANGED) <= redis_client.CHANGED_S
    admin.close()


@pytest.mark.gen_test
async def test_an_operation_and_the_scans_of_a_user_are_limited_alike(redis_url: str) -> None:
    operation, user = new_id(), new_id()
    limits = SocketSettings(per_user=10, per_operation=3, scans_per_user=2)
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


@pytest.mark.gen_test
async def test_who_is_refused_has_taken_no_place_at_all(redis_url: str) -> None:
    operation, user = new_id(), new_id()
    admin = redis.Redis.from_url(redis_url, protocol=2)
    async with process(redis_url, SocketSettings(per_user=2, per_operation=1)) as one:
        async with one.seats.socket(new_id(), operation):
            with pytest.raises(Busy, match="1 sockets watch this operation"):
                async with one.seats.socket(user, operation):
                    pass
            assert of_user(admin, user) == []
        async with one.seats.socket(user, operation):
            assert of_user(admin, user) == [1]
    admin.close()


@pytest.mark.gen_test
async def test_many_at_once_take_few_rounds(redis_url: str) -> None:
    operation = new_id()
    limits = SocketSettings(per_user=1000, per_operation=1000)
    async with process(redis_url, limits) as one, process(redis_url, limits) as two:
        heard = Heard()
        with two.seats.subscribe(operation, heard):
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


@pytest.mark.gen_test
async def test_a_listener_does_not_look_at_every_change(redis_url: str) -> None:
    operation, heard = new_id(), Heard()
    async with process(redis_url) as one:
        with one.seats.subscribe(operation, heard):
            await heard.until(0, 0)
            for _ in range(200):
                async with one.seats.socket("a", operation):
                    pass
            assert len(one.link.told) >= 200
            assert one.link.looks < 100


@pytest.mark.gen_test
async def test_presence_is_told_once_for_every_change(redis_url: str) -> None:
    operation, other = new_id(), new_id()
    async with process(redis_url, life_s=600) as one, process(redis_url, life_s=600) as two:
        here, there, late = Heard(), Heard(), Heard()
        with one.seats.subscribe(operation, here), two.seats.subscribe(operation, there):
            async with one.seats.socket("a", operation):
                await here.until(1, 1)
                await there.until(1, 1)
                async with AsyncExitStack() as held:
                    await try_all(held, 2, lambda n: two.seats.socket("ab"[n], operation))
                    await here.until(3, 2)
                    await there.until(3, 2)
                    with two.seats.subscribe(operation, late):
                        await late.until(3, 2)
                    async with two.seats.socket("c", other):
                        pass
                await there.until(1, 1)
                await here.until(1, 1)
        assert late.all == [WatcherCount(3, 2)]
        for heard in (here, there):
            assert heard.all[-3:] == [WatcherCount(1, 1), WatcherCount(3, 2), WatcherCount(1, 1)], heard.all
            assert heard.all[:-3] in ([], [WatcherCount(0, 0)])


@pytest.mark.gen_test
async def test_the_seats_of_a_killed_process_cease_to_count(redis_url: str) -> None:
    user, operation = new_id(), new_id()
    admin = redis.Redis.from_url(redis_url, protocol=2)
    arguments = ("-c", VICTIM, redis_url, user, operation)
    path = {"PYTHONPATH": str(Path(limiter.__file__).parents[2])}
    victim = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, stdout=asyncio.subprocess.PIPE, env={**os.environ, **path}
    )
    assert victim.stdout is not None
    try:
        assert await victim.stdout.readline() == b"taken\n"
        async with process(redis_url, SocketSettings(per_user=3), life_s=1) as one:
            heard = Heard()
            with one.seats.subscribe(operation, heard):
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


@pytest.mark.gen_test
async def test_the_room_has_seats_and_gives_them_back(redis_url: str) -> None:
    user = new_id()
    admin = redis.Redis.from_url(redis_url, protocol=2)
    async with progress_on(redis_url) as progress:
        await progress.seats.socket(user).__aenter__()
        assert of_user(admin, user) == [1]
    assert left_in(admin, user) == []
    assert not [task for task in asyncio.all_tasks() if "progress" in task.get_name()]
    admin.close()


@pytest.mark.gen_test
async def test_a_listener_that_fails_is_seen(redis_url: str) -> None:
    def fails(operation_id: str, presence: WatcherCount) -> None:
        raise KeyError(operation_id)

    async with ProgressService(redis_url, LIMITS, new_id(), lambda: SocketSettings(per_user=1)) as progress:
        with progress.seats.subscribe("o", fails), pytest.raises(KeyError):
            await asyncio.wait_for(progress.failure, patience())
