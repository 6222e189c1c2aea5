"""The stream reader: many subscriptions on one connection, and Redis outages while they are open."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from support.patience import patience
from support.redis_server import Lines, Missing, RedisServer, new_id, progress_on, reading, seqs, take, until

from semantik.progress import ProgressService, redis_client, stream_store


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
async def test_joining_during_a_burst_loses_and_repeats_nothing(redis_url: str) -> None:
    operation, count = new_id(), 400
    async with progress_on(redis_url) as progress, progress.publisher(operation) as publisher:

        async def join(started: asyncio.Event) -> list[Any]:
            await started.wait()
            async with reading(progress, operation) as reader:
                return seqs(await take(reader, count))

        starts = [asyncio.Event() for _ in range(20)]
        joins = [asyncio.create_task(join(event)) for event in starts]
        for n in range(count):
            if n % 20 == 0:
                starts[n // 20].set()
            await publisher.publish("error", n=n)
        for joined in await asyncio.gather(*joins):
            assert joined == list(range(1, count + 1))


def _reader_ids(admin: redis.Redis) -> set[str]:
    """The connections that read streams in this test's database; other tests may use the same Redis."""
    database = str(admin.connection_pool.connection_kwargs.get("db", 0))
    clients = [client for client in admin.client_list() if client["db"] == database]
    return {client["id"] for client in clients if client["cmd"] == "xread"}


@pytest.mark.gen_test
async def test_two_hundred_watchers_share_one_connection(redis_url: str) -> None:
    operations = [new_id() for _ in range(100)]
    async with progress_on(redis_url) as progress:

        async def first_seq(operation: str, listening: asyncio.Semaphore) -> list[Any]:
            async with reading(progress, operation, "$") as reader:
                listening.release()
                return seqs(await take(reader, 1))

        listening = asyncio.Semaphore(0)
        admin = redis.Redis.from_url(redis_url, protocol=2)
        before = _reader_ids(admin)
        watching = [asyncio.create_task(first_seq(name, listening)) for name in operations * 2]
        for _ in watching:
            await listening.acquire()
        publishers = [progress.publisher(name) for name in operations]
        await asyncio.gather(*[publisher.publish("stage") for publisher in publishers])
        assert await asyncio.gather(*watching) == [[1]] * 200
        readers = _reader_ids(admin) - before
        assert len(readers) <= 1
        admin.close()
        await asyncio.gather(*[publisher.close() for publisher in publishers])


@pytest.mark.gen_test
async def test_new_watcher_does_not_wait_for_the_blocking_read(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream_store, "BLOCK_S", 60.0)
    admin = redis.Redis.from_url(redis_url, protocol=2)
    async with progress_on(redis_url) as progress:
        for _ in range(3):
            while admin.info("clients")["blocked_clients"] == 0:  # noqa: ASYNC110, Redis sends no notification
                await asyncio.sleep(0.01)
            operation = new_id()
            async with reading(progress, operation) as reader, progress.publisher(operation) as publisher:
                await publisher.publish("stage")
                assert seqs(await take(reader, 1)) == [1]
    admin.close()


@pytest.mark.gen_test
async def test_closing_the_service_ends_subscriptions(redis_url: str) -> None:
    progress = progress_on(redis_url)
    async with progress:
        watching = reading(progress, new_id())
        reader = await watching.__aenter__()
    assert [message async for message in reader.frames()] == []
    await watching.__aexit__(None, None, None)
    assert not [task for task in asyncio.all_tasks() if "progress" in task.get_name()]


@pytest.mark.gen_test
async def test_failure_of_the_reader_task_is_reported(redis_url: str) -> None:
    operation = new_id()
    admin = redis.Redis.from_url(redis_url)
    async with progress_on(redis_url) as progress, reading(progress, operation):
        admin.xadd(stream_store.STREAM.format(operation_id=operation), {"not": "ours"})
        with pytest.raises(KeyError):
            await asyncio.wait_for(progress.failure, patience())
    admin.close()


