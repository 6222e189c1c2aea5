"""A scan that runs on another server, which sees the folder. Runs on the loop.

A socket to that server carries the scan message there and its answers back, as in `scan.py`.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from typing import Any

from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.websocket import WebSocketClientConnection, WebSocketError, websocket_connect

from semantik.core.errors import Unavailable

ENDS = ("completed", "cancelled", "error")
_CONNECT_S = 5.0
_SILENCE_S = 60.0  # progress comes four times a second
_MAX_MESSAGE_BYTES = 256 << 20
_FAILURES = (OSError, TimeoutError, HTTPClientError, WebSocketError, ValueError, KeyError, TypeError)


class PassedScan:
    """`url` is that of the other server's socket, `headers` name the user there, `message` is the client's."""

    def __init__(self, url: str, headers: Mapping[str, str], message: Mapping[str, Any]) -> None:
        self._url = url
        self._headers = dict(headers)
        self._message = dict(message)
        self._socket: WebSocketClientConnection | None = None
        self._stopped = False

    def stop(self) -> None:
        """Cancel the scan; the message that says so follows."""
        self._stopped = True
        if self._socket is not None:
            self._socket.write_message(json.dumps({"action": "cancel"}))

    async def messages(self) -> AsyncGenerator[tuple[str, dict[str, Any]], None]:
        """The type and the data of each message, to that which ends the scan. Raises Unavailable."""
        request = HTTPRequest(self._url, headers=self._headers, connect_timeout=_CONNECT_S)
        try:
            async with asyncio.timeout(_CONNECT_S):
                self._socket = await websocket_connect(request, max_message_size=_MAX_MESSAGE_BYTES)
            self._socket.write_message(json.dumps(self._message))
            if self._stopped:
                self.stop()
            while True:
                async with asyncio.timeout(_SILENCE_S):
                    text = await self._socket.read_message()
                if text is None:
                    raise Unavailable("The server that sees the folder has ended the scan.")
                # The list of files may have many megabytes.
                message = await asyncio.to_thread(json.loads, text)
                yield str(message["type"]), dict(message["data"])
                if message["type"] in ENDS:
                    return
        except _FAILURES as error:
            raise Unavailable(f"The server that sees the folder does not answer: {error}.") from error
        finally:
            if self._socket is not None:
                self._socket.close()
