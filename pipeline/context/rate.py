"""How fast one kind of step goes, and how long the rest will take. Knows nothing of documents or messages."""

from __future__ import annotations

import time
from collections.abc import Callable

_MIN_ELAPSED_S = 1.0


class RateEstimator:
    """The unit of work is the caller's, like pages; `clock` gives seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.start(0)

    def start(self, work: int) -> None:
        """Start with `work` ahead."""
        self._started = self._clock()
        self._remaining = float(work)
        self._done = 0.0

    def advance(self, work: float) -> None:
        """Count `work` as done."""
        self._done += work
        self._remaining = max(0.0, self._remaining - work)

    @property
    def eta_s(self) -> float | None:
        """Seconds left; None while there is nothing to estimate from."""
        if self._done == 0 or self._elapsed_s < _MIN_ELAPSED_S:
            return None
        return round(self._remaining * self._elapsed_s / self._done, 1)

    @property
    def _elapsed_s(self) -> float:
        return self._clock() - self._started
