"""Checks once a second that the sessions and API keys of all open connections are still valid.

Knows no sockets: each connection registers a plain callable. Runs on the loop.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn

from semantik.auth.principal import Principal
from semantik.auth.sessions import SessionService
from semantik.core.errors import Unavailable
from semantik.core.models import now

log = logging.getLogger("semantik.auth")

_CHECK_S = 1.0


class SessionMonitor:
    """`run` checks; `watch` registers a principal."""

    def __init__(self, sessions: SessionService) -> None:
        self._sessions = sessions
        self._watched: dict[object, tuple[Principal, Callable[[str], None]]] = {}

    async def run(self) -> NoReturn:
        """Check for ever. While MongoDB does not answer, only tokens and keys past their expiry are reported."""
        while True:
            await asyncio.sleep(_CHECK_S)
            moment = now()
            for key, (principal, _) in list(self._watched.items()):
                if principal.expires_at is not None and principal.expires_at <= moment:
                    self._on_expired(key, principal.expiry_message)
            try:
                await self._check()
            except Unavailable as error:
                log.debug("Sessions and keys are checked again later: %s", error)

    @contextmanager
    def watch(self, principal: Principal, on_expired: Callable[[str], None]) -> Iterator[None]:
        """While inside, `on_expired(reason)` is called once, when the token or key is no longer valid."""
        key = object()
        self._watched[key] = (principal, on_expired)
        try:
            yield
        finally:
            self._watched.pop(key, None)

    async def _check(self) -> None:
        principals = [principal for principal, _ in self._watched.values()]
        reasons = await self._sessions.invalid_credentials(principals) if principals else {}
        for key, (principal, _) in list(self._watched.items()):
            if principal.credential in reasons:
                self._on_expired(key, reasons[principal.credential])

    def _on_expired(self, key: object, reason: str) -> None:
        _, on_expired = self._watched.pop(key)
        on_expired(reason)
