"""Message envelopes, publishing and update rates, on a real Redis."""

from __future__ import annotations

import asyncio
import itertools
import json
import re

import msgpack
import pytest
import redis
from support.redis_server import LIMITS, new_id, progress_on, reading, seqs, take, until

from semantik.config import settings
from semantik.core.errors import ConfigError
from semantik.progress import ProgressService, envelope, parse_stream_id, stream_store


def test_fields_are_in_data_and_flat_unless_they_collide_with_the_envelope() -> None:
    data = {"type": "index", "id": "mine", "seq": 9, "operation_id": "other", "data": 1, "file": "ü.pdf"}
    message = json.loads(envelope("operation_started", data, operation_id="op"))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", message.pop("timestamp"))
    assert message == {"type": "operation_started", "operation_id": "op", "data": data, "file": "ü.pdf"}
    pong = json.loads(envelope("pong", {}, scan_id="s"))
    del pong["timestamp"]
    assert pong == {"type": "pong", "scan_id": "s", "data": {}}


def test_values_that_json_cannot_hold_are_rejected_and_undecodable_file_names_are_not() -> None:
    with pytest.raises(ValueError, match="Out of range float"):
        envelope("status_update", {"eta_seconds": float("nan")}, operation_id="op")
    assert json.loads(envelope("error", {"path": "caf\udce9"}, operation_id="op"))["path"] == "caf?"


def test_invalid_redis_url_is_rejected() -> None:
    with pytest.raises(ConfigError, match="redis_url"):
        ProgressService("http://localhost", LIMITS, "i")


@pytest.mark.gen_test
async def test_message_is_encoded_once_for_all_subscribers(redis_url: str) -> None:
    operation = new_id()
    async with (
        progress_on(redis_url) as progress,
        reading(progress, operation) as one,
        reading(progress, operation) as two,
        progress.publisher(operation) as publisher,
    ):
        message_id = await publisher.publish(
            "operation_completed", operation_id=operation, type="x", status="done"
        )
        [first], [second] = await take(one, 1), await take(two, 1)
    message = json.loads(first.json)
    assert message.pop("timestamp") == first.timestamp
    fields = {"operation_id": operation, "type": "x", "status": "done"}
    assert message == {
        "type": "operation_completed",
        "id": message_id,
        "seq": 1,
        "operation_id": operation,
        "data": fields,
        "status": "done",
    }
    assert first.json is second.json
    packed = msgpack.unpackb(first.msgpack)
    assert packed == {
        "type": "operation_completed",
        "timestamp": first.timestamp,
        "id": message_id,
        "seq": 1,
        "operation_id": operation,
        "data": fields,
    }
    assert first.data == fields


@pytest.mark.gen_test
async def test_seq_has_no_gap_across_publishers_and_exceeds_min_seq(redis_url: str) -> None:
    operation = new_id()
    async with progress_on(redis_url) as progress:
        async with progress.publisher(operation) as first:
            await first.publish("operation_started", total_files=0)
            first.publish_latest("file_processing", processed_files=1)
        async with progress.publisher(operation, min_seq=1) as second:
            await second.publish("status_update", status="processing")
            assert second.last_seq == 3
        async with reading(progress, operation) as reader:
            assert seqs(await take(reader, 3)) == [1, 2, 3]
        await progress.delete(operation)
        async with progress.publisher(operation, min_seq=3) as third:
            await third.publish("status_update", status="completed")
            assert third.last_seq == 4


@pytest.mark.gen_test
async def test_idempotency_key_holds_across_publishers(redis_url: str) -> None:
    operation = new_id()
    async with progress_on(redis_url) as progress:
        async with progress.publisher(operation) as first:
            end = await first.publish("operation_completed", idempotency_key="end", status="completed")
        async with progress.publisher(operation) as second:
            assert await second.publish("operation_failed", idempotency_key="end", status="failed") == end
            await second.publish("status_update", idempotency_key="status", status="completed")
            assert second.last_seq == 2
        async with reading(progress, operation) as reader:
            assert [message.type for message in await take(reader, 2)] == [
                "operation_completed",
                "status_update",
            ]


@pytest.mark.gen_test
async def test_terminal_message_sets_the_expiry_and_no_update_follows(redis_url: str) -> None:
    operation = new_id()
    async with progress_on(redis_url) as progress:
        async with progress.publisher(operation) as publisher:
            await publisher.publish("operation_started")
            admin = redis.Redis.from_url(redis_url)
            assert admin.ttl(stream_store.STREAM.format(operation_id=operation)) > LIMITS.keep_s
            await publisher.publish("status_update", terminal=True, status="completed")
        async with progress.publisher(operation) as late:
            late.publish_latest("document_processed", processed=1)
        for key in (stream_store.STREAM, stream_store.COUNTER):
            assert 0 < admin.ttl(key.format(operation_id=operation)) <= LIMITS.keep_s
        assert admin.xlen(stream_store.STREAM.format(operation_id=operation)) == 2
        await progress.delete(operation)
        assert not admin.exists(
            stream_store.STREAM.format(operation_id=operation),
            stream_store.COUNTER.format(operation_id=operation),
        )
        admin.close()


@pytest.mark.gen_test
async def test_updates_coalesce_and_keep_call_order(redis_url: str) -> None:
    operation = new_id()
    low_rate = settings.ProgressSettings(updates_per_s=0.1)
    async with progress_on(redis_url, low_rate) as progress, reading(progress, operation) as reader:
        async with progress.publisher(operation) as publisher:
            publisher.publish_latest("a", n=1)
            publisher.publish_latest("b", n=2)
            publisher.publish_latest("a", n=3)
            await publisher.publish("stage", n=4)
            publisher.publish_latest("a", n=5)
            publishing = asyncio.create_task(publisher.publish("stage", n=7))
            publisher.publish_latest("a", n=6)
            await publishing
            publisher.publish_latest("a", n=8)
            publisher.publish_latest("c", n=9)
            publisher.publish_latest("a", n=10)
        messages = await take(reader, 7)
    # The task that publishes 7 started after update 6.
    published = [(message.type, message.data["n"]) for message in messages]
    assert published == [("b", 2), ("a", 3), ("stage", 4), ("a", 6), ("stage", 7), ("c", 9), ("a", 10)]


@pytest.mark.gen_test
async def test_update_rate_is_limited(redis_url: str) -> None:
    operation = new_id()
    async with (
        progress_on(redis_url, settings.ProgressSettings(updates_per_s=20)) as progress,
        progress.publisher(operation) as publisher,
        reading(progress, operation) as reader,
    ):
        for n in range(400):
            publisher.publish_latest("file_processing", n=n)
            await asyncio.sleep(0.001)
        await publisher.publish("stage")
        messages = [message async for message in until(reader, "stage")]
    times = [parse_stream_id(message.id)[0] for message in messages[:-2]]  # "stage" flushes the last update
    assert all(later - earlier >= 45 for earlier, later in itertools.pairwise(times))
    assert messages[-2].data["n"] == 399
    assert seqs(messages) == list(range(1, len(messages) + 1))
