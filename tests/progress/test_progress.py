"""Frames, publishing and resuming, on a real Redis."""

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


def test_the_fields_stand_in_data_and_flat_unless_they_hide_the_envelope() -> None:
    data = {"type": "index", "id": "mine", "seq": 9, "operation_id": "other", "data": 1, "file": "ü.pdf"}
    message = json.loads(envelope("operation_started", data, operation_id="op"))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", message.pop("timestamp"))
    assert message == {"type": "operation_started", "operation_id": "op", "data": data, "file": "ü.pdf"}
    pong = json.loads(envelope("pong", {}, scan_id="s"))
    del pong["timestamp"]
    assert pong == {"type": "pong", "scan_id": "s", "data": {}}


def test_what_json_cannot_hold_is_refused_and_odd_file_names_are_not() -> None:
    with pytest.raises(ValueError, match="Out of range float"):
        envelope("status_update", {"eta_seconds": float("nan")}, operation_id="op")
    assert json.loads(envelope("error", {"path": "caf\udce9"}, operation_id="op"))["path"] == "caf?"


def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigError, match="redis_url"):
        ProgressService("http://localhost", LIMITS, "i")


@pytest.mark.gen_test
async def test_the_envelope_of_a_frame_is_made_once(redis_url: str) -> None:
    operation = new_id()
    async with (
        progress_on(redis_url) as progress,
        reading(progress, operation) as one,
        reading(progress, operation) as two,
        progress.publisher(operation) as teller,
    ):
        told_id = await teller.publish("operation_completed", operation_id=operation, type="x", status="done")
        [first], [second] = await take(one, 1), await take(two, 1)
    message = json.loads(first.json)
    assert message.pop("timestamp") == first.timestamp
    fields = {"operation_id": operation, "type": "x", "status": "done"}
    assert message == {
        "type": "operation_completed",
        "id": told_id,
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
        "id": told_id,
        "seq": 1,
        "operation_id": operation,
        "data": fields,
    }
    assert first.data == fields


@pytest.mark.gen_test
async def test_seq_has_no_hole_over_publishers_and_is_above_the_floor(redis_url: str) -> None:
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
async def test_once_is_once_for_every_publisher(redis_url: str) -> None:
    operation = new_id()
    async with progress_on(redis_url) as progress:
        async with progress.publisher(operation) as first:
            end = await first.publish("operation_completed", idempotency_key="end", status="completed")
        async with progress.publisher(operation) as second:
            assert await second.publish("operation_failed", idempotency_key="end", status="failed") == end
            await second.publish("status_update", idempotency_key="status", status="completed")
            assert second.last_seq == 2
        async with reading(progress, operation) as reader:
            assert [frame.type for frame in await take(reader, 2)] == ["operation_completed", "status_update"]


@pytest.mark.gen_test
async def test_the_end_sets_the_expiry_and_no_late_update_follows(redis_url: str) -> None:
    operation = new_id()
    async with progress_on(redis_url) as progress:
        async with progress.publisher(operation) as teller:
            await teller.publish("operation_started")
            admin = redis.Redis.from_url(redis_url)
            assert admin.ttl(stream_store.STREAM.format(operation_id=operation)) > LIMITS.keep_s
            await teller.publish("status_update", terminal=True, status="completed")
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
async def test_updates_coalesce_and_keep_the_order_of_the_calls(redis_url: str) -> None:
    operation = new_id()
    rare = settings.ProgressSettings(updates_per_s=0.1)
    async with progress_on(redis_url, rare) as progress, reading(progress, operation) as reader:
        async with progress.publisher(operation) as teller:
            teller.publish_latest("a", n=1)
            teller.publish_latest("b", n=2)
            teller.publish_latest("a", n=3)
            await teller.publish("stage", n=4)
            teller.publish_latest("a", n=5)
            telling = asyncio.create_task(teller.publish("stage", n=7))
            teller.publish_latest("a", n=6)
            await telling
            teller.publish_latest("a", n=8)
            teller.publish_latest("c", n=9)
            teller.publish_latest("a", n=10)
        frames = await take(reader, 7)
    # The task of 7 started after update 6.
    told = [(frame.type, frame.data["n"]) for frame in frames]
    assert told == [("b", 2), ("a", 3), ("stage", 4), ("a", 6), ("stage", 7), ("c", 9), ("a", 10)]


@pytest.mark.gen_test
async def test_updates_are_at_most_so_many_a_second(redis_url: str) -> None:
    operation = new_id()
    async with (
        progress_on(redis_url, settings.ProgressSettings(updates_per_s=20)) as progress,
        progress.publisher(operation) as teller,
        reading(progress, operation) as reader,
    ):
        for n in range(400):
            teller.publish_latest("file_processing", n=n)
            await asyncio.sleep(0.001)
        await teller.publish("stage")
        frames = [frame async for frame in until(reader, "stage")]
    times = [parse_stream_id(frame.id)[0] for frame in frames[:-2]]  # the last one was hurried by the stage
    assert all(later - earlier >= 45 for earlier, later in itertools.pairwise(times))
    assert frames[-2].data["n"] == 399
    assert seqs(frames) == list(range(1, len(frames) + 1))
