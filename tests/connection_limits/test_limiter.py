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
from support.redis_server import new_id, progress_on

from semantik.config.settings import SocketSettings
from semantik.connection_limits import ConnectionLimiter, CounterStore, WatcherCount, counter_store, limiter
from semantik.core.errors import Busy

# A server process that reserves two sockets and says so; it is there to be killed.
VICTIM = """
import asyncio, sys
from semantik.config.settings import SocketSettings
from semantik.connection_limits import ConnectionLimiter, CounterStore
from semantik.progress import RedisClient

async def main(url, user, operation):
    store = CounterStore(RedisClient(url))
    async with ConnectionLimiter(store, SocketSettings, process_ttl_s=1) as limiter:
        async with limiter.socket(user, operation), limiter.socket(user, operation):
            print("taken", flush=True)
            await limiter.task

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.mark.gen_test
async def test_no_more_get_in_than_are_allowed_and_nothing_is_left_behind(redis_url: str) -> None:
    user, operation = new_id(), new_id()
    admin = redis.Redis.from_url(redis_url, protocol=2)
    async with process(redis_url) as one, process(redis_url) as two, AsyncExitStack() as held:
        both = (one.limiter, two.limiter)
        took, refused = await try_all(held, 50, lambda n: both[n % 2].socket(user, operation))
        assert took == 10
        assert {type(error) for error in refused} == {Busy}
        assert str(refused[0]) == (
            "You have 10 sockets open, and 10 are allowed (sockets.per_user): close one, or try again later."
        )
        assert sum(of_user(admin, user)) == 10
        await held.aclose()
        async with one.limiter.socket(user):  # those of its own process are given back before it asks
            pass
    assert left_in(admin, user, operation, one.id, two.id) == []
    assert 0 < admin.ttl(counter_store.CHANGED) <= counter_store.CHANGED_TTL_S
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
        both = (one.limiter, two.limiter)
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
        async with one.limiter.socket(new_id(), operation):
            with pytest.raises(Busy, match="1 sockets watch this operation"):
                async with one.limiter.socket(user, operation):
                    pass
            assert of_user(admin, user) == []
        async with one.limiter.socket(user, operation):
            assert of_user(admin, user) == [1]
    admin.close()


@pytest.mark.gen_test
async def test_many_at_once_take_few_rounds(redis_url: str) -> None:
    operation = new_id()
    limits = SocketSettings(per_user=1000, per_operation=1000)
    async with process(redis_url, limits) as one, process(redis_url, limits) as two:
        heard = Heard()
        with two.limiter.subscribe(operation, heard):
            await heard.until(0, 0)
            async with AsyncExitStack() as held:
                users = [new_id() for _ in range(5)]
                took, _ = await try_all(held, 1000, lambda n: one.limiter.socket(users[n % 5], operation))
                assert took == 1000
                await heard.until(1000, 5)
                assert len(one.store.sent) < 10
            await heard.until(0, 0)
            assert len(heard.all) < 10
            assert len(one.store.sent) < 20


@pytest.mark.gen_test
async def test_a_listener_does_not_look_at_every_change(redis_url: str) -> None:
    operation, heard = new_id(), Heard()
    async with process(redis_url) as one:
        with one.limiter.subscribe(operation, heard):
            await heard.until(0, 0)
            for _ in range(200):
                async with one.limiter.socket("a", operation):
                    pass
            assert len(one.store.sent) >= 200
            assert one.store.polls < 100


@pytest.mark.gen_test
async def test_presence_is_told_once_for_every_change(redis_url: str) -> None:
    operation, other = new_id(), new_id()
    async with process(redis_url, process_ttl_s=600) as one, process(redis_url, process_ttl_s=600) as two:
        here, there, late = Heard(), Heard(), Heard()
        with one.limiter.subscribe(operation, here), two.limiter.subscribe(operation, there):
            async with one.limiter.socket("a", operation):
                await here.until(1, 1)
                await there.until(1, 1)
                async with AsyncExitStack() as held:
                    await try_all(held, 2, lambda n: two.limiter.socket("ab"[n], operation))
                    await here.until(3, 2)
                    await there.until(3, 2)
                    with two.limiter.subscribe(operation, late):
                        await late.until(3, 2)
                    async with two.limiter.socket("c", other):
                        pass
                await there.until(1, 1)
                await here.until(1, 1)
        assert late.all == [WatcherCount(3, 2)]
        for heard in (here, there):
            assert heard.all[-3:] == [WatcherCount(1, 1), WatcherCount(3, 2), WatcherCount(1, 1)], heard.all
            assert heard.all[:-3] in ([], [WatcherCount(0, 0)])


@pytest.mark.gen_test
async def test_the_sockets_of_a_killed_process_cease_to_count(redis_url: str) -> None:
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
        async with process(redis_url, SocketSettings(per_user=3), process_ttl_s=1) as one:
            heard = Heard()
            with one.limiter.subscribe(operation, heard):
                async with one.limiter.socket(user, operation):
                    await heard.until(3, 1)
                    with pytest.raises(Busy, match="You have 3 sockets open"):
                        async with one.limiter.socket(user):
                            pass
                    victim.kill()
                    await heard.until(1, 1)
                    async with one.limiter.socket(user), one.limiter.socket(user):
                        assert of_user(admin, user) == [3]
    finally:
        if victim.returncode is None:
            victim.kill()
        await victim.wait()
    assert left_in(admin, user, operation) == []
    admin.close()


@pytest.mark.gen_test
async def test_leaving_the_limiter_removes_its_counts(redis_url: str) -> None:
    user = new_id()
    admin = redis.Redis.from_url(redis_url, protocol=2)
    async with progress_on(redis_url) as progress:
        async with ConnectionLimiter(CounterStore(progress.redis), SocketSettings) as limits:
            await limits.socket(user).__aenter__()
            assert of_user(admin, user) == [1]
        assert left_in(admin, user) == []
    names = {task.get_name() for task in asyncio.all_tasks()}
    assert not {"progress reader", "connection limits"} & names
    admin.close()


@pytest.mark.gen_test
async def test_a_listener_that_fails_is_seen(redis_url: str) -> None:
    def fails(operation_id: str, presence: WatcherCount) -> None:
        raise KeyError(operation_id)

    async with (
        progress_on(redis_url) as progress,
        ConnectionLimiter(CounterStore(progress.redis), SocketSettings) as limits,
    ):
        with limits.subscribe("o", fails), pytest.raises(KeyError):
            await asyncio.wait_for(limits.task, patience())
