"""What waits to be sent on one socket: bounded, and never waited for.

While the reader keeps up, ready bytes go straight into the kernel's buffer; what does not fit there is kept here, up
to the bound. Runs on the loop.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from tornado.iostream import IOStream, StreamClosedError

from semantik.config.settings import SocketSettings
from semantik.core.errors import Busy

STALL_S = 30.0


class SlowReader(Busy):
    """The reader took its messages too slowly and is dropped; it may resume after the last that it has."""

    def __init__(self) -> None:
        super().__init__("You took too long to read your messages; resume after the last id that you have.")


@dataclass
class SentCounter:
    """What all sockets of a server were sent: plain integers, since every message of every socket is counted."""

    messages: int = 0
    bytes: int = 0


class SendQueue:
    """`slow` tells that the bound was reached; from then on nothing is taken."""

    __slots__ = (  # a thousand sockets are a thousand of these
        "_bytes",
        "_messages",
        "_rules",
        "_socket",
        "_stream",
        "_tally",
        "_waiting",
        "_writing",
        "_written_next",
        "_written_now",
        "slow",
    )

    def __init__(self, stream: IOStream, rules: SocketSettings, tally: SentCounter) -> None:
        self.slow = False
        self._stream = stream
        # Below TLS there are no bytes that could go straight into the socket.
        self._socket = stream.socket if type(stream) is IOStream else None
        self._rules = rules
        self._tally = tally
        self._waiting: list[
            bytes
        ] = []  # beside what is being written, which does not count against the bound
        self._messages = 0
        self._bytes = 0
        self._writing = False
        # Set when what is being written is on its way, and when what waits is: `room` waits for either.
        self._written_now: asyncio.Event | None = None
        self._written_next: asyncio.Event | None = None

    def push(self, data: bytes, messages: int = 1) -> bool:
        """Send `data`, which holds so many messages, after all earlier ones. False: closed, or the reader too slow."""
        if self.slow or self._stream.closed():
            return False
        self._tally.messages += messages
        self._tally.bytes += len(data)
        if not self._writing:
            rest = data[self._straight(data) :]
            if not rest:
                return True
            return self._write(rest)
        self._messages += messages
        self._bytes += len(data)
        if self._messages > self._rules.inbox_frames or self._bytes > self._rules.inbox_bytes:
            self.slow = True
            self._forget()
            return False
        self._waiting.append(data)
        return True

    async def room(self) -> None:
        """Wait until what was pushed is on its way; raises SlowReader when that takes too long."""
        if self._writing and not self._stream.closed():
            if self._waiting:
                gone = self._written_next = self._written_next or asyncio.Event()
            else:
                gone = self._written_now = self._written_now or asyncio.Event()
            try:
                async with asyncio.timeout(STALL_S):
                    await gone.wait()
            except TimeoutError:
                self.slow = True
                self._forget()
        if self.slow:
            raise SlowReader

    def _straight(self, data: bytes) -> int:
        """How many bytes the kernel took at once."""
        if self._socket is None or self._stream.writing():
            return 0
        try:
            return self._socket.send(data)
        except OSError:
            return 0  # full, or broken: the stream tries again, and knows what to do then

    def _write(self, data: bytes) -> bool:
        try:
            written = self._stream.write(data)
        except StreamClosedError:
            return False
        self._writing = True
        written.add_done_callback(self._written)
        return True

    def _written(self, written: asyncio.Future[Any]) -> None:
        self._writing = False
        if written.cancelled() or written.exception() is not None or not self._waiting:
            self._forget()
            return
        data = b"".join(self._waiting)
        self._waiting.clear()
        self._messages = self._bytes = 0
        if self._written_now is not None:
            self._written_now.set()
        self._written_now, self._written_next = self._written_next, None
        self._write(data)

    def _forget(self) -> None:
        self._waiting.clear()
        self._messages = self._bytes = 0
        for gone in (self._written_now, self._written_next):
            if gone is not None:
                gone.set()
        self._written_now = self._written_next = None
