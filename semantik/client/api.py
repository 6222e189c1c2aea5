"""A client for scripts and tests: REST calls, and the live messages of operations. Runs on an asyncio loop."""

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

PATIENCE_S = 60.0

_ANSWER_S = 90.0
_CONNECT_S = 10.0
_EARLY_S = 5.0  # a token is renewed this long before it expires
_MAX_SHOWN = 200  # characters of an answer that is not the server's JSON


class Client:
    """A client of the server at `url`, such as http://localhost:8080. `token` is an API key, or the access token that
    `sign_in` gets."""

    def __init__(self, url: str, token: str = "") -> None:
        self.url = url.rstrip("/")
        self.token = token
        self._refresh_token = ""
        self._stale_at = 0.0
        self._renewal_lock = asyncio.Lock()
        self._http = AsyncHTTPClient()

    async def register(self, username: str, password: str, setup_code: str = "") -> None:
        """Add a user; the first user of a server needs the setup code that it has printed."""
        code = {"setup_code": setup_code} if setup_code else {}
        await self.call("POST", "auth/register", {"username": username, "password": password, **code})

    async def sign_in(self, username: str, password: str) -> None:
        self._refresh_token = ""  # else the call below would renew the old session first
        self._store_tokens(
            await self.call("POST", "auth/login", {"username": username, "password": password})
        )

    async def call(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        """Call `/api/v2/<path>` and return its JSON (None where there is none).

        Raises Refused, or Unavailable when no server answers.
        """
        await self._renew_if_stale()
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
        except (OSError, HTTPClientError) as error:  # no listener, unknown host, connection lost, timeout
            reason = getattr(error, "strerror", None) or getattr(error, "message", None) or error
            raise Unavailable(f"{self.url} does not answer: {reason}.") from error
        try:
            value = json.loads(answer.body) if answer.body else None
        except ValueError as error:
            raise Refused(answer.code, _describe(self.url, answer)) from error
        if answer.code >= HTTPStatus.BAD_REQUEST:
            detail = value.get("detail") if isinstance(value, dict) else None
            raise Refused(answer.code, detail or _describe(self.url, answer))
        return value

    def watch(
        self, operation_id: str, since: str | None = None, patience_s: float = PATIENCE_S
    ) -> AsyncIterator[dict[str, Any]]:
        """An operation's messages to its end, each once and in order, however often the connection is lost.

        `current_state` comes first, and again only after a `history_truncated`: then messages are missing, and it
        replaces them. `since`: the id of the last message that the caller has, or "$" for new messages only.

        Raises Refused when the server refuses, and Unavailable when no connection succeeds for `patience_s` (0: at
        the first loss). An expired access token is renewed.
        """
        return self._follow(f"ws/operations/{operation_id}", SeenMessages(since), patience_s)

    def watch_all(self, patience_s: float = PATIENCE_S) -> AsyncIterator[dict[str, Any]]:
        """The messages of all operations that the user may see, each as with `watch`; it never ends.

        Operations that are active or start later come from their first message; after a loss also those that
        ended in the minute before.
        """
        return self._follow("ws/operations", SeenMessages(many=True), patience_s)

    async def _follow(
        self, path: str, seen: SeenMessages, patience_s: float
    ) -> AsyncIterator[dict[str, Any]]:
        async def target() -> HTTPRequest:
            await self._renew_if_stale()
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
        """Whether the access token has expired or is about to, and can be renewed."""
        return self._refresh_token != "" and time.time() > self._stale_at

    async def _renew_if_stale(self) -> None:
        """Renew a stale access token; one call at a time, as a refresh token that is used twice ends the session."""
        async with self._renewal_lock:
            if self._is_stale:
                try:
                    self._store_tokens(
                        await self._send("POST", "auth/refresh", {"refresh_token": self._refresh_token})
                    )
                except Refused as error:
                    if error.status != HTTPStatus.UNAUTHORIZED:
                        raise Unavailable(f"The access token could not be renewed: {error}") from error
                    self._refresh_token = ""
                    raise

    def _store_tokens(self, signed_in: dict[str, Any]) -> None:
        self.token = signed_in["access_token"]
        self._refresh_token = signed_in["refresh_token"]
        self._stale_at = time.time() + signed_in["expires_in"] - _EARLY_S

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}


def _describe(url: str, answer: HTTPResponse) -> str:
    """Describe an answer that is not a problem document, as `/health` and proxies send them."""
    text = " ".join(answer.body.decode(errors="replace").split())[:_MAX_SHOWN]
    return f"{url} answered {answer.code} {answer.reason}" + (f": {text}" if text else ".")
