"""The bare minimum that Tornado itself can do: a loop of `write_message` over the sockets, and nothing else.

Runs in a process of its own; told what to send by a pipe. Imports nothing of the server.
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

_WAIT_EVERY = 32  # messages of an operation; else a slow reader's would pile up in memory


@dataclass(frozen=True)
class Load:
    """Messages `first` to `last` for each operation, at `rate` a second, or as fast as they go with 0."""

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
        await self.write_message(message.hello())

    def on_message(self, message: str | bytes) -> None:
        raise AssertionError("The readers send nothing.")


def main(pipe: Connection, operation_ids: tuple[str, ...]) -> None:
    """Say the port, then answer each Load with the moment of its first message, when all are written."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C is for whoever holds the other end of the pipe
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
    begun = time.monotonic_ns()
    count = len(operation_ids)
    for number in range((load.last + 1 - load.first) * count):
        seq, one = load.first + number // count, number % count
        if load.rate:
            due_s = number / (load.rate * count)
            await asyncio.sleep(due_s - (time.monotonic_ns() - begun) / 1e9)
        text = message.text(seq, operation_ids[one])
        written = [socket.write_message(text) for socket in watchers[one]]
        if seq % _WAIT_EVERY == 0:
            await asyncio.gather(*written)
        else:
            await asyncio.sleep(0)
    return begun
