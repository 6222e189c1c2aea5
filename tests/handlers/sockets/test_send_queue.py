"""The send queue of one reader: a message counts against its limits only while it waits."""

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

BLOCK = bytes(1 << 20)  # more than the kernel takes at once
LIMITS = settings.SocketSettings(send_queue_messages=10, send_queue_bytes=100 << 20)


@asynccontextmanager
async def send_queue() -> AsyncIterator[tuple[SendQueue, socket.socket]]:
    """A send queue, and the reader's end of its connection."""
    server_end, reader_end = socket.socketpair()
    reader_end.setblocking(False)
    stream = IOStream(server_end)
    try:
        yield SendQueue(stream, LIMITS, SentCounter()), reader_end
    finally:
        stream.close()
        reader_end.close()


async def read(reader: socket.socket, size: int) -> None:
    while size > 0:
        size -= len(await asyncio.get_running_loop().sock_recv(reader, size))


async def test_reader_that_is_always_slightly_behind_is_not_slow() -> None:
    async with send_queue() as (queue, reader):
        assert queue.push(BLOCK) and queue.push(BLOCK) and queue.push(BLOCK)
        for _ in range(5 * LIMITS.send_queue_messages):
            await read(reader, len(BLOCK))
            assert queue.push(BLOCK)


async def test_reader_that_stops_is_slow() -> None:
    async with send_queue() as (queue, _):
        accepted = [queue.push(BLOCK) for _ in range(2 * LIMITS.send_queue_messages)]
        assert accepted == [True] * (LIMITS.send_queue_messages + 1) + [False] * (
            LIMITS.send_queue_messages - 1
        )  # the first is being written
        assert queue.slow


async def test_all_waiters_wake_when_the_queue_is_writable() -> None:
    async with send_queue() as (queue, reader):
        queue.push(BLOCK)
        waiting = [asyncio.create_task(queue.wait_writable()) for _ in range(3)]
        await read(reader, len(BLOCK))
        await asyncio.gather(*waiting)


async def test_waiter_waits_only_for_messages_pushed_before_it() -> None:
    async with send_queue() as (queue, reader):
        queue.push(BLOCK)
        earlier = asyncio.create_task(queue.wait_writable())
        await asyncio.sleep(0)
        queue.push(BLOCK)
        later = asyncio.create_task(queue.wait_writable())
        await asyncio.sleep(0)
        await read(reader, len(BLOCK))
        await earlier
        queue.push(BLOCK)
        assert not later.done()
        await read(reader, len(BLOCK))
        await later
