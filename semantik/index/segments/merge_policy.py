"""Which segments to merge next, so that their number grows with the logarithm of the rows: pure functions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from semantik.config.settings import IndexSettings

# So many adjacent segments of one tier become one segment of the next tier.
_FAN_IN = 4
# Segments with at least so many live rows are not merged, so that the cost of one build stays bounded.
_MAX_ROWS = 500_000
# From this share of deleted rows on, a segment is rewritten without them.
_DELETED_SHARE = 0.25
_MIN_ENGINE_ROWS = 200


@dataclass(frozen=True)
class MergeCandidate:
    """A segment: its rows, how many of them are live, and which engine was tried on it ("" for none)."""

    rows: int
    live_rows: int
    engine: str


def needs_engine(rows: int, settings: IndexSettings) -> bool:
    """Whether to try an engine on a segment of so many rows; too few could not be calibrated."""
    return rows >= max(settings.exact_below, _MIN_ENGINE_ROWS)


def choose_merge(segments: Sequence[MergeCandidate], settings: IndexSettings) -> range | None:
    """The positions of the adjacent segments to rewrite as one, or None when there is nothing to do."""
    tiers = [_tier(segment, settings.tail_rows) for segment in segments]
    for tier in sorted({tier for tier in tiers if tier is not None}):
        run: list[int] = []
        for position, current in enumerate(tiers):
            if current is None or current > tier:
                run = []
            elif current == tier:
                run.append(position)
                if len(run) == _FAN_IN:
                    return range(run[0], run[-1] + 1)
    for position, segment in enumerate(segments):
        many_deleted = segment.rows - segment.live_rows >= _DELETED_SHARE * segment.rows
        untried = segment.engine != settings.engine and needs_engine(segment.live_rows, settings)
        if many_deleted or untried:
            return range(position, position + 1)
    return None


def _tier(segment: MergeCandidate, unit: int) -> int | None:
    """The power of `_FAN_IN` by which the segment exceeds `unit` rows; None for one that is not merged."""
    if segment.live_rows >= _MAX_ROWS:
        return None
    return max(0, int(math.log(max(1, segment.live_rows) / unit, _FAN_IN)))
