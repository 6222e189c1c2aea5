"""Coming back to a stream: after a cursor, after a hole, and after a Redis that was away."""

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
from semantik.progress import Message, MessageBatch, publisher, redis_client, stream_store


@pytest.fixture
def redis_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RedisServer]:
    """One that may be ended; the room gives up on it sooner than usual."""
    monkeypatch.setattr(redis_client, "COMMAND_S", 0.3)
    monkeypatch.setattr(stream_store, "BLOCK_S", 0.3)
    monkeypatch.setattr(publisher, "PUBLISH_TIMEOUT_S", 0.5)
    server = RedisServer(tmp_path)
    yield server
    server.go_on()
    server.kill()


@pytest.mark.gen_test
async def test_resuming_by_since(redis_url: str) -> None:
    operation = new_id()
    async with progress_on(redis_url) as progress, progress.publisher(operation) as teller:
        ids = [await teller.publish("error", n=n) for n in range(10)]
        for since, expected in ((None, 1), ("0-0", 1), (ids[0], 2), (ids[5], 7), (ids[8], 10)):
            async with reading(progress, operation, since) as reader:
                assert (reader.watch.truncated, reader.watch.last_id) == (False, ids[-1])
                assert (await take(reader, 1))[0].seq == expected
        async with (
            reading(progress, operation, "$") as fresh,
            reading(progress, operation, ids[-1]) as up_to_date,
        ):
            await teller.publish("error", n=11)
            assert seqs(await take(fresh, 1)) == seqs(await take(up_to_date, 1)) == [11]


@pytest.mark.gen_test
async def test_each_page_of_the_history_comes_into_room_that_was_waited_for(redis_url: str) -> None:
    """What is sent beside it, like who watches, would otherwise count against the bound together with a whole page."""

    class Door:
        def __init__(self) -> None:
            self.calls: list[int | str] = []

        def deliver(self, batch: MessageBatch) -> bool:
            self.calls.append(len(batch.messages))
            return batch.messages[-1].id != ids[-1]

        async def wait_writable(self) -> None:
            self.calls.append("room")

    async with progress_on(redis_url) as progress, progress.publisher(operation := new_id()) as teller:
        ids = [await teller.publish("error", n=n) for n in range(450)]
        door = Door()
        async with progress.subscribe(operation, door) as watch:
            assert not await watch.follow()
    # Once for what was sent while a page was read, and once for the page.
    assert door.calls == [each for page in (200, 200, 50) for each in ("room", page, "room")]


@pytest.mark.gen_test
@pytest.mark.parametrize(
    "since", ["", "abc", "1", "1-", "-", "1-2-3", "+", "$$", "１-0", f"{1 << 64}-0", " 1-0"]
)
async def test_a_malformed_since_is_named(redis_url: str, since: str) -> None:
    async with progress_on(redis_url) as progress:
        with pytest.raises(Invalid, match=re.escape(repr(since)[:60])):
            async with reading(progress, "op", since):
                pass


@pytest.mark.gen_test
async def test_a_history_that_no_longer_reaches_back_is_truncated(redis_url: str) -> None:
    operation = new_id()
    async with progress_on(redis_url, settings.ProgressSettings(history_messages=100)) as progress:
        async with reading(progress, operation, "0-0") as empty:
            assert (empty.watch.truncated, empty.watch.last_id) == (False, "0-0")
        async with reading(progress, operation, "1-1") as gone:
            assert gone.watch.truncated
        async with progress.publisher(operation) as teller:
            ids = await asyncio.gather(*[teller.publish("error", n=n) for n in range(500)])
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
                await teller.publish("stage")
                assert seqs(await take(reader, 1)) == [501]


@pytest.mark.gen_test
async def test_a_hole_in_the_history_is_announced_where_it_is(redis_url: str) -> None:
    operation = new_id()
    async with progress_on(redis_url) as progress:
        async with progress.publisher(operation) as teller:
            before = await teller.publish("stage")
        async with progress.publisher(operation, min_seq=7) as other, reading(progress, operation) as reader:
            await other.publish("stage")
            assert seqs(await take(reader, 3)) == [1, Missing, 8]
            assert reader.watch.last_id == before


@pytest.mark.noisy
@pytest.mark.gen_test
async def test_telling_while_redis_stands_still(redis_server: RedisServer) -> None:
    operation = new_id()
    async with progress_on(redis_server.url) as progress:
        async with progress.publisher(operation) as teller:
            await teller.publish("operation_started")
            redis_server.stand_still()
            assert not await progress.ping()
            teller.publish_latest("file_processing", n=1)
            teller.publish_latest("document_processed", n=2)
            for _ in range(3):
                with pytest.raises(Unavailable):
                    await teller.publish("scanning_completed", idempotency_key="scanned")
                teller.publish_latest("file_processing", n=3)
            with pytest.raises(Unavailable):
                async with reading(progress, operation):
                    pass
            redis_server.go_on()
            await tell_patiently(teller, "scanning_completed", once="scanned")
            await tell_patiently(teller, "stage", once="stage")
        async with reading(progress, operation) as reader:
            frames = [frame async for frame in until(reader, "stage")]
    # Redis finds the repeated tries in its sockets' buffers when it goes on: none may count twice.
    assert seqs(frames) == list(range(1, len(frames) + 1))
    assert [frame.type for frame in frames].count("scanning_completed") == 1
    assert [frame.data["n"] for frame in frames if frame.type == "document_processed"] == [2]
    numbers = [frame.data["n"] for frame in frames if frame.type == "file_processing"]
    assert numbers == sorted(numbers)
    assert numbers[-1] == 3


@pytest.mark.noisy
@pytest.mark.gen_test
async def test_updates_survive_a_redis_that_is_killed(redis_server: RedisServer) -> None:
    operation = new_id()
    async with progress_on(redis_server.url) as progress, progress.publisher(operation) as teller:
        await teller.publish("operation_started")
        redis_server.kill()
        for n in range(50):
            teller.publish_latest("file_processing", n=n)
            await asyncio.sleep(0)
        with pytest.raises(Unavailable):
            await teller.publish("stage", idempotency_key="stage")
        waiting = asyncio.create_task(progress.wait_available())
        redis_server.start()
        await waiting
        await tell_patiently(teller, "stage", once="stage")
        async with reading(progress, operation) as reader:
            frames = await take(reader, 2)
        assert [(frame.seq, frame.type) for frame in frames] == [(2, "file_processing"), (3, "stage")]
        assert frames[0].data["n"] == 49
