"""A WebSocket client that does just what a test tells it to: reads when asked, and sends any bytes at all."""

from __future__ import annotations

import asyncio
import base64
import os
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

TEXT, BINARY, CLOSE, PING, PONG = 0x1, 0x2, 0x8, 0x9, 0xA
_READ_BYTES = 1 << 18


def frame(
    opcode: int,
    payload: bytes = b"",
    *,
    final: bool = True,
    reserved: int = 0,
    masked: bool = True,
    length: int | None = None,
) -> bytes:
    """One frame; `length` is what its header claims, `reserved` its three bits: 4 says that it is compressed."""
    size = len(payload) if length is None else length
    mask = 0x80 if masked else 0
    head = bytes([(0x80 if final else 0) | reserved << 4 | opcode])
    if size < 126:
        head += bytes([mask | size])
    elif size < 1 << 16:
        head += struct.pack("!BH", mask | 126, size)
    else:
        head += struct.pack("!BQ", mask | 127, size)
    return head + (b"\0\0\0\0" if masked else b"") + payload  # a mask of zeros leaves the payload as it is


@dataclass
class RawSocket:
    """`status` is what the handshake was answered with; 0: not at all."""

    _socket: socket.socket
    status: int = 0
    _unread: bytearray = field(default_factory=bytearray)

    async def send(self, data: bytes) -> None:
        """Send bytes as they are. What a server that has closed does not take is no matter."""
        try:
            await asyncio.get_running_loop().sock_sendall(self._socket, data)
        except ConnectionError:
            return

    async def read(self) -> tuple[int, bytes] | None:
        """The next frame's opcode and payload; None when the connection has ended. Pings are answered on the way."""
        while (found := await self._frame()) is not None and found[0] == PING:
            await self.send(frame(PONG, found[1]))
        return found

    async def _frame(self) -> tuple[int, bytes] | None:
        while (whole := self._frame_bytes()) > len(self._unread):
            if not await self._receive():
                return None
        data = bytes(self._unread[:whole])
        del self._unread[:whole]
        short = data[1] & 0x7F
        return data[0] & 0xF, data[{126: 4, 127: 10}.get(short, 2) :]

    async def close_code(self) -> int | None:
        """Read to the end, and answer the server's close; its code, or None when the connection just broke."""
        code = None
        while (found := await self.read()) is not None:
            opcode, payload = found
            if opcode == CLOSE and code is None:
                code = struct.unpack("!H", payload[:2])[0] if payload else 1005
                await self.send(frame(CLOSE, payload[:2]))
        return code

    def close(self) -> None:
        self._socket.close()

    async def everything(self) -> bytes:
        """All that comes until the server closes."""
        while await self._receive():
            pass
        return bytes(self._unread)

    async def answered(self) -> None:
        """Read the HTTP answer's head, if there is one."""
        while b"\r\n\r\n" not in self._unread:
            if not await self._receive():
                return
        head, _, rest = bytes(self._unread).partition(b"\r\n\r\n")
        self._unread = bytearray(rest)
        self.status = int(head.split()[1])

    def _frame_bytes(self) -> int:
        """How long the next frame is, as far as that is known."""
        if len(self._unread) < 2:
            return 2
        short = self._unread[1] & 0x7F
        if short < 126:
            return 2 + short
        head, form = (4, "!H") if short == 126 else (10, "!Q")
        if len(self._unread) < head:
            return head
        return head + int(struct.unpack(form, self._unread[2:head])[0])

    async def _receive(self) -> bool:
        try:
            data = await asyncio.get_running_loop().sock_recv(self._socket, _READ_BYTES)
        except ConnectionError:
            return False
        self._unread += data
        return bool(data)


@asynccontextmanager
async def opened(url: str, receive_bytes: int | None = None) -> AsyncIterator[RawSocket]:
    """A connection that has said nothing yet.

    `receive_bytes`: the size of the kernel's buffer for what nobody has read yet.
    """
    parts = urlsplit(url)
    raw = socket.socket()
    try:
        raw.setblocking(False)
        if receive_bytes is not None:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        await asyncio.get_running_loop().sock_connect(raw, (parts.hostname, parts.port))
        yield RawSocket(raw)
    finally:
        raw.close()


@asynccontextmanager
async def connected(
    url: str, path: str, *, headers: str = "", receive_bytes: int | None = None
) -> AsyncIterator[RawSocket]:
    """A WebSocket at `path`, or what the server makes of it; `headers` are more lines, each ended by CRLF."""
    async with opened(url, receive_bytes) as made:
        await made.send(handshake(urlsplit(url).netloc, path, headers))
        await made.answered()
        yield made


def handshake(host: str, path: str, headers: str = "") -> bytes:
    key = base64.b64encode(os.urandom(16)).decode()
    return (
        f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n{headers}\r\n"
    ).encode("utf-8", "surrogateescape")
