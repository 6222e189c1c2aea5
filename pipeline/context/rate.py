"""How fast an operation works, and how long it will still take. Knows nothing of documents or messages.

The time left is estimated from the bytes of the files: the part of a large file that is embedded counts at once, so the
estimate keeps moving while that file is worked on.
"""

from __future__ import annotations

import time
from collections.abc import Callable

_FILE_BYTES = 4096  # the cost of a file besides its text, in bytes of text
_MIN_ELAPSED_S = 1.0


def file_work(size: int) -> int:
    """The work for a file of `size` bytes, in bytes."""
    return size + _FILE_BYTES


class RateEstimator:
    """Work is measured in bytes (`file_work`); `clock` gives seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.start(0)

    def start(self, work: int) -> None:
        """Start with `work` ahead: the sum over all files that are not finished."""
        self._started = self._clock()
        self._remaining = float(work)
        self._done = 0.0
        self._files = 0

    def advance(self, work: float) -> None:
        """Count `work` as done."""
        self._done += work
        self._remaining = max(0.0, self._remaining - work)

    def change(self, work: float) -> None:
        """Add `work` to what is ahead, or take it away if negative."""
        self._remaining = max(0.0, self._remaining + work)

    def finish(self, files: int) -> None:
        """Count so many files as finished."""
        self._files += files

    @property
    def files_per_s(self) -> float:
        return round(self._files / max(self._elapsed_s, 1e-3), 2)

    @property
    def eta_s(self) -> float | None:
        """Seconds left; None while there is nothing to estimate from."""
        if self._done == 0 or self._elapsed_s < _MIN_ELAPSED_S:
            return None
        return round(self._remaining * self._elapsed_s / self._done, 1)

    @property
    def _elapsed_s(self) -> float:
        return self._clock() - self._started