@pytest.mark.noisy
@pytest.mark.gen_test
async def test_watchers_continue_after_redis_was_suspended(
    server: RedisServer, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_client, "COMMAND_S", 0.5)
    monkeypatch.setattr(stream_store, "BLOCK_S", 0.1)
    operation = new_id()
    async with (
        progress_on(server.url) as progress,
        progress.publisher(operation) as publisher,
        reading(progress, operation) as reader,
    ):
        await publisher.publish("stage")
        server.stand_still()
        await lines.until("Watchers wait")
        server.go_on()
        await lines.until("Redis is back")
        await publisher.publish("stage")
        assert seqs(await take(reader, 2)) == [1, 2]
    assert len(lines.said) == 2, lines.said


@pytest.mark.noisy
@pytest.mark.gen_test
async def test_watchers_continue_after_redis_was_killed_and_kept_its_data(
    saving_server: RedisServer, lines: Lines
) -> None:
    operation = new_id()
    async with (
        progress_on(saving_server.url) as progress,
        progress_on(saving_server.url) as other,
        other.publisher(operation) as publisher,
        reading(progress, operation) as late,
    ):
        live = asyncio.create_task(collect(progress, operation))
        for n in range(3):
            await asyncio.gather(*[publisher.publish("error", n=n) for n in range(50)])
            saving_server.kill()
            await lines.until("Watchers wait")
            await lines.until("Watchers wait")
            saving_server.start()
            await lines.until("Redis is back")
            await lines.until("Redis is back")
            await publisher.publish("round", idempotency_key=f"round {n}")
        await publisher.publish("end")
        assert await live == list(range(1, 155))
        assert seqs([message async for message in until(late, "end")]) == list(range(1, 155))


@pytest.mark.noisy
@pytest.mark.gen_test
async def test_replay_continues_after_redis_was_killed(saving_server: RedisServer, lines: Lines) -> None:
    operation, count = new_id(), 500
    async with progress_on(saving_server.url) as progress:
        async with progress.publisher(operation) as publisher:
            await asyncio.gather(*[publisher.publish("error", n=n) for n in range(count)])
        async with reading(progress, operation) as reader:
            messages = reader.frames()
            seen = [(await anext(messages)).seq]
            saving_server.kill()
            replaying = asyncio.create_task(take_from(messages, count - 1))
            await lines.until("Watchers wait")
            saving_server.start()
            assert seen + await replaying == list(range(1, count + 1))


async def take_from(messages: AsyncIterator[Any], count: int) -> list[Any]:
    return seqs([await anext(messages) for _ in range(count)])


async def collect(progress: ProgressService, operation: str) -> list[Any]:
    async with reading(progress, operation, "0-0") as reader:
        return seqs([message async for message in until(reader, "end")])


@pytest.mark.noisy
@pytest.mark.gen_test
async def test_empty_redis_is_announced_as_a_gap(server: RedisServer, lines: Lines) -> None:
    operation, idle = new_id(), new_id()
    async with progress_on(server.url) as progress, progress.publisher(operation) as publisher:
        async with reading(progress, operation) as reader, reading(progress, idle) as idle_reader:
            await publisher.publish("stage", idempotency_key="one")
            cursor = await publisher.publish("stage", idempotency_key="two")
            assert seqs(await take(reader, 2)) == [1, 2]
            server.kill()
            await lines.until("Watchers wait")
            server.start()
            await lines.until("Redis is back")
            await publisher.publish("stage", idempotency_key="two")
            assert seqs(await take(reader, 2)) == [Missing, 3]
            assert reader.watch.last_id == "0-0"
            async with progress.publisher(idle) as other:
                await other.publish("stage")
            assert seqs(await take(idle_reader, 1)) == [1]
        async with reading(progress, operation, cursor) as resumed:
            assert resumed.watch.truncated
            assert seqs(await take(resumed, 1)) == [3]


@pytest.mark.noisy
@pytest.mark.gen_test
async def test_messages_lost_before_they_were_read_are_announced_as_a_gap(server: RedisServer) -> None:
    operation = new_id()
    async with (
        progress_on(server.url) as progress,
        progress.publisher(operation) as publisher,
        reading(progress, operation) as reader,
    ):
        await publisher.publish("stage")
        assert seqs(await take(reader, 1)) == [1]
        server.kill()
        server.start()
        # Another server published 2, 3 and 4, which Redis lost, and continues before this server has reconnected.
        for seq in (5, 6):
            server.admin.xadd(
                stream_store.STREAM.format(operation_id=operation),
                {"seq": seq, "type": "stage", "at": "T", "data": "{}"},
            )
        assert seqs(await take(reader, 3)) == [Missing, 5, 6]
