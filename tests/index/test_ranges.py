"""The pure functions of the index: ranges of seqs, and the merge policy."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from test_vector_index import EXACT

from semantik.index import ranges
from semantik.index.segments.merge_policy import MergeCandidate, choose_merge


@pytest.mark.parametrize("seed", range(20))
def test_ranges_equal_sets(seed: int) -> None:
    rng = np.random.default_rng(seed)
    starts = rng.integers(0, 60, rng.integers(0, 12))
    given = [(int(s), int(s + rng.integers(0, 8))) for s in starts]
    members = {n for a, b in given for n in range(a, b)}
    normal = ranges.normalize(given)
    assert {n for a, b in normal.tolist() for n in range(a, b)} == members
    assert (normal[1:, 0] > normal[:-1, 1]).all() and (normal[:, 0] < normal[:, 1]).all()
    assert np.array_equal(ranges.from_seqs(np.array(sorted(members), np.int64)), normal)
    assert {n for a, b in ranges.above(normal, 30).tolist() for n in range(a, b)} == {
        n for n in members if n > 30
    }
    seqs = np.unique(rng.integers(0, 70, 40))
    assert ranges.rows_within(seqs, normal).tolist() == [r for r, s in enumerate(seqs) if s in members]


def test_merges_keep_the_number_of_segments_low() -> None:
    settings = dataclasses.replace(EXACT, tail_rows=100)
    rng = np.random.default_rng(0)
    segments: list[MergeCandidate] = []
    moved = 0
    for _ in range(2000):
        segments.append(MergeCandidate(int(rng.integers(1, 200)), 0, True))
        segments[-1] = dataclasses.replace(segments[-1], live_rows=segments[-1].rows)
        while (chosen := choose_merge(segments, settings)) is not None:
            rows = sum(segment.live_rows for segment in segments[chosen.start : chosen.stop])
            segments[chosen.start : chosen.stop] = [MergeCandidate(rows, rows, True)]
            moved += rows
        assert len(segments) <= 24
    total = sum(segment.rows for segment in segments)
    assert moved <= 8 * total, "each vector is rewritten about once per tier"
    halved = dataclasses.replace(segments[0], live_rows=segments[0].rows // 2)
    assert choose_merge([halved, *segments[1:]], settings) == range(0, 1)
