"""A client of `/ws/scan/{scan_id}`."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any
from uuid import uuid4

from support.api import new_user
from support.patience import patience
from support.server import Serving
from tornado.httpclient import HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

ENDS = ("completed", "cancelled", "error")


class Scanner:
    """A client of one scan socket."""

    def __init__(self, socket: WebSocketClientConnection) -> None:
        self.socket = socket

    async def say(self, **message: Any) -> None:
        await self.socket.write_message(json.dumps(message))

    async def hear(self, *kinds: str) -> dict[str, Any]:
        """The next message, or the next of these kinds."""
        while True:
            text = await asyncio.wait_for(self.socket.read_message(), patience())
            assert text is not None, f"closed: {self.socket.close_code} {self.socket.close_reason}"
            message: dict[str, Any] = json.loads(text)
            if not kinds or message["type"] in kinds:
                return message

    async def scan(self, path: Path | str, **more: Any) -> dict[str, Any]:
        """Scan, and return how it ended."""
        await self.say(action="scan", path=str(path), **more)
        return await self.hear(*ENDS)

    async def refused(self) -> tuple[int | None, str | None]:
        assert await asyncio.wait_for(self.socket.read_message(), patience()) is None
        return self.socket.close_code, self.socket.close_reason


async def connect_scanner(
    serving: Serving,
    token: str | None = None,
    scan_id: str = "",
    headers: dict[str, str] | None = None,
    protocols: list[str] | None = None,
) -> Scanner:
    query = f"?token={token}" if token else ""
    address = f"ws{serving.url.removeprefix('http')}/ws/scan/{scan_id or uuid4()}{query}"
    request = HTTPRequest(address, headers=headers or {})
    return Scanner(await websocket_connect(request, subprotocols=protocols))


async def scanner_on(serving: Serving) -> Scanner:
    return await connect_scanner(serving, (await new_user(serving)).token)


def tree(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("text")
