"""How fast an operation goes, and how long it will still take. Knows nothing of documents or messages.

Time left is reckoned in bytes of files: of a large one, what is embedded so far counts, so the reckoning does not stand
still while it is worked on.
"""

from __future__ import annotations

import time
from collections.abc import Callable

_FILE_BYTES = 4096  # what even an empty file takes, in bytes of text
_SURE_S = 1.0


def weight(size: int) -> int:
    """The work that a file of `size` bytes is."""
    return size + _FILE_BYTES


class RateEstimator:
    """`clock` gives seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.begin(0)

    def begin(self, work: int) -> None:
        """So much work lies ahead: the sum of the weights of all files that are not done with."""
        self._begun = self._clock()
        self._left = float(work)
        self._done = 0.0
        self._files = 0

    def advance(self, work: float) -> None:
        """So much of it is done."""
        self._done += work
        self._left = max(0.0, self._left - work)

    def finish(self, files: int) -> None:
        """So many files are done with."""
        self._files += files

    @property
    def files_per_s(self) -> float:
        return round(self._files / max(self._elapsed_s, 1e-3), 2)

    @property
    def eta_s(self) -> float | None:
        """Seconds left; None while nothing can be said."""
        if self._done == 0 or self._elapsed_s < _SURE_S:
            return None
        return round(self._left * self._elapsed_s / self._done, 1)

    @property
    def _elapsed_s(self) -> float:
        return self._clock() - self._begun
