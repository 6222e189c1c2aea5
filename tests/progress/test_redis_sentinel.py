"""Redis with Sentinel: another primary is found, and no watcher misses a message unknowingly. A Cluster is refused."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.patience import deadline
from support.redis_sentinel import NAME, PASSWORD, InClusterMode, WithSentinel
from support.redis_server import Missing, new_id, progress_on, reading, tell_patiently
from support.server import ROOT

from semantik.core.errors import ConfigError
from semantik.progress.redis_address import open_clients
from semantik.progress.redis_client import RedisClient

pytestmark = pytest.mark.gen_test


@pytest.fixture
def sentinel(tmp_path: Path) -> Iterator[WithSentinel]:
    made = WithSentinel(tmp_path / "redis")
    yield made
    made.stop()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[InClusterMode]:
    made = InClusterMode(tmp_path / "cluster")
    yield made
    made.stop()


@pytest.mark.noisy
@pytest.mark.parametrize("fault", ["kill_primary", "suspend_primary"])
async def test_messages_go_on_with_another_primary(sentinel: WithSentinel, fault: str) -> None:
    operation = new_id()
    async with (
        deadline(),
        progress_on(sentinel.url) as progress,
        progress.publisher(operation) as publisher,
        reading(progress, operation) as reader,
    ):
        messages = reader.frames()
        await publisher.publish("operation_queued")
        assert (await anext(messages)).seq == 1
        getattr(sentinel, fault)()
        for number in range(5):
            await asyncio.sleep(0.2)
            await tell_patiently(publisher, "stage", once=f"stage-{number}")
        await tell_patiently(publisher, "operation_completed", once="end")
        found = []
        async for message in messages:
            if message is not Missing:  # the replica may not have had the first message yet
                found.append(message)
            if message is not Missing and message.type == "operation_completed":
                break
        assert [each.seq for each in found] == list(range(2, 8))
        assert await progress.ping()


async def test_a_cluster_is_refused_in_a_sentence(cluster: InClusterMode) -> None:
    with pytest.raises(
        ConfigError, match="names a Redis Cluster, which Semantik cannot use: take a single Redis"
    ):
        async with progress_on(cluster.url):
            pass


async def test_a_server_with_a_cluster_exits_with_status_2(cluster: InClusterMode, tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        ROOT / "bin" / "semantik-server",
        *("--data", str(tmp_path / "data"), "--port", "0", "--redis-url", cluster.url),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await process.communicate()
    assert process.returncode == 2
    assert b"redis_url names a Redis Cluster" in said and b"Traceback" not in said


async def test_a_redis_that_may_not_be_asked_is_no_cluster(redis_url: str) -> None:
    client = RedisClient(redis_url)
    await client.refuse_cluster()
    await client.close()


async def test_all_parts_of_an_address_with_sentinel_are_used() -> None:
    url = (
        "rediss+sentinel://me:p%40ss@one,[::1]:5000/my%20name/3?ssl_ca_certs=/ca.pem&sentinel_password=a%2Fb"
    )
    clients = open_clients(url, 4, 1.0, {"socket_connect_timeout": 2.0})
    assert clients.sentinel is not None
    [one, two] = [each.connection_pool.connection_kwargs for each in clients.sentinel.sentinels]
    assert (one["host"], one["port"], two["host"], two["port"]) == ("one", 26379, "::1", 5000)
    assert one["ssl_ca_certs"] == "/ca.pem" and one["password"] == "a/b" and not one.get("username")
    assert one["socket_connect_timeout"] == 0.5
    kwargs = clients.commands.connection_pool.connection_kwargs
    assert kwargs["connection_pool"].service_name == "my name"
    assert (kwargs["username"], kwargs["password"], kwargs["db"]) == ("me", "p@ss", 3)
    assert (
        kwargs["ssl_ca_certs"] == "/ca.pem"
        and "SSL" in clients.commands.connection_pool.connection_class.__name__
    )
    await clients.close()


@pytest.mark.parametrize(
    "rest",
    ["one:26379", f"/{NAME}", f"one:x/{NAME}", f"one,/{NAME}", f"one/{NAME}/db", f"{PASSWORD}/{NAME}/0/1"],
)
def test_an_address_with_sentinel_that_is_wrong_is_refused(rest: str) -> None:
    with pytest.raises(ConfigError, match="redis_url is not an address of a Redis: "):
        RedisClient(f"redis+sentinel://{rest}")
