"""A client for scripts and tests: REST, and an operation's frames over its WebSocket. Runs on an asyncio loop."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest, HTTPResponse
from tornado.websocket import websocket_connect

from semantik.errors import SemantikError, Unavailable

_ANSWER_S = 90.0
_FRAME_S = 60.0  # the protocol promises one every five seconds
_NORMAL = 1000
_MOST_SHOWN = 200  # characters of an answer that is not ours


class Refused(SemantikError):
    """The server said no: `status` is HTTP's or the socket's close code, the message is its own sentence."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status


class Client:
    """Speaks to the server at `url`, as http://localhost:8080, with an access token once `sign_in` has one."""

    def __init__(self, url: str, token: str = "") -> None:
        self.url = url.rstrip("/")
        self.token = token
        self._http = AsyncHTTPClient()

    async def register(self, username: str, password: str) -> None:
        await self.call("POST", "auth/register", {"username": username, "password": password})

    async def sign_in(self, username: str, password: str) -> None:
        answer = await self.call("POST", "auth/login", {"username": username, "password": password})
        self.token = answer["access_token"]

    async def call(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        """Call `/api/v2/<path>` and return its JSON (None where there is none).

        Raises Refused, or Unavailable when there is no server that answers.
        """
        address = f"{self.url}/api/v2/{path}" + (f"?{urlencode(query)}" if query else "")
        headers = {"Content-Type": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        request = HTTPRequest(
            address,
            method,
            headers,
            None if body is None else json.dumps(body),
            request_timeout=_ANSWER_S,
            allow_nonstandard_methods=True,
        )
        try:
            answer = await self._http.fetch(request, raise_error=False)
        except (OSError, HTTPClientError) as error:  # nobody listens, no such host, cut off, too late
            reason = getattr(error, "strerror", None) or getattr(error, "message", None) or error
            raise Unavailable(f"{self.url} does not answer: {reason}.") from error
        try:
            value = json.loads(answer.body) if answer.body else None
        except ValueError as error:
            raise Refused(answer.code, _foreign(self.url, answer)) from error
        if answer.code >= HTTPStatus.BAD_REQUEST:
            detail = value.get("detail") if isinstance(value, dict) else None
            raise Refused(answer.code, detail or _foreign(self.url, answer))
        return value

    async def watch(self, operation_id: str, since: str | None = None) -> AsyncIterator[dict[str, Any]]:
        """An operation's frames until the server closes; raises Refused with its code when that is not 1000."""
        query = {"token": self.token} | ({"since": since} if since else {})
        address = f"ws{self.url.removeprefix('http')}/ws/operations/{operation_id}?{urlencode(query)}"
        socket = await asyncio.wait_for(websocket_connect(address), _ANSWER_S)
        try:
            while (text := await asyncio.wait_for(socket.read_message(), _FRAME_S)) is not None:
                yield json.loads(text)
            if socket.close_code != _NORMAL:
                raise Refused(socket.close_code or 0, socket.close_reason or "The connection was lost.")
        finally:
            socket.close()


def _foreign(url: str, answer: HTTPResponse) -> str:
    """What there is to say of an answer that is no problem document, as `/health` and proxies give."""
    told = " ".join(answer.body.decode(errors="replace").split())[:_MOST_SHOWN]
    return f"{url} answered {answer.code} {answer.reason}" + (f": {told}" if told else ".")
