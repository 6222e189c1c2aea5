"""Two of a hundred sockets never read.

The others receive everything, the server's memory stays bounded, and the connections are freed.
"""

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
MESSAGE_TEXT = "x" * 4000
BATCH = 25
MAX_GROWTH_BYTES = 64 << 20
FLAGS = (
    "--auth-registration", "open", "--sockets-per-user", "200", "--sockets-per-operation", str(READERS + 2),
    "--sockets-send-queue-bytes", str(256 << 10), "--progress-linger-s", "0.2",
)  # fmt: skip


class Reader:
    """Reads as fast as it can, up to the end of the operation."""

    def __init__(self, socket: RawSocket) -> None:
        self.seqs: list[int] = []
        self._socket = socket
        self._received = asyncio.Event()

    async def run(self) -> None:
        message: dict[str, Any] = {"type": ""}
        while not is_end(message):
            found = await self._socket.read()
            assert found is not None and found[0] == TEXT, found
            message = json.loads(found[1])
            if "seq" in message:
                self.seqs.append(message["seq"])
                self._received.set()

    async def wait_for(self, seq: int) -> None:
        while not self.seqs or self.seqs[-1] < seq:
            self._received.clear()
            await self._received.wait()


@pytest.mark.crowded
async def test_sockets_that_never_read_do_not_affect_the_others(
    start: Callable[..., Serving], tmp_path: Path
) -> None:
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

        slow, stalled = await connect(receive_bytes=4096), await connect(receive_bytes=4096)
        readers = [Reader(await connect()) for _ in range(READERS)]
        running = [asyncio.create_task(reader.run()) for reader in readers]
        await settled(serving, lambda traces: traces.sockets == READERS + 2)
        assert await (await connect()).close_code() == 1013, "the connection limit is reached"

        before = process.memory_info().rss
        published = 0
        while await metric(serving, "websocket_slow_readers_dropped_total") < 2:
            publishing = [operation.publish("error", n=n, text=MESSAGE_TEXT) for n in range(BATCH)]
            await asyncio.gather(*publishing)
            published += BATCH
            assert published < 10_000, "a socket that never reads is dropped"
            await asyncio.gather(*(reader.wait_for(published) for reader in readers))
        assert process.memory_info().rss - before < MAX_GROWTH_BYTES

        # One reads again: it receives what was in transit, then the close reason; it resumes from its last message.
        seqs, last, code = await _read_rest(slow)
        assert code == 1013
        assert seqs == list(range(1, len(seqs) + 1))
        resumed = Reader(await connect(f"&since={last}"))
        running.append(asyncio.create_task(resumed.run()))
        # The other never does: its connection is aborted, and its reservation was released before that.
        newcomer = Reader(await connect())
        running.append(asyncio.create_task(newcomer.run()))
        await asyncio.gather(resumed.wait_for(published), newcomer.wait_for(published))
        await settled(serving, lambda traces: traces.sockets == traces.connections == READERS + 2)
        stalled_seqs, _, _ = await _read_rest(stalled)
        assert len(stalled_seqs) < published

        await operation.end()
        await asyncio.gather(*running)
        all_seqs = list(range(1, published + 3))
        assert seqs + resumed.seqs == newcomer.seqs == all_seqs
        assert all(reader.seqs == all_seqs for reader in readers)


async def _read_rest(socket: RawSocket) -> tuple[list[int], str, int | None]:
    """The seqs up to the end of the connection, the last message's id, and the close code, if there is one."""
    messages = []
    while (found := await socket.read()) is not None and found[0] != CLOSE:
        messages.append(json.loads(found[1]))
    code = struct.unpack("!H", found[1][:2])[0] if found else None
    stored = [message for message in messages if "seq" in message]
    return [message["seq"] for message in stored], stored[-1]["id"], code
