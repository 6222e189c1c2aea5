"""The byte stream of one HTTP connection: it reports what the connection table must know. Runs on the loop."""

from __future__ import annotations

from asyncio import Future
from socket import socket

from tornado.iostream import IOStream

from handlers.http.connection_table import Connection
from handlers.http.refusal import malformed

_BARE_400 = b"HTTP/1.1 400 Bad Request\r\n\r\n"  # all that Tornado says to what is not HTTP


class HttpStream(IOStream):
    """`sent_bytes` counts what the kernel took of the answers."""

    def __init__(self, accepted: socket, connection: Connection) -> None:
        self.connection = connection
        self.sent_bytes = 0
        super().__init__(accepted)

    def read_from_fd(self, buf: bytearray | memoryview) -> int | None:
        received = super().read_from_fd(buf)
        if received:
            self.connection.bytes_received()
        return received

    def write(self, data: bytes | memoryview) -> Future[None]:
        written = super().write(malformed() if data == _BARE_400 else data)
        if self.writing():
            self.connection.write_began()
        return written

    def write_to_fd(self, data: memoryview) -> int:
        sent = super().write_to_fd(data)
        self.sent_bytes += sent
        return sent

    def close_fd(self) -> None:
        super().close_fd()
        self.connection.closed()
