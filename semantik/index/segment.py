"""A segment: an immutable folder of seqs, vectors and perhaps an Annoy file.

Written and searched in threads and in the pool's children.
"""

from __future__ import annotations

import secrets
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semantik.index.durable import Damaged, failpoint, sync, write_synced
from semantik.index.forest import Forest
from semantik.index.manifest import SegmentRecord
from semantik.index.ranges import Ranges
from semantik.index.rows import Found, Rows, exact, score

SEQS, VECTORS, FOREST = "seqs.i64", "vectors.f16", "forest.annoy"

# The number of results for which a segment's search_k was measured.
CALIBRATED_FOR = 10

# Annoy ranks like the cosine does; the few more let equal scores be ordered by seq.
_SPARE = 16
# The effort for so many results finds some more nearly as well.
_SLACK = 1.5
# Looking at this share of the rows through Annoy costs as much as scanning them all.
_EFFORT_LIMIT = 0.75


class Segment:
    """The mapped files of a segment, with its own note of which rows are deleted."""

    def __init__(self, home: Path, record: SegmentRecord, dimension: int) -> None:
        """Map the files. Raises Damaged when they are not what the record says."""
        folder = home / record.name
        seqs = _mapped(folder / SEQS, np.dtype("<i8"), (record.rows,))
        vectors = _mapped(folder / VECTORS, np.dtype("<f2"), (record.rows, dimension))
        if zlib.crc32(seqs.data) != record.seqs_crc:
            raise Damaged(f"the seqs of segment {record.name} are not those that were written")
        self.record = record
        self.rows = Rows(seqs, vectors, np.ones(record.rows, np.bool_))
        self.bytes = seqs.nbytes + vectors.nbytes + record.forest_bytes
        self._effort_limit = _EFFORT_LIMIT * record.rows
        self._forest: Forest | None = None
        if record.search_k:
            _check_size(folder / FOREST, record.forest_bytes)
            self._forest = Forest(folder / FOREST, dimension)
            if len(self._forest) != record.rows:
                raise Damaged(f"the Annoy file of segment {record.name} is of other vectors")

    def search(self, query: NDArray[np.float64], k: int, allowed: Ranges | None) -> Found:
        """The k best live rows: by Annoy where it was calibrated, exactly within `allowed`."""
        if self._forest is not None and allowed is None:
            found = self._approximate(self._forest, query, k)
            if found is not None:
                return found
        return exact(self.rows, query, k, allowed)

    def _approximate(self, forest: Forest, query: NDArray[np.float64], k: int) -> Found | None:
        """What Annoy proposes, scored; None when it would have to look at most of the rows."""
        alive = self.rows.alive
        wanted = min(k, alive)
        # How many of the nearest, deleted ones among them, the effort is good for; it was measured for ten.
        reach = max(k, CALIBRATED_FOR) * len(self.rows) / max(1, alive)
        while wanted and (effort := self.record.search_k * reach / CALIBRATED_FOR) <= self._effort_limit:
            proposed = forest.propose(query, int(_SLACK * reach) + _SPARE, int(effort))
            living = np.flatnonzero(self.rows.live[proposed])
            if len(living) < wanted:
                reach *= 2
            elif living[wanted - 1] < _SLACK * reach:
                return score(self.rows, proposed[living], query)
            else:
                reach = 2.0 * living[wanted - 1]
        return None


def name_segment(first: int, last: int) -> str:
    """A folder's name that no other folder ever had, whoever still writes there."""
    return f"{first}-{last}-{secrets.token_hex(4)}"


def write_segment(
    home: Path,
    name: str,
    covers: tuple[int, int],
    parts: Iterable[tuple[NDArray[np.int64], NDArray[np.float16]]],
) -> SegmentRecord:
    """Write the seqs and vectors, ascending, into a new folder and wait for the disk.

    The folder belongs to nothing until a manifest names it; who called removes it after an error.
    """
    folder = home / name
    folder.mkdir()
    written: list[NDArray[np.int64]] = []

    def vectors() -> Iterable[Any]:
        for seqs, block in parts:
            written.append(np.ascontiguousarray(seqs, "<i8"))
            yield np.ascontiguousarray(block, "<f2")

    write_synced(folder / VECTORS, vectors())
    failpoint("segment-vectors")
    seqs = np.concatenate(written) if written else np.empty(0, np.int64)
    write_synced(folder / SEQS, [seqs])
    failpoint("segment-seqs")
    sync(folder)
    sync(home)
    failpoint("segment-synced")
    return SegmentRecord(name, *covers, rows=len(seqs), seqs_crc=zlib.crc32(seqs.data))


def _mapped(path: Path, dtype: np.dtype[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    _check_size(path, int(np.prod(shape)) * dtype.itemsize)
    return np.memmap(path, dtype, "r", shape=shape).view(np.ndarray)


def _check_size(path: Path, size: int) -> None:
    try:
        actual = path.stat().st_size
    except OSError as error:
        raise Damaged(f"{path.parent.name}/{path.name} cannot be read ({error.strerror})") from error
    if actual != size:
        raise Damaged(f"{path.parent.name}/{path.name} has {actual} bytes instead of {size}")
