"""Connection limits across several processes, on a real Redis."""

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

# A server process that reserves two sockets and reports it; the test kills it.
VICTIM = """
import asyncio, sys
from semantik.config.settings import SocketSettings
from semantik.connection_limits import ConnectionLimiter, CounterStore
from semantik.progress import RedisClient

async def main(url, user, operation):
    store = CounterStore(RedisClient(url))
    async with ConnectionLimiter(store, SocketSettings, process_ttl_s=1) as limiter:
        async with limiter.socket(user, operation), limiter.socket(user, operation):
            print("reserved", flush=True)
            await limiter.task

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.mark.gen_test
async def test_limits_hold_and_counters_are_released(redis_url: str) -> None:
    user, operation = new_id(), new_id()
    admin = redis.Redis.from_url(redis_url, protocol=2)
    async with process(redis_url) as one, process(redis_url) as two, AsyncExitStack() as held:
        both = (one.limiter, two.limiter)
        reserved, rejected = await try_all(held, 50, lambda n: both[n % 2].socket(user, operation))
        assert reserved == 10
        assert {type(error) for error in rejected} == {Busy}
        assert str(rejected[0]) == (
            "You have 10 sockets open, and 10 are allowed (sockets.per_user): close one, or try again later."
        )
        assert sum(of_user(admin, user)) == 10
        await held.aclose()
        async with one.limiter.socket(user):  # the process sends its releases before its next reservation
            pass
    assert left_in(admin, user, operation, one.id, two.id) == []
    assert 0 < admin.ttl(counter_store.CHANGED) <= counter_store.CHANGED_TTL_S
    admin.close()


@pytest.mark.gen_test
async def test_sockets_per_operation_and_scans_per_user_are_limited(redis_url: str) -> None:
    operation, user = new_id(), new_id()
    limits = SocketSettings(per_user=10, per_operation=3, scans_per_user=2)
    async with (
        process(redis_url, limits) as one,
        process(redis_url, limits) as two,
        AsyncExitStack() as held,
    ):
        both = (one.limiter, two.limiter)
        reserved, rejected = await try_all(held, 20, lambda n: both[n % 2].socket(new_id(), operation))
        assert reserved == 3
        assert str(rejected[0]).startswith(
            "3 sockets watch this operation, and 3 are allowed (sockets.per_op"
        )
        reserved, rejected = await try_all(held, 20, lambda n: both[n % 2].scan(user))
        assert reserved == 2
        assert str(rejected[0]).startswith(
            "You have 2 scans running, and 2 are allowed (sockets.scans_per_us"
        )


@pytest.mark.gen_test
async def test_rejected_reservation_leaves_no_counter(redis_url: str) -> None:
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
async def test_concurrent_reservations_share_few_updates(redis_url: str) -> None:
    operation = new_id()
    limits = SocketSettings(per_user=1000, per_operation=1000)
    async with process(redis_url, limits) as one, process(redis_url, limits) as two:
        heard = Heard()
        with two.limiter.subscribe(operation, heard):
            await heard.until(0, 0)
            async with AsyncExitStack() as held:
                users = [new_id() for _ in range(5)]
                reserved, _ = await try_all(held, 1000, lambda n: one.limiter.socket(users[n % 5], operation))
                assert reserved == 1000
                await heard.until(1000, 5)
                assert len(one.store.sent) < 10
            await heard.until(0, 0)
            assert len(heard.all) < 10
            assert len(one.store.sent) < 20


@pytest.mark.gen_test
async def test_listener_does_not_poll_for_every_change(redis_url: str) -> None:
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
async def test_presence_is_reported_once_per_change(redis_url: str) -> None:
    operation, other = new_id(), new_id()
    async with process(redis_url, process_ttl_s=600) as one, process(redis_url, process_ttl_s=600) as two:
        first, second, late = Heard(), Heard(), Heard()
        with one.limiter.subscribe(operation, first), two.limiter.subscribe(operation, second):
            async with one.limiter.socket("a", operation):
                await first.until(1, 1)
                await second.until(1, 1)
                async with AsyncExitStack() as held:
                    await try_all(held, 2, lambda n: two.limiter.socket("ab"[n], operation))
                    await first.until(3, 2)
                    await second.until(3, 2)
                    with two.limiter.subscribe(operation, late):
                        await late.until(3, 2)
                    async with two.limiter.socket("c", other):
                        pass
                await second.until(1, 1)
                await first.until(1, 1)
        assert late.all == [WatcherCount(3, 2)]
        for heard in (first, second):
            assert heard.all[-3:] == [WatcherCount(1, 1), WatcherCount(3, 2), WatcherCount(1, 1)], heard.all
            assert heard.all[:-3] in ([], [WatcherCount(0, 0)])


@pytest.mark.gen_test
async def test_connections_of_a_killed_process_expire(redis_url: str) -> None:
    user, operation = new_id(), new_id()
    admin = redis.Redis.from_url(redis_url, protocol=2)
    arguments = ("-c", VICTIM, redis_url, user, operation)
    path = {"PYTHONPATH": str(Path(limiter.__file__).parents[2])}
    victim = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, stdout=asyncio.subprocess.PIPE, env={**os.environ, **path}
    )
    assert victim.stdout is not None
    try:
        assert await victim.stdout.readline() == b"reserved\n"
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
async def test_closing_the_limiter_removes_its_counters(redis_url: str) -> None:
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
async def test_failing_listener_is_reported(redis_url: str) -> None:
    def failing_listener(operation_id: str, presence: WatcherCount) -> None:
        raise KeyError(operation_id)

    async with (
        progress_on(redis_url) as progress,
        ConnectionLimiter(CounterStore(progress.redis), SocketSettings) as limits,
    ):
        with limits.subscribe("o", failing_listener), pytest.raises(KeyError):
            await asyncio.wait_for(limits.task, patience())
