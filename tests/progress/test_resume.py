"""Resuming a stream: after a cursor, after a gap, and after a Redis outage."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.redis_server import (
    Missing,
    RedisServer,
    new_id,
    progress_on,
    reading,
    seqs,
    take,
    tell_patiently,
    until,
)

from semantik.config import settings
from semantik.core.errors import Invalid, Unavailable
from semantik.progress import Message, MessageBatch, redis_client, stream_store
from semantik.progress import publisher as publisher_module


@pytest.fixture
def redis_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RedisServer]:
    """A server that may be suspended or killed, with shorter timeouts than usual."""
    monkeypatch.setattr(redis_client, "COMMAND_S", 0.3)
    monkeypatch.setattr(stream_store, "BLOCK_S", 0.3)
    monkeypatch.setattr(publisher_module, "PUBLISH_TIMEOUT_S", 0.5)
    server = RedisServer(tmp_path)
    yield server
    server.go_on()
    server.kill()


@pytest.mark.gen_test
async def test_since_resumes_after_the_given_message(redis_url: str) -> None:
    operation = new_id()
    async with progress_on(redis_url) as progress, progress.publisher(operation) as publisher:
        ids = [await publisher.publish("error", n=n) for n in range(10)]
        for since, expected in ((None, 1), ("0-0", 1), (ids[0], 2), (ids[5], 7), (ids[8], 10)):
            async with reading(progress, operation, since) as reader:
                assert (reader.watch.truncated, reader.watch.last_id) == (False, ids[-1])
                assert (await take(reader, 1))[0].seq == expected
        async with (
            reading(progress, operation, "$") as fresh,
            reading(progress, operation, ids[-1]) as up_to_date,
        ):
            await publisher.publish("error", n=11)
            assert seqs(await take(fresh, 1)) == seqs(await take(up_to_date, 1)) == [11]


@pytest.mark.gen_test
async def test_the_progress_that_was_published_last_is_found_behind_other_messages(redis_url: str) -> None:
    operation = new_id()
    async with progress_on(redis_url) as progress, progress.publisher(operation) as publisher:
        assert await progress.published_percent(operation) == 0
        for percent in (39.2, 40.2):
            await publisher.publish("document_processed", progress_percent=percent)
        await publisher.publish("error", n=1)
        assert await progress.published_percent(operation) == 40.2


@pytest.mark.gen_test
async def test_each_history_page_is_delivered_after_waiting_for_a_writable_queue(redis_url: str) -> None:
    """Otherwise concurrent messages, such as presence, would count against the limit together with a full page."""

    class RecordingSubscriber:
        def __init__(self) -> None:
            self.calls: list[int | str] = []

        def deliver(self, batch: MessageBatch) -> bool:
            self.calls.append(len(batch.messages))
            return batch.messages[-1].id != ids[-1]

        async def wait_writable(self) -> None:
            self.calls.append("wait")

    async with progress_on(redis_url) as progress, progress.publisher(operation := new_id()) as publisher:
        ids = [await publisher.publish("error", n=n) for n in range(450)]
        subscriber = RecordingSubscriber()
        async with progress.subscribe(operation, subscriber) as subscription:
            assert not await subscription.follow()
    # One wait for messages sent while the page was read, and one for the page.
    assert subscriber.calls == [each for page in (200, 200, 50) for each in ("wait", page, "wait")]


@pytest.mark.gen_test
@pytest.mark.parametrize(
    "since", ["", "abc", "1", "1-", "-", "1-2-3", "+", "$$", "１-0", f"{1 << 64}-0", " 1-0"]
)
async def test_malformed_since_is_rejected_and_named(redis_url: str, since: str) -> None:
    async with progress_on(redis_url) as progress:
        with pytest.raises(Invalid, match=re.escape(repr(since)[:60])):
            async with reading(progress, "op", since):
                pass


@pytest.mark.gen_test
async def test_cursor_older_than_the_history_is_truncated(redis_url: str) -> None:
    operation = new_id()
    async with progress_on(redis_url, settings.ProgressSettings(history_messages=100)) as progress:
        async with reading(progress, operation, "0-0") as empty:
            assert (empty.watch.truncated, empty.watch.last_id) == (False, "0-0")
        async with reading(progress, operation, "1-1") as gone:
            assert gone.watch.truncated
        async with progress.publisher(operation) as publisher:
            ids = await asyncio.gather(*[publisher.publish("error", n=n) for n in range(500)])
            for since, truncated in (
                ("0-0", True),
                (ids[0], True),
                (ids[450], False),
                ("9999999999999-0", True),
            ):
                async with reading(progress, operation, since) as reader:
                    assert reader.watch.truncated is truncated, since
            async with reading(progress, operation, ids[0]) as reader:
                first = (await take(reader, 1))[0]
                assert isinstance(first, Message)
                assert 1 < first.seq <= 401
            async with reading(progress, operation, "9999999999999-0") as reader:
                await publisher.publish("stage")
                assert seqs(await take(reader, 1)) == [501]


@pytest.mark.gen_test
async def test_gap_in_the_history_is_announced_at_its_position(redis_url: str) -> None:
    operation = new_id()
    async with progress_on(redis_url) as progress:
        async with progress.publisher(operation) as publisher:
            before = await publisher.publish("stage")
        async with progress.publisher(operation, min_seq=7) as other, reading(progress, operation) as reader:
            await other.publish("stage")
            assert seqs(await take(reader, 3)) == [1, Missing, 8]
            assert reader.watch.last_id == before


@pytest.mark.noisy
@pytest.mark.gen_test
async def test_publishing_continues_after_redis_was_suspended(redis_server: RedisServer) -> None:
    operation = new_id()
    async with progress_on(redis_server.url) as progress:
        async with progress.publisher(operation) as publisher:
            await publisher.publish("operation_started")
            redis_server.stand_still()
            assert not await progress.ping()
            publisher.publish_latest("file_processing", n=1)
            publisher.publish_latest("document_processed", n=2)
            for _ in range(3):
                with pytest.raises(Unavailable):
                    await publisher.publish("scanning_completed", idempotency_key="scanned")
                publisher.publish_latest("file_processing", n=3)
            with pytest.raises(Unavailable):
                async with reading(progress, operation):
                    pass
            redis_server.go_on()
            await tell_patiently(publisher, "scanning_completed", once="scanned")
            await tell_patiently(publisher, "stage", once="stage")
        async with reading(progress, operation) as reader:
            messages = [message async for message in until(reader, "stage")]
    # Redis finds the retries in its socket buffers when it resumes: none may count twice.
    assert seqs(messages) == list(range(1, len(messages) + 1))
    assert [message.type for message in messages].count("scanning_completed") == 1
    assert [message.data["n"] for message in messages if message.type == "document_processed"] == [2]
    numbers = [message.data["n"] for message in messages if message.type == "file_processing"]
    assert numbers == sorted(numbers)
    assert numbers[-1] == 3


@pytest.mark.noisy
@pytest.mark.gen_test
async def test_updates_survive_a_redis_restart(redis_server: RedisServer) -> None:
    operation = new_id()
    async with progress_on(redis_server.url) as progress, progress.publisher(operation) as publisher:
        await publisher.publish("operation_started")
        redis_server.kill()
        for n in range(50):
            publisher.publish_latest("file_processing", n=n)
            await asyncio.sleep(0)
        with pytest.raises(Unavailable):
            await publisher.publish("stage", idempotency_key="stage")
        waiting = asyncio.create_task(progress.wait_available())
        redis_server.start()
        await waiting
        await tell_patiently(publisher, "stage", once="stage")
        async with reading(progress, operation) as reader:
            messages = await take(reader, 2)
        assert [(message.seq, message.type) for message in messages] == [(2, "file_processing"), (3, "stage")]
        assert messages[0].data["n"] == 49
