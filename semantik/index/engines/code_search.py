"""The search of binary codes, in all segments at once: what is compared grows with the square root of the rows.

Segments whose codes have the same means are searched as one: each gives its cells nearest to the query, a share of what
is compared, and of all codes compared the nearest are proposed, whichever segment has them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from semantik.index.engines import cells as cells_module
from semantik.index.engines.cells import Cells
from semantik.index.engines.protocol import EngineSegment

# For each row to be scored exactly so many codes are compared, those of the nearest cells.
COMPARED = 128
# To gather the codes of cells takes as long as to compare them: from this share of all on, all are compared.
_SCANNED_SHARE = 0.6
# So the effort grows with the rows that are searched as one; see bench/NOTES.md.
_EFFORT_GROWTH = 0.5

_CALIBRATED_FOR = 10
# For k results that many times more: with 0.5 to 0.6 the recall at 20, 40 and 100 is about that at 10 (measured).
_GROWTH = 0.6
# Scoring one row exactly takes as long as comparing so many codes.
_SCORING_COST = 30
# To sort out the nearest takes long where many distances are equal, as these are: every sixteenth says which rows may
# be among them, and few are left.
_SAMPLED, _SPARE = 16, 8
_UNUSABLE = np.uint16(0xFFFF)


class Codes(Protocol):
    """The codes of one segment, in the order of its rows, or in that of its cells."""

    @property
    def shared(self) -> NDArray[np.float32]: ...

    @property
    def cells(self) -> Cells | None: ...

    def distances(
        self, query: NDArray[np.float32], places: Sequence[slice], count: int
    ) -> NDArray[np.uint16]:
        """The number of bits in which the `count` codes at the places differ from the query's."""


@dataclass(frozen=True)
class _Segment:
    codes: Codes
    effort: int
    usable: NDArray[np.bool_]
    count: int  # of the usable rows

    def __len__(self) -> int:
        return len(self.usable)

    def mark_unusable(self, distances: NDArray[np.uint16], rows: NDArray[np.uint32] | None) -> int:
        """Overwrite the distances of the rows (None: of all) that are not usable; how many are."""
        if self.count == len(self):
            return len(distances)
        distances[~(self.usable if rows is None else self.usable[rows])] = _UNUSABLE
        return int(np.count_nonzero(distances != _UNUSABLE))


@dataclass(frozen=True)
class _Compared:
    """Codes that were compared: those of the `rows` of the segment at a position; None: of all its rows."""

    position: int
    rows: NDArray[np.uint32] | None
    distances: NDArray[np.uint16]
    usable: int


def propose(
    segments: Sequence[EngineSegment], query: NDArray[np.float64], k: int
) -> list[NDArray[np.int64] | None]:
    """See `Engine.propose`."""
    more = (max(k, _CALIBRATED_FOR) / _CALIBRATED_FOR) ** _GROWTH
    proposed: list[NDArray[np.int64] | None] = [None] * len(segments)
    groups: dict[bytes, dict[int, _Segment]] = {}
    for position, each in enumerate(segments):
        count = int(np.count_nonzero(each.usable))
        if (count - max(k, math.ceil(each.effort * more))) * _SCORING_COST > len(each.usable):
            its_group = groups.setdefault(each.finder.shared.tobytes(), {})
            its_group[position] = _Segment(each.finder, each.effort, each.usable, count)
    for by_position in groups.values():
        group = list(by_position.values())
        wanted = max(k, math.ceil(_joint_effort(group) * more))
        for position, rows in zip(
            by_position, _propose(group, query.astype(np.float32), wanted), strict=True
        ):
            proposed[position] = rows
    return proposed


