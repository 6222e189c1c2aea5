"""The messages that wait to be sent on one socket: bounded, and never awaited by whoever sends.

While the reader keeps up, the bytes go straight into the kernel's buffer; what does not fit there is queued here, up
to the bound. Runs on the loop.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from tornado.iostream import IOStream, SSLIOStream, StreamClosedError

from semantik.config.settings import SocketSettings
from semantik.core.errors import Busy

STALL_S = 30.0


class SlowReader(Busy):
    """The client read its messages too slowly and is disconnected; it may resume after the last one that it has."""

    def __init__(self) -> None:
        super().__init__("You took too long to read your messages; resume after the last id that you have.")


@dataclass
class SentCounter:
    """What all sockets of a server were sent: plain integers, since every message of every socket is counted."""

    messages: int = 0
    bytes: int = 0


class SendQueue:
    """`slow` is set when the bound was reached; from then on nothing is taken."""

    __slots__ = (  # a thousand sockets have a thousand of these
        "_bytes",
        "_current_write",
        "_limits",
        "_messages",
        "_next_write",
        "_queued",
        "_sent",
        "_socket",
        "_stream",
        "_writing",
        "slow",
    )

    def __init__(self, stream: IOStream, limits: SocketSettings, sent: SentCounter) -> None:
        self.slow = False
        self._stream = stream
        # Below TLS there are no bytes that could go straight into the socket.
        self._socket = None if isinstance(stream, SSLIOStream) else stream.socket
        self._limits = limits
        self._sent = sent
        self._queued: list[
            bytes
        ] = []  # without what is being written, which does not count against the bound
        self._messages = 0
        self._bytes = 0
        self._writing = False
        # Set when the current write is done, and when the next one is: `wait_writable` waits for either.
        self._current_write: asyncio.Event | None = None
        self._next_write: asyncio.Event | None = None

    def push(self, data: bytes, messages: int = 1) -> bool:
        """Send `data`, which holds so many messages, after all earlier ones. False: closed, or the reader too slow."""
        if self.slow or self._stream.closed():
            return False
        self._sent.messages += messages
        self._sent.bytes += len(data)
        if not self._writing:
            rest = data[self._send_directly(data) :]
            if not rest:
                return True
            return self._write(rest)
        self._messages += messages
        self._bytes += len(data)
        if self._messages > self._limits.send_queue_messages or self._bytes > self._limits.send_queue_bytes:
            self.slow = True
            self._clear()
            return False
        self._queued.append(data)
        return True

    async def wait_writable(self) -> None:
        """Wait until what was pushed is written; raises SlowReader when that takes too long."""
        if self._writing and not self._stream.closed():
            if self._queued:
                written = self._next_write = self._next_write or asyncio.Event()
            else:
                written = self._current_write = self._current_write or asyncio.Event()
            try:
                async with asyncio.timeout(STALL_S):
                    await written.wait()
            except TimeoutError:
                self.slow = True
                self._clear()
        if self.slow:
            raise SlowReader

    def _send_directly(self, data: bytes) -> int:
        """How many bytes the kernel took at once."""
        if self._socket is None or self._stream.writing():
            return 0
        try:
            return self._socket.send(data)
        except OSError:
            return 0  # full, or broken: the stream tries again, and handles either

    def _write(self, data: bytes) -> bool:
        try:
            written = self._stream.write(data)
        except StreamClosedError:
            return False
        self._writing = True
        written.add_done_callback(self._on_written)
        return True

    def _on_written(self, written: asyncio.Future[Any]) -> None:
        self._writing = False
        if written.cancelled() or written.exception() is not None or not self._queued:
            self._clear()
            return
        data = b"".join(self._queued)
        self._queued.clear()
        self._messages = self._bytes = 0
        if self._current_write is not None:
            self._current_write.set()
        self._current_write, self._next_write = self._next_write, None
        self._write(data)

    def _clear(self) -> None:
        self._queued.clear()
        self._messages = self._bytes = 0
        for write in (self._current_write, self._next_write):
            if write is not None:
                write.set()
        self._current_write = self._next_write = None
