"""Segments whose codes have the same means are searched as one: the effort grows less than their number."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from test_vector_index import DIMENSION, brute_force, clustered_vectors, merged, open_index, until

from semantik.config.settings import IndexSettings
from semantik.index import VectorIndex
from semantik.index.engines import binary_quantization as codes
from semantik.index.engines import cells, code_search
from semantik.index.engines.protocol import EngineSegment
from semantik.index.segments.manifest import SegmentRecord
from semantik.index.segments.merge import merge_segments
from semantik.index.segments.segment import Segment, write_segment
from semantik.index.vectors.rows import Rows
from semantik.index.vectors.scoring import Picked, nearest, top_k

PARTS, ROWS = 6, 5000
VECTORS = clustered_vectors(PARTS * ROWS, 96)
EFFORT = 200
SETTINGS = IndexSettings(exact_below=300, tail_rows=100, target_recall=0.9)


@pytest.fixture(autouse=True)
def small_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cells, "MIN_ROWS", ROWS)
    monkeypatch.setattr(cells, "_ROWS_PER_CELL", 100)
    monkeypatch.setattr(code_search, "COMPARED", 8)


def built(folder: Path, own_means: Sequence[int] = ()) -> list[tuple[Rows, codes.BinaryCodes]]:
    """`PARTS` segments of `ROWS` rows: with the means of the first, or with their own."""
    made: list[tuple[Rows, codes.BinaryCodes]] = []
    for number in range(PARTS):
        seqs = np.arange(number * ROWS, (number + 1) * ROWS)
        rows = Rows(seqs, VECTORS[seqs], np.ones(ROWS, np.bool_))
        path = folder / f"{number}-{codes.FILE}"
        shared = made[0][1].shared if made and number not in own_means else None
        codes.build(path, rows.vectors, IndexSettings(), shared)
        made.append((rows, codes.load(path, rows)))
    return made


def proposals(
    made: Sequence[tuple[Rows, codes.BinaryCodes]], row: int, usable: NDArray[np.bool_] | None = None
) -> list[NDArray[np.int64] | None]:
    masks = [rows.live if usable is None else usable[rows.seqs] for rows, _ in made]
    parts = [EngineSegment(finder, EFFORT, mask) for (_, finder), mask in zip(made, masks, strict=True)]
    return codes.propose(parts, VECTORS[row].astype(np.float64), 10)


def recall(made: Sequence[tuple[Rows, codes.BinaryCodes]], usable: NDArray[np.bool_] | None = None) -> float:
    hits = 0
    asked = range(0, PARTS * ROWS, 900)
    for row in asked:
        query = VECTORS[row].astype(np.float64)
        found = zip(made, proposals(made, row, usable), strict=True)
        picked = [Picked(rows, numbers) for (rows, _), numbers in found if numbers is not None]
        scored = nearest(picked, query, 10)
        scores = VECTORS.astype(np.float32) @ query.astype(np.float32)
        if usable is not None:
            scores[~usable] = -2
        hits += len({each.seq for each in top_k(scored, 10, None)} & set(np.argsort(-scores)[:10].tolist()))
    return hits / (10 * len(asked))


def count(proposed: Sequence[NDArray[np.int64] | None]) -> int:
    return sum(0 if rows is None else len(rows) for rows in proposed)


def test_the_nearest_of_all_segments_are_found_with_less_effort_than_one_by_one(tmp_path: Path) -> None:
    made = built(tmp_path)
    assert recall(made) >= 0.93
    one_by_one = sum(count(proposals([each], 7)) for each in made)
    assert count(proposals(made, 7)) < 0.6 * one_by_one


def test_segments_with_other_means_are_searched_apart(tmp_path: Path) -> None:
    made = built(tmp_path, own_means=(1, 4))
    assert len({finder.shared.tobytes() for _, finder in made}) == 3
    assert recall(made) >= 0.93
    apart = sum(count(proposals([made[at]], 7)) for at in (1, 4))
    together = count(proposals([made[at] for at in (0, 2, 3, 5)], 7))
    assert count(proposals(made, 7)) == apart + together


def test_segments_with_and_without_cells_are_searched_as_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = built(tmp_path)
    (tmp_path / "flat").mkdir()
    with monkeypatch.context() as context:
        context.setattr(cells, "MIN_ROWS", ROWS + 1)
        flat = built(tmp_path / "flat")
    assert all(finder.cells is None for _, finder in flat)
    mixed = [*made[:3], *flat[3:]]
    assert recall(mixed) >= 0.93
    assert count(proposals(mixed, 7)) < 0.6 * sum(count(proposals([each], 7)) for each in mixed)


def test_a_filter_that_leaves_one_segment_or_a_few_rows_of_all(tmp_path: Path) -> None:
    """Few rows are left to an exact scan; only usable ones are proposed of the others."""
    made = built(tmp_path)
    usable = np.zeros(PARTS * ROWS, np.bool_)
    usable[2 * ROWS : 3 * ROWS] = True
    assert [rows is None for rows in proposals(made, 7, usable)] == [True, True, False, True, True, True]
    assert recall(made, usable) >= 0.93
    usable[::100] = True
    proposed = proposals(made, 7, usable)
    assert [rows is None for rows in proposed] == [True, True, False, True, True, True]
    usable[::2] = True
    for (rows, _), picked in zip(made, proposals(made, 7, usable), strict=True):
        assert picked is not None and usable[rows.seqs[picked]].all()
    assert recall(made, usable) >= 0.93


def test_merges_take_the_means_of_the_larger_rest(tmp_path: Path) -> None:
    """And a segment that is larger than all others has its own."""

    def means(index: VectorIndex) -> list[bytes]:
        finders = [each.finder for each in index._state.snapshot.segments]
        return [each.shared.tobytes() for each in finders if each is not None and each.shared is not None]

    async def test() -> None:
        vectors = clustered_vectors(4800)
        async with open_index(tmp_path, SETTINGS) as index:
            seen = []
            for start in range(0, 4800, 1600):
                for first in range(start, start + 1600, 100):
                    await index.add(np.arange(first, first + 100), vectors[first : first + 100])
                    await until(lambda: merged(index, SETTINGS))
                seen.append(means(index))
            assert [len(set(each)) for each in seen] == [1, 1, 1] and [len(each) for each in seen] == [
                2,
                1,
                3,
            ]
            assert seen[0][0] != seen[1][0] == seen[2][0]
            stored = dict(enumerate(vectors))
            hits = 0
            for row in range(0, 4800, 150):
                query = vectors[row].astype(np.float32)
                best = {hit.seq for hit in brute_force(stored, query, 10)}
                hits += len(best & {hit.seq for hit in await index.nearest(query, 10)})
            assert hits >= 0.88 * 320

    asyncio.run(test())


def test_rows_unlike_those_of_the_shared_means_get_their_own(tmp_path: Path) -> None:
    """Below these means all rows have the same code, which finds nothing."""
    vectors = clustered_vectors(1000)
    record = write_segment(tmp_path, "0-999-a", (0, 999), [(np.arange(1000), vectors)])
    far = np.full(DIMENSION, 2.0, np.float32)

    def merge(name: str, shared: NDArray[np.float32] | None) -> SegmentRecord:
        return merge_segments(
            tmp_path, name, [record], np.empty((0, 2), np.int64), DIMENSION, SETTINGS, shared
        )

    own, unlike = merge("0-999-b", None), merge("0-999-c", far)
    assert unlike.effort == own.effort > 0
    assert dataclasses.replace(unlike, name=own.name) == own
    segment = Segment(tmp_path, unlike, DIMENSION)
    for _ in segment.attach_engine():
        pass
    assert segment.finder is not None and segment.finder.shared is not None
    assert (segment.finder.shared < 1).all()
