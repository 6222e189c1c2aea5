"""How many requests of a group one user, or one address, may send: counted in this process, so without any waiting.

Every key has one number, the moment at which all its requests so far would have come at the allowed rate (the
"generic cell rate algorithm"). Runs on the loop.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Literal

from semantik.config.connection_settings import RateLimitSettings
from semantik.core.errors import Busy

RateGroup = Literal["search", "read", "write", "sign_in", "sockets"]

_MAX_KEYS = 20_000


class RateLimiter:
    """`limits()` are the current settings."""

    def __init__(
        self, limits: Callable[[], RateLimitSettings], now: Callable[[], float] = time.monotonic
    ) -> None:
        self._limits = limits
        self._now = now
        self._due: dict[tuple[RateGroup, str], float] = {}

    def take(self, group: RateGroup, key: str) -> None:
        """Count one request of `key`, which is a user's id or an address. Raises Busy when there were too many."""
        limits = self._limits()
        per_s = float(getattr(limits, f"{group}_per_s"))
        if not per_s:
            return
        now = self._now()
        due = max(self._due.get((group, key), 0.0), now)
        ahead_s = due - now
        if ahead_s > limits.burst_s:
            wait_s = max(1, math.ceil(ahead_s - limits.burst_s))
            raise Busy(
                f"There were more requests than {per_s:g} a second (rate_limits.{group}_per_s): "
                f"try again in {wait_s} s.",
                wait_s,
            )
        if len(self._due) >= _MAX_KEYS:
            self._forget(now)
        self._due[group, key] = due + 1 / per_s

    def _forget(self, now: float) -> None:
        """Forget whoever has all requests left again; of too many others, those that came first."""
        self._due = {key: due for key, due in self._due.items() if due > now}
        for key in list(self._due)[: max(0, len(self._due) - _MAX_KEYS // 2)]:
            del self._due[key]
