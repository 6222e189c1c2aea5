"""The search of all segments: engines propose rows, of all segments at once, and these are scored exactly."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from semantik.index.engines.protocol import EngineSegment
from semantik.index.engines.registry import ENGINES
from semantik.index.ranges import Ranges
from semantik.index.segments.segment import Segment
from semantik.index.vectors.rows import Rows
from semantik.index.vectors.scoring import Picked, ScoredRows, nearest, scan


def search_rows(
    segments: Sequence[Segment], unflushed: Rows, query: NDArray[np.float64], k: int, allowed: Ranges | None
) -> ScoredRows:
    """The k best live rows within `allowed` (more, where scores are close): of those that the engines propose, or of
    all where they do not."""
    usable = [each.rows.usable(allowed) for each in segments]
    proposed: list[NDArray[np.int64] | None] = [None] * len(segments)
    by_engine: dict[str, dict[int, EngineSegment]] = {}
    for at, each in enumerate(segments):
        if (finder := each.finder) is not None:
            its_part = EngineSegment(finder, each.record.effort, usable[at])
            by_engine.setdefault(each.record.engine, {})[at] = its_part
    for name, parts in by_engine.items():
        found = ENGINES[name].propose(list(parts.values()), query, k)
        for at, rows in zip(parts, found, strict=True):
            proposed[at] = rows
    picked = [
        scan(each.rows, query, k, mask) if numbers is None else Picked(each.rows, numbers)
        for each, mask, numbers in zip(segments, usable, proposed, strict=True)
    ]
    if len(unflushed):
        picked.append(scan(unflushed, query, k, unflushed.usable(allowed)))
    return nearest(picked, query, k)
