"""Principals of tokens that were checked a moment ago, so that a request need not ask MongoDB. Runs on the loop."""

from __future__ import annotations

import time
from collections.abc import Callable

from semantik.auth.principal import Principal
from semantik.core.models import now

_KEEP_S = 2.0  # a token that another server has revoked is refused after this time at the latest
_SIZE = 10_000


class PrincipalCache:
    """By token, and whether it came as a cookie."""

    def __init__(self) -> None:
        self._entries: dict[tuple[str, bool], tuple[float, Principal]] = {}

    def get(self, token: str, browser: bool) -> Principal | None:
        entry = self._entries.get((token, browser))
        return entry[1] if entry is not None and time.monotonic() < entry[0] else None

    def add(self, token: str, browser: bool, principal: Principal) -> None:
        """Keep it for a moment, but not longer than the token is good."""
        if len(self._entries) >= _SIZE:
            self._entries.clear()
        left_s = _KEEP_S
        if principal.expires_at is not None:
            left_s = min(left_s, (principal.expires_at - now()).total_seconds())
        self._entries[token, browser] = (time.monotonic() + left_s, principal)

    def forget(self, is_ended: Callable[[Principal], bool]) -> None:
        """Remove the principals for which this holds."""
        for key in [key for key, (_, principal) in self._entries.items() if is_ended(principal)]:
            del self._entries[key]
