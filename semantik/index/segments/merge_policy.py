"""Which segments to merge next, so that their number grows with the logarithm of the rows: pure functions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from semantik.config.settings import IndexSettings

# As many neighbours of one tier become one segment of the next.
_FAN = 4
# A segment with as many live rows takes part in no merge: what one build costs stays bounded.
_LARGEST = 500_000
# From this share of deleted rows on a segment is written anew without them.
_STALE = 0.25
_SMALLEST = 200


@dataclass(frozen=True)
class MergeCandidate:
    """A segment as the choice sees it: rows, how many of them live, and which engine was tried on it, "" for none."""

    rows: int
    alive: int
    engine: str


def deserves_engine(rows: int, settings: IndexSettings) -> bool:
    """Whether a segment of so many rows is to be tried with an engine; too few could not even be calibrated."""
    return rows >= max(settings.exact_below, _SMALLEST)


def choose(segments: Sequence[MergeCandidate], settings: IndexSettings) -> range | None:
    """The positions of the neighbouring segments to write anew as one, or None when all is well."""
    tiers = [_tier(segment, settings.tail_rows) for segment in segments]
    for tier in sorted({tier for tier in tiers if tier is not None}):
        run: list[int] = []
        for position, here in enumerate(tiers):
            if here is None or here > tier:
                run = []
            elif here == tier:
                run.append(position)
                if len(run) == _FAN:
                    return range(run[0], run[-1] + 1)
    for position, segment in enumerate(segments):
        stale = segment.rows - segment.alive >= _STALE * segment.rows
        untried = segment.engine != settings.engine and deserves_engine(segment.alive, settings)
        if stale or untried:
            return range(position, position + 1)
    return None


def _tier(segment: MergeCandidate, unit: int) -> int | None:
    """Powers of the fan above the size of a frozen tail; None for a segment that is left alone."""
    if segment.alive >= _LARGEST:
        return None
    return max(0, int(math.log(max(1, segment.alive) / unit, _FAN)))
