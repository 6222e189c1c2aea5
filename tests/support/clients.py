"""How tests come in by each door and read what it sends: sockets, and event streams as a browser reads them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

import msgpack
from support.patience import deadline, patience
from support.server import Serving
from tornado.httpclient import HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

Frame = dict[str, Any]


def address(serving: Serving, path: str, query: Mapping[str, str] | None = None) -> str:
    return f"ws{serving.url.removeprefix('http')}{path}" + (f"?{urlencode(query)}" if query else "")


async def connect(
    serving: Serving,
    path: str,
    query: Mapping[str, str] | None = None,
    *,
    headers: Mapping[str, str] | None = None,
    subprotocols: list[str] | None = None,
    deflate: bool = False,
) -> WebSocketClientConnection:
    request = HTTPRequest(address(serving, path, query), headers=dict(headers or {}))
    options: dict[str, Any] | None = {} if deflate else None
    return await websocket_connect(request, subprotocols=subprotocols, compression_options=options)


async def receive(socket: WebSocketClientConnection) -> Frame | None:
    """The next message, whatever its form; None when the socket is closed."""
    message = await asyncio.wait_for(socket.read_message(), patience())
    if message is None:
        return None
    frame: Frame = json.loads(message) if isinstance(message, str) else msgpack.unpackb(message)
    return frame


async def until(socket: WebSocketClientConnection, kind: str, **data: Any) -> list[Frame]:
    """All messages up to the first of this type that has these fields."""
    frames: list[Frame] = []
    while (frame := await receive(socket)) is not None:
        frames.append(frame)
        if frame["type"] == kind and data.items() <= frame["data"].items():
            return frames
    raise AssertionError(f"{socket.close_code} {socket.close_reason} before {kind}; {frames}")


async def rest(socket: WebSocketClientConnection) -> list[Frame]:
    frames: list[Frame] = []
    while (frame := await receive(socket)) is not None:
        frames.append(frame)
    return frames


async def closing(socket: WebSocketClientConnection) -> tuple[int | None, str | None]:
    """Read to the end; the code and the reason."""
    await rest(socket)
    return socket.close_code, socket.close_reason


@dataclass(frozen=True)
class Event:
    """`event` is "message" where the stream names none; `data` is the JSON behind it."""

    event: str
    id: str | None
    data: Any


class EventStream:
    """`GET …/operations/{id}/events`, read as it comes; `headers` are the answer's, once anything was received."""

    def __init__(
        self,
        serving: Serving,
        operation_id: str,
        headers: Mapping[str, str],
        query: Mapping[str, str] | None = None,
    ) -> None:
        self.headers: dict[str, str] = {}
        self._at = urlsplit(serving.url)
        path = f"/api/v2/operations/{operation_id}/events" + (f"?{urlencode(query)}" if query else "")
        # HTTP/1.0: what follows the headers is the stream itself, to the end of the connection.
        lines = [
            f"GET {path} HTTP/1.0",
            f"Host: {self._at.netloc}",
            *(f"{k}: {v}" for k, v in headers.items()),
        ]
        self._request = "\r\n".join([*lines, "", ""]).encode()
        self._writer: asyncio.StreamWriter | None = None

    async def receive(self) -> Event | None:
        """The next event; None when the stream has ended."""
        async with deadline():
            if self._writer is None:
                await self._open()
            while True:
                try:
                    block = await self._reader.readuntil(b"\n\n")
                except asyncio.IncompleteReadError as error:
                    assert error.partial == b""
                    return None
                lines = [line.partition(": ") for line in block.decode().rstrip("\n").split("\n")]
                fields = {name: value for name, _, value in lines if name}
                if "data" in fields:
                    return Event(fields.get("event", "message"), fields.get("id"), json.loads(fields["data"]))

    async def until(self, kind: str) -> list[Event]:
        """All events up to the first whose message is of this type, or (as "close") the last."""
        events: list[Event] = []
        while (event := await self.receive()) is not None:
            events.append(event)
            if kind in (event.event, event.data.get("type")):
                return events
        raise AssertionError(f"ended before {kind}: {events}")

    async def rest(self) -> list[Event]:
        events: list[Event] = []
        while (event := await self.receive()) is not None:
            events.append(event)
        return events

    def leave(self) -> None:
        assert self._writer is not None
        self._writer.close()

    async def _open(self) -> None:
        self._reader, self._writer = await asyncio.open_connection(
            self._at.hostname, self._at.port, limit=1 << 20
        )
        self._writer.write(self._request)
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode()
        status, *lines = head.rstrip().split("\r\n")
        assert status.split()[1] == "200", head
        self.headers = dict(line.split(": ", 1) for line in lines)
