"""The baseline of the socket benchmark: a Tornado server that only calls `write_message` in a loop.

Runs in its own process, and receives its load through a pipe. Imports nothing of the server.
"""

from __future__ import annotations

import asyncio
import signal
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application
from tornado.websocket import WebSocketHandler

from bench import message

_WAIT_EVERY = 32  # messages of an operation; without waiting, a slow reader's messages would fill the memory


@dataclass(frozen=True)
class Load:
    """Messages `first` to `last` for each operation, at `rate` per second, or as fast as possible if 0."""

    first: int
    last: int
    rate: float


class _Socket(WebSocketHandler):
    def initialize(self, watchers: list[list[_Socket]]) -> None:
        self._watchers = watchers

    def get_compression_options(self) -> dict[str, Any]:
        return {}

    async def open(self, *args: str, **_: str) -> None:
        self._watchers[int(args[0])].append(self)
        await self.write_message(message.snapshot_text())

    def on_message(self, message: str | bytes) -> None:
        raise AssertionError("The readers send no messages.")


def main(pipe: Connection, operation_ids: tuple[str, ...]) -> None:
    """Send the port, then answer each Load with its monotonic start time in ns, once all messages are written."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent process handles Ctrl-C
    asyncio.run(_serve(pipe, operation_ids))


async def _serve(pipe: Connection, operation_ids: tuple[str, ...]) -> None:
    watchers: list[list[_Socket]] = [[] for _ in operation_ids]
    sockets = bind_sockets(0, "127.0.0.1")
    app = Application([(r"/(\d+)", _Socket, {"watchers": watchers})], websocket_ping_interval=30)
    HTTPServer(app).add_sockets(sockets)
    pipe.send(sockets[0].getsockname()[1])
    command = asyncio.Event()
    asyncio.get_running_loop().add_reader(pipe.fileno(), command.set)
    while True:
        await command.wait()
        try:
            load: Load = pipe.recv()
        except (EOFError, ConnectionError):  # the load tool has ended
            return
        command.clear()
        pipe.send(await _send(load, watchers, operation_ids))


async def _send(load: Load, watchers: list[list[_Socket]], operation_ids: tuple[str, ...]) -> int:
    started_ns = time.monotonic_ns()
    count = len(operation_ids)
    for number in range((load.last + 1 - load.first) * count):
        seq, index = load.first + number // count, number % count
        if load.rate:
            due_s = number / (load.rate * count)
            await asyncio.sleep(due_s - (time.monotonic_ns() - started_ns) / 1e9)
        text = message.websocket_text(seq, operation_ids[index])
        written = [socket.write_message(text) for socket in watchers[index]]
        if seq % _WAIT_EVERY == 0:
            await asyncio.gather(*written)
        else:
            await asyncio.sleep(0)
    return started_ns
