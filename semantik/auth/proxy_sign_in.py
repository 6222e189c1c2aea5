"""Sign-in by a proxy in front of the server, which names the user in a header of each request. Runs on the loop.

Each user whom a proxy names gets a session of this server, like others: it is listed, expires, and can be ended, but
the next request begins another one for as long as the proxy names the user.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from semantik.auth.audit import AuditLog
from semantik.auth.external_accounts import ExternalAccounts, ExternalIdentity
from semantik.auth.principal import Principal
from semantik.auth.sessions import SessionService
from semantik.config.auth_settings import AuthSettings
from semantik.core.errors import Unauthorized
from semantik.core.models import SignInPlace

ISSUER: Final = "proxy"  # of the identities of those whom a proxy names

_MAX_SESSIONS = 10_000
_MAX_NAME = 200


class ProxySignIn:
    """`limits()` are the current settings; each session that begins is recorded in the audit trail."""

    def __init__(
        self,
        limits: Callable[[], AuthSettings],
        sessions: SessionService,
        accounts: ExternalAccounts,
        audit: AuditLog,
    ) -> None:
        self._limits = limits
        self._sessions = sessions
        self._accounts = accounts
        self._audit = audit
        self._cookies: dict[str, str] = {}  # by name, the cookie of a session that this server has begun
        self._beginning: dict[str, asyncio.Task[str]] = {}

    async def authenticate(self, name: str, place: SignInPlace, request_id: str) -> Principal:
        """The principal of the user whom the proxy calls `name`. `request_id` is of the request that asks.

        Raises Unauthorized, Forbidden or Conflict."""
        if len(name) > _MAX_NAME:
            raise Unauthorized(f"The proxy names a user with more than {_MAX_NAME} characters.")
        cookie = self._cookies.get(name)
        if cookie is not None:
            try:
                return await self._sessions.authenticate(cookie, browser=True)
            except Unauthorized:  # it was ended, or has expired
                if self._cookies.get(name) == cookie:
                    del self._cookies[name]
        return await self._sessions.authenticate(await self._begun(name, place, request_id), browser=True)

    async def _begun(self, name: str, place: SignInPlace, request_id: str) -> str:
        """The cookie of a session, which all who ask at the same time wait for."""
        task = self._beginning.get(name)
        if task is None:
            task = asyncio.ensure_future(self._begin(name, place, request_id))
            self._beginning[name] = task
            task.add_done_callback(lambda done: self._ended(name, done))
        return await asyncio.shield(task)

    async def _begin(self, name: str, place: SignInPlace, request_id: str) -> str:
        identity = ExternalIdentity(ISSUER, name.lower(), name)
        user = await self._accounts.resolve(identity)
        login = await self._sessions.start_session(user, place, self._limits().external_session_s)
        self._audit.record(
            "session.sign_in",
            principal=None,
            address=place.address,
            request_id=request_id,
            details={"proxy_user": name},
            user=user,
        )
        if len(self._cookies) >= _MAX_SESSIONS:
            self._cookies.clear()
        self._cookies[name] = login.cookie
        return login.cookie

    def _ended(self, name: str, task: asyncio.Task[str]) -> None:
        del self._beginning[name]
        if not task.cancelled():
            task.exception()  # who asked may have left, and asyncio would report it as never retrieved
