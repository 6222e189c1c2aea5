"""An owner that is alive, but slow because of its store or its machine, keeps its lease."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from support.api import new_user
from support.operation_fixtures import (
    SMALL_STEPS,
    begin,
    in_the_middle,
    is_as_undisturbed,
    make_folder,
    until_ended,
)
from support.two_servers import Two, owner_of
from support.watchers import Watcher, same_story

from semantik.storage.mongo import Store

pytestmark = [pytest.mark.gen_test, pytest.mark.noisy, pytest.mark.server]

_LEASE_S = 4.0
_SUSPENDED_S = 3.0  # plus up to 1 s since the last renewal, the lease expires while its owner is alive
_RESUMED_S = 0.15
_TIMES = 5
_AWAY_S = 15.0  # longer than a lease, even after the message that the operation waits for has failed
_FLAGS = (
    "--auth-registration",
    "open",
    "--operations-lease-s",
    f"{_LEASE_S:g}",
    "--progress-linger-s",
    "0.5",
)


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Two]:
    with Two(tmp_path_factory.mktemp("slow")) as servers:
        servers.start(*_FLAGS, *SMALL_STEPS)
        yield servers


@pytest.mark.parametrize("slow", ["MongoDB", "the server", "Redis"])
async def test_a_slow_owner_keeps_its_operation(two: Two, tmp_path: Path, slow: str) -> None:
    client = await new_user(two.servers[0])
    started = await begin("index", client, make_folder(tmp_path / "lamps", 160))
    watcher = Watcher([two.servers[1].url, two.servers[0].url], client.token, started.operation_id)
    async with asyncio.TaskGroup() as tasks, Store(two.stores.mongo_url, two.stores.database) as store:
        operation = await in_the_middle(store, started, 0.05)
        assert operation.lease is not None
        owner = owner_of(operation, two.servers)
        tasks.create_task(watcher.follow())
        suspend, resume = {
            "MongoDB": (two.mongo.stand_still, two.mongo.go_on),
            "Redis": (two.redis.stand_still, two.redis.go_on),
            "the server": (
                partial(owner.process.send_signal, signal.SIGSTOP),
                partial(owner.process.send_signal, signal.SIGCONT),
            ),
        }[slow]
        times, suspended_s = (1, _AWAY_S) if slow == "Redis" else (_TIMES, _SUSPENDED_S)
        if slow == "Redis":
            suspend()
            await in_the_middle(store, started, 0.999)  # only the end remains to be published
        for _ in range(times):
            suspend()
            await asyncio.sleep(suspended_s)
            resume()
            await asyncio.sleep(_RESUMED_S)
        ended = await until_ended(store, started)
    assert ended.status == "completed"
    assert ended.lease is not None and ended.lease.token == operation.lease.token, (
        "another server took the lease"
    )
    same_story([watcher])
    await is_as_undisturbed(started, client, two.stores, alone=False)
