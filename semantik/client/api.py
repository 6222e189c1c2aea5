"""A client for scripts and tests: REST, and the messages of operations, live. Runs on an asyncio loop."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest, HTTPResponse

from semantik.client.websocket import Refused, SeenMessages, follow
from semantik.core.errors import Unavailable

__all__ = ["PATIENCE_S", "Client", "Refused"]

PATIENCE_S = 60.0

_ANSWER_S = 90.0
_CONNECT_S = 10.0
_EARLY_S = 5.0  # a token is renewed this long before it expires
_MOST_SHOWN = 200  # characters of an answer that is not ours


class Client:
    """Speaks to the server at `url`, as http://localhost:8080, with an API key as its `token`, or an access token
    once `sign_in` has one."""

    def __init__(self, url: str, token: str = "") -> None:
        self.url = url.rstrip("/")
        self.token = token
        self._refresh_token = ""
        self._stale_at = 0.0
        self._freshening = asyncio.Lock()
        self._http = AsyncHTTPClient()

    async def register(self, username: str, password: str) -> None:
        await self.call("POST", "auth/register", {"username": username, "password": password})

    async def sign_in(self, username: str, password: str) -> None:
        self._refresh_token = ""  # an old session need not be kept up for this
        self._keep(await self.call("POST", "auth/login", {"username": username, "password": password}))

    async def call(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        """Call `/api/v2/<path>` and return its JSON (None where there is none).

        Raises Refused, or Unavailable when there is no server that answers.
        """
        await self._freshen()
        return await self._send(method, path, body, query)

    async def _send(self, method: str, path: str, body: Any, query: Mapping[str, Any] | None = None) -> Any:
        address = f"{self.url}/api/v2/{path}" + (f"?{urlencode(query)}" if query else "")
        headers = {"Content-Type": "application/json", **self._headers()}
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
            raise Refused(answer.code, _unexpected_answer(self.url, answer)) from error
        if answer.code >= HTTPStatus.BAD_REQUEST:
            detail = value.get("detail") if isinstance(value, dict) else None
            raise Refused(answer.code, detail or _unexpected_answer(self.url, answer))
        return value

    def watch(
        self, operation_id: str, since: str | None = None, patience_s: float = PATIENCE_S
    ) -> AsyncIterator[dict[str, Any]]:
        """An operation's messages to its end, each once and in order, however often the connection is lost.

        First comes `current_state`, and again only behind a `history_truncated`: then messages are missing, and it
        stands for them. `since`: the id of the last message that the caller has, or "$" for new ones only.

        Raises Refused when the server says no, and Unavailable when nothing could be had for `patience_s` (0: at the
        first loss). An access token that has expired is renewed.
        """
        return self._follow(f"ws/operations/{operation_id}", SeenMessages(since), patience_s)

    def watch_all(self, patience_s: float = PATIENCE_S) -> AsyncIterator[dict[str, Any]]:
        """The messages of all operations that the user may see, as `watch` gives each of them; it never ends.

        What is under way comes from its beginning, and so does whatever begins later; after a loss also what had
        ended in the minute before.
        """
        return self._follow("ws/operations", SeenMessages(many=True), patience_s)

    async def _follow(
        self, path: str, seen: SeenMessages, patience_s: float
    ) -> AsyncIterator[dict[str, Any]]:
        async def target() -> HTTPRequest:
            await self._freshen()
            query = f"?{urlencode({'since': seen.since})}" if seen.since else ""
            address = f"ws{self.url.removeprefix('http')}/{path}{query}"
            return HTTPRequest(address, headers=self._headers(), connect_timeout=_CONNECT_S)

        while True:
            try:
                async with aclosing(follow(target, seen, patience_s)) as messages:
                    async for message in messages:
                        yield message
                return
            except Refused:
                if not self._is_stale:
                    raise

    @property
    def _is_stale(self) -> bool:
        """Whether the access token has expired, or will in a moment, and can be renewed."""
        return self._refresh_token != "" and time.time() > self._stale_at

    async def _freshen(self) -> None:
        """Renew a stale access token; one at a time, as a refresh token that is used twice ends the session."""
        async with self._freshening:
            if self._is_stale:
                try:
                    self._keep(
                        await self._send("POST", "auth/refresh", {"refresh_token": self._refresh_token})
                    )
                except Refused as error:
                    if error.status != HTTPStatus.UNAUTHORIZED:
                        raise Unavailable(f"The access token could not be renewed: {error}") from error
                    self._refresh_token = ""
                    raise

    def _keep(self, signed_in: dict[str, Any]) -> None:
        self.token = signed_in["access_token"]
        self._refresh_token = signed_in["refresh_token"]
        self._stale_at = time.time() + signed_in["expires_in"] - _EARLY_S

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}


def _unexpected_answer(url: str, answer: HTTPResponse) -> str:
    """What there is to say of an answer that is no problem document, as `/health` and proxies give."""
    told = " ".join(answer.body.decode(errors="replace").split())[:_MOST_SHOWN]
    return f"{url} answered {answer.code} {answer.reason}" + (f": {told}" if told else ".")
