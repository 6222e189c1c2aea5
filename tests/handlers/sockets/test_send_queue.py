"""What waits for one reader: it is counted while it waits, and no longer."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from tornado.iostream import IOStream

from handlers.sockets.send_queue import SendQueue, SentCounter
from semantik.config import settings

pytestmark = pytest.mark.gen_test

CHUNK = bytes(1 << 20)  # more than the kernel takes at once
FEW = settings.SocketSettings(send_queue_messages=10, send_queue_bytes=100 << 20)


@asynccontextmanager
async def outbox() -> AsyncIterator[tuple[SendQueue, socket.socket]]:
    """An outbox, and the reader's end of its connection."""
    here, there = socket.socketpair()
    there.setblocking(False)
    stream = IOStream(here)
    try:
        yield SendQueue(stream, FEW, SentCounter()), there
    finally:
        stream.close()
        there.close()


async def take(reader: socket.socket, size: int) -> None:
    while size > 0:
        size -= len(await asyncio.get_running_loop().sock_recv(reader, size))


async def test_a_reader_who_is_always_a_little_behind_is_not_too_slow() -> None:
    async with outbox() as (box, reader):
        assert box.push(CHUNK) and box.push(CHUNK) and box.push(CHUNK)
        for _ in range(5 * FEW.send_queue_messages):
            await take(reader, len(CHUNK))
            assert box.push(CHUNK)


async def test_a_reader_who_stops_is_too_slow() -> None:
    async with outbox() as (box, _):
        taken = [box.push(CHUNK) for _ in range(2 * FEW.send_queue_messages)]
        assert taken == [True] * (FEW.send_queue_messages + 1) + [False] * (
            FEW.send_queue_messages - 1
        )  # the first is being written
        assert box.slow


async def test_all_who_wait_for_room_get_it() -> None:
    async with outbox() as (box, reader):
        box.push(CHUNK)
        waiting = [asyncio.create_task(box.wait_writable()) for _ in range(3)]
        await take(reader, len(CHUNK))
        await asyncio.gather(*waiting)


async def test_room_is_there_when_what_was_pushed_is_gone_whatever_came_after() -> None:
    async with outbox() as (box, reader):
        box.push(CHUNK)
        now = asyncio.create_task(box.wait_writable())
        await asyncio.sleep(0)
        box.push(CHUNK)
        after = asyncio.create_task(box.wait_writable())
        await asyncio.sleep(0)
        await take(reader, len(CHUNK))
        await now
        box.push(CHUNK)
        assert not after.done()
        await take(reader, len(CHUNK))
        await after
