"""Two of a hundred sockets never read: the others get everything, the server stays small, the places are free again."""

from __future__ import annotations

import asyncio
import json
import struct
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import psutil
import pytest
from support.api import new_user
from support.fake_operation import fake_operation
from support.raw_socket import CLOSE, TEXT, RawSocket, connected
from support.server import Serving
from support.traces import metric, settled
from support.watchers import is_end

pytestmark = pytest.mark.gen_test

READERS = 98
TEXT_OF_A_MESSAGE = "x" * 4000
TOGETHER = 25
MOST_GROWTH = 64 << 20
FLAGS = (
    "--auth-registration", "open", "--sockets-per-user", "200", "--sockets-per-operation", str(READERS + 2),
    "--sockets-send-queue-bytes", str(256 << 10), "--progress-linger-s", "0.2",
)  # fmt: skip


class Reading:
    """Reads as fast as it can, to the operation's end."""

    def __init__(self, socket: RawSocket) -> None:
        self.seqs: list[int] = []
        self._socket = socket
        self._news = asyncio.Event()

    async def run(self) -> None:
        frame: dict[str, Any] = {"type": ""}
        while not is_end(frame):
            found = await self._socket.read()
            assert found is not None and found[0] == TEXT, found
            frame = json.loads(found[1])
            if "seq" in frame:
                self.seqs.append(frame["seq"])
                self._news.set()

    async def has(self, seq: int) -> None:
        while not self.seqs or self.seqs[-1] < seq:
            self._news.clear()
            await self._news.wait()


@pytest.mark.crowded
async def test_who_never_reads_harms_nobody(start: Callable[..., Serving], tmp_path: Path) -> None:
    serving = start(*FLAGS)
    process = psutil.Process(serving.process.pid)
    client = await new_user(serving)
    async with (
        fake_operation(serving, client, started=False) as operation,
        AsyncExitStack() as sockets,
    ):

        async def connect(query: str = "", receive_bytes: int | None = None) -> RawSocket:
            made = connected(serving.url, operation.path + query, receive_bytes=receive_bytes)
            return await sockets.enter_async_context(made)

        slow, stuck = await connect(receive_bytes=4096), await connect(receive_bytes=4096)
        readings = [Reading(await connect()) for _ in range(READERS)]
        running = [asyncio.create_task(reading.run()) for reading in readings]
        await settled(serving, lambda traces: traces.sockets == READERS + 2)
        assert await (await connect()).close_code() == 1013, "there is no place for one more"

        before = process.memory_info().rss
        told = 0
        while await metric(serving, "websocket_slow_readers_dropped_total") < 2:
            messages = [operation.publish("error", n=n, text=TEXT_OF_A_MESSAGE) for n in range(TOGETHER)]
            await asyncio.gather(*messages)
            told += TOGETHER
            assert told < 10_000, "a socket that never reads is dropped"
            await asyncio.gather(*(reading.has(told) for reading in readings))
        assert process.memory_info().rss - before < MOST_GROWTH

        # The one reads on: it gets what was on its way, then the reason; it resumes with what it has.
        seqs, last, code = await _rest(slow)
        assert code == 1013
        assert seqs == list(range(1, len(seqs) + 1))
        resumed = Reading(await connect(f"&since={last}"))
        running.append(asyncio.create_task(resumed.run()))
        # The other never does: its connection is cut, and its place was free before that.
        newcomer = Reading(await connect())
        running.append(asyncio.create_task(newcomer.run()))
        await asyncio.gather(resumed.has(told), newcomer.has(told))
        await settled(serving, lambda traces: traces.sockets == traces.connections == READERS + 2)
        stuck_seqs, _, _ = await _rest(stuck)
        assert len(stuck_seqs) < told

        await operation.end()
        await asyncio.gather(*running)
        everything = list(range(1, told + 3))
        assert seqs + resumed.seqs == newcomer.seqs == everything
        assert all(reading.seqs == everything for reading in readings)


async def _rest(socket: RawSocket) -> tuple[list[int], str, int | None]:
    """The seqs that come until the connection ends, the last one's id, and the code of the close, if there is one."""
    frames = []
    while (found := await socket.read()) is not None and found[0] != CLOSE:
        frames.append(json.loads(found[1]))
    code = struct.unpack("!H", found[1][:2])[0] if found else None
    stored = [frame for frame in frames if "seq" in frame]
    return [frame["seq"] for frame in stored], stored[-1]["id"], code