def _joint_effort(group: Sequence[_Segment]) -> float:
    """How many rows of all segments together to score; at most as many as if each was searched on its own.

    As many as that where a filter leaves half of the rows or less: codes say less of rows that are far from the query.
    """
    rows = sum(map(len, group))
    largest = max(group, key=len)
    efforts = [each.effort for each in group]
    grown = min(sum(efforts), max(largest.effort * math.pow(rows / len(largest), _EFFORT_GROWTH), *efforts))
    usable = sum(each.count for each in group)
    return grown + min(1, 2 * (1 - usable / rows)) * (sum(efforts) - grown)


def _propose(group: Sequence[_Segment], query: NDArray[np.float32], wanted: int) -> list[NDArray[np.int64]]:
    """The rows with the nearest codes among the usable ones of the nearest cells, by segment."""
    with_cells = sum(len(each) for each in group if each.codes.cells is not None)
    scans = COMPARED * wanted >= _SCANNED_SHARE * with_cells
    compared = list(_compare_all(group, query, scans))
    usable = sum(each.usable for each in compared)
    in_cells = 0
    for part in () if scans else _compare_cells(group, query, COMPARED * wanted):
        compared += part
        in_cells += sum(each.usable for each in part)
        if in_cells >= COMPARED * wanted:
            break
    # All rows may have been deleted since they were counted.
    near = _nearest(
        np.concatenate([each.distances for each in compared]), min(wanted, max(1, usable + in_cells))
    )
    found: list[list[NDArray[np.int64]]] = [[np.empty(0, np.int64)] for _ in group]
    ends = np.cumsum([len(each.distances) for each in compared])
    for each, end, inside in zip(
        compared, ends, np.split(near, np.searchsorted(near, ends[:-1])), strict=True
    ):
        at = inside - (end - len(each.distances))
        found[each.position].append(at if each.rows is None else each.rows[at].astype(np.int64))
    return [np.concatenate(rows) for rows in found]


def _compare_all(group: Sequence[_Segment], query: NDArray[np.float32], scans: bool) -> Iterator[_Compared]:
    """The codes of the segments without cells; of all segments if it `scans`."""
    for position, each in enumerate(group):
        cells = each.codes.cells
        if cells is None or scans:
            distances = each.codes.distances(query, [slice(0, len(each))], len(each))
            rows = None if cells is None else cells.order
            yield _Compared(position, rows, distances, each.mark_unusable(distances, rows))


def _compare_cells(
    group: Sequence[_Segment], query: NDArray[np.float32], rows: int
) -> Iterator[list[_Compared]]:
    """The codes of the cells nearest to the query, in parts of at least `rows`, nearest first."""
    with_cells = [(position, each, each.codes.cells) for position, each in enumerate(group)]
    known = [(position, each, cells) for position, each, cells in with_cells if cells is not None]
    for part in cells_module.nearest([cells for _, _, cells in known], query, rows):
        compared = []
        for (position, each, cells), places in zip(known, part, strict=True):
            if not places:
                continue
            its_rows = np.concatenate([cells.order[place] for place in places])
            distances = each.codes.distances(query, places, len(its_rows))
            count = each.mark_unusable(distances, its_rows)
            compared.append(_Compared(position, its_rows, distances, count))
        yield compared


def _nearest(distances: NDArray[np.uint16], wanted: int) -> NDArray[np.int64]:
    """The places of the `wanted` smallest distances, and those as near as the last of them; no `_UNUSABLE` ones.

    Ascending.
    """
    sample = distances[::_SAMPLED]
    place = 2 * wanted // _SAMPLED + _SPARE
    if place < len(sample):
        near = np.flatnonzero(distances <= min(np.partition(sample, place)[place], _UNUSABLE - 1))
        if len(near) >= wanted:
            among = distances[near]
            nearest: NDArray[np.int64] = near[among <= np.partition(among, wanted - 1)[wanted - 1]]
            return nearest
    limit = np.partition(distances, wanted - 1)[wanted - 1]
    # A row may be deleted while this runs: `limit` can then be `_UNUSABLE`.
    return np.flatnonzero(distances <= min(limit, _UNUSABLE - 1))
