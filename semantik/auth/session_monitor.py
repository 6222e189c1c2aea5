"""Watches over those who stay connected: whether their token or key is still good. One look a second for all of them.

Knows no sockets: whoever is watched gives a plain callable. Runs on the loop.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn

from semantik.auth.sessions import Principal, SessionService
from semantik.core.errors import Unavailable
from semantik.core.models import now

log = logging.getLogger("semantik.auth")

_LOOK_S = 1.0


class SessionMonitor:
    """`run` looks; `over` puts somebody under watch."""

    def __init__(self, auth: SessionService) -> None:
        self._auth = auth
        self._watched: dict[object, tuple[Principal, Callable[[str], None]]] = {}

    async def run(self) -> NoReturn:
        """Look for ever. While MongoDB is away, nobody is expelled but those whose token or key has expired."""
        while True:
            await asyncio.sleep(_LOOK_S)
            moment = now()
            for key, (principal, _) in list(self._watched.items()):
                if principal.expires_at is not None and principal.expires_at <= moment:
                    self._expel(key, principal.expired)
            try:
                await self._look()
            except Unavailable as error:
                log.debug("Sessions and keys are looked at again later: %s", error)

    @contextmanager
    def watch(self, principal: Principal, expel: Callable[[str], None]) -> Iterator[None]:
        """While inside, `expel(reason)` is called once, when the token or key is not good any more."""
        key = object()
        self._watched[key] = (principal, expel)
        try:
            yield
        finally:
            self._watched.pop(key, None)

    async def _look(self) -> None:
        principals = [principal for principal, _ in self._watched.values()]
        reasons = await self._auth.lapsed(principals) if principals else {}
        for key, (principal, _) in list(self._watched.items()):
            if principal.credential_id in reasons:
                self._expel(key, reasons[principal.credential_id])

    def _expel(self, key: object, reason: str) -> None:
        _, expel = self._watched.pop(key)
        expel(reason)
