"""The client for programs with an asyncio loop: REST calls, and the live messages of operations."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from http import HTTPStatus
from typing import Any, Generic, ParamSpec, TypedDict, TypeVar
from urllib.parse import urlencode

from tornado.httpclient import HTTPRequest

from semantik.client.calls import Calls
from semantik.client.retries import Refused, Retries
from semantik.client.transport import Request, decoded
from semantik.client.types import Tokens, User
from semantik.client.values import UNSET, Unset
from semantik.client.websocket import SeenMessages, follow
from semantik.core.errors import Unavailable

PATIENCE_S = 60.0

_CONNECT_S = 10.0
_EARLY_S = 5.0  # a token is renewed this long before it expires

P = ParamSpec("P")
T = TypeVar("T")


class Page(TypedDict, Generic[T]):
    """What calls that list something return."""

    items: list[T]
    next_cursor: str | None


class Client(Calls):
    """A client of the server at `url`, such as http://localhost:8080. `token` is an API key, or the access token that
    `sign_in` gets. Its calls have the names of docs/openapi.yaml, and are repeated as `retries` says."""

    def __init__(self, url: str, token: str = "", retries: Retries | None = None) -> None:
        super().__init__(url, token, retries)
        self._refresh_token = ""
        self._stale_at = 0.0
        self._renewal_lock = asyncio.Lock()

    async def register(
        self,
        username: str,
        password: str,
        setup_code: str | Unset = UNSET,
        *,
        email: str | Unset | None = UNSET,
        roots: list[str] | Unset = UNSET,
    ) -> User:
        """Add a user; the first user of a server needs the setup code that it has printed."""
        code = setup_code or UNSET
        return await super().register(username, password, email=email, setup_code=code, roots=roots)

    async def sign_in(self, username: str, password: str, code: str | None = None) -> None:
        """Sign in; from now on the access token is renewed by itself. `code` is that of the second factor.

        Raises Refused; its `problem` is "second_factor_required" where the code is missing.
        """
        self._refresh_token = ""  # else the call below would renew the old session first
        self._store_tokens(await self.login(username, password, code=UNSET if code is None else code))

    async def change_password(
        self, current_password: str, new_password: str, *, keep_api_keys: bool | Unset = UNSET
    ) -> Tokens:
        """Change your password. It ends all sessions; a client that has signed in goes on with the new one."""
        tokens = await super().change_password(current_password, new_password, keep_api_keys=keep_api_keys)
        if self._refresh_token:
            self._store_tokens(tokens)
        return tokens

    async def call(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        """Call `/api/v2/<path>` once and return its JSON (None where there is none).

        Raises Refused, or Unavailable when no server answers.
        """
        await self.renew()
        return decoded(self.url, await self.attempt(Request(method, path, query, body)))

    async def each(
        self, listing: Callable[P, Awaitable[Page[T]]], *args: P.args, **kwargs: P.kwargs
    ) -> AsyncIterator[T]:
        """The items of all pages: `client.each(client.list_documents, collection_id, status="failed")`."""
        cursor: dict[str, Any] = {}
        while True:
            page = await listing(*args, **{**kwargs, **cursor})
            for item in page["items"]:
                yield item
            if page["next_cursor"] is None:
                return
            cursor = {"cursor": page["next_cursor"]}

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
            await self.renew()
            query = f"?{urlencode({'since': seen.since})}" if seen.since else ""
            address = f"ws{self.url.removeprefix('http')}/{path}{query}"
            return HTTPRequest(address, headers=self.authorization(), connect_timeout=_CONNECT_S)

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

    async def renew(self) -> None:
        """Renew a stale access token; one call at a time, as a refresh token that is used twice ends the session."""
        async with self._renewal_lock:
            if self._is_stale:
                refresh = Request("POST", "auth/refresh", body={"refresh_token": self._refresh_token})
                try:
                    self._store_tokens(decoded(self.url, await self.attempt(refresh)))
                except Refused as error:
                    if error.status != HTTPStatus.UNAUTHORIZED:
                        raise Unavailable(f"The access token could not be renewed: {error}") from error
                    self._refresh_token = ""
                    raise

    def _store_tokens(self, signed_in: Tokens) -> None:
        self.token = signed_in["access_token"]
        self._refresh_token = signed_in["refresh_token"]
        self._stale_at = time.time() + signed_in["expires_in"] - _EARLY_S
