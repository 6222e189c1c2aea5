"""Warnings that an attack could cause without end: one line a minute for each kind, with how many there were."""

from __future__ import annotations

import logging
import time
from collections import Counter

_PERIOD_S = 60.0


class LimitedLog:
    """`warn` logs at most one line a minute for each message."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._silent_until: dict[str, float] = {}
        self._unreported: Counter[str] = Counter()

    def warn(self, message: str, *args: object) -> None:
        """Log `message % args`; `message` must be a constant, since one is kept for each."""
        now = time.monotonic()
        if now < self._silent_until.get(message, 0.0):
            self._unreported[message] += 1
            return
        self._silent_until[message] = now + _PERIOD_S
        more = self._unreported.pop(message, 0)
        self._log.warning(message + (f" ({more} more since the last such line)" if more else ""), *args)
