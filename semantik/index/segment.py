"""A segment: an immutable folder of seqs, vectors and perhaps an Annoy file.

Written and searched in threads and in the pool's children.
"""

from __future__ import annotations

import dataclasses
import secrets
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semantik.index import check
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
    """The mapped files of a segment, with its own note of which rows are deleted.

    It is scanned exactly until its Annoy file was checked: a damaged one would end the process.
    """

    def __init__(self, home: Path, record: SegmentRecord, dimension: int) -> None:
        """Map the files. Raises Damaged when they cannot be what the record says; see also `compare_vectors`."""
        self._folder = folder = home / record.name
        seqs = _mapped(folder / SEQS, np.dtype("<i8"), (record.rows,))
        vectors = _mapped(folder / VECTORS, np.dtype("<f2"), (record.rows, dimension))
        if zlib.crc32(seqs.data) != record.seqs_crc:
            raise Damaged(f"{folder / SEQS} is not what was written")
        self.record = record
        self.rows = Rows(seqs, vectors, np.ones(record.rows, np.bool_))
        self.bytes = seqs.nbytes + vectors.nbytes + record.forest_bytes
        self._effort_limit = _EFFORT_LIMIT * record.rows
        self._forest: Forest | None = None

    @property
    def unplanted(self) -> bool:
        """Whether there is an Annoy file that is not used yet."""
        return self.record.search_k > 0 and self._forest is None

    def plant(self) -> Iterator[None]:
        """Check the Annoy file, one step at a time, and use it from then on. Raises Damaged when it is bad."""
        path = self._folder / FOREST
        yield from check.compare(path, self.record.forest_bytes, self.record.forest_crc)
        forest = Forest(path, self.rows.vectors.shape[1])
        if len(forest) != self.record.rows:
            raise Damaged(f"{path} is of other vectors")
        self._forest = forest

    def uproot(self) -> None:
        """Forget the Annoy file, as if it had never been built."""
        self.bytes -= self.record.forest_bytes
        self.record = dataclasses.replace(self.record, forest_bytes=0, forest_crc=0, search_k=0, recall=None)

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


def compare_vectors(home: Path, record: SegmentRecord, dimension: int) -> Iterator[None]:
    """Read a segment's vectors through, one step at a time. Raises Damaged when they are not what was written."""
    size = record.rows * dimension * np.dtype("<f2").itemsize
    return check.compare(home / record.name / VECTORS, size, record.vectors_crc)


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
    vectors_crc = 0

    def vectors() -> Iterable[Any]:
        nonlocal vectors_crc
        for seqs, block in parts:
            written.append(np.ascontiguousarray(seqs, "<i8"))
            piece = np.ascontiguousarray(block, "<f2")
            vectors_crc = zlib.crc32(piece.data, vectors_crc)
            yield piece

    write_synced(folder / VECTORS, vectors())
    failpoint("segment-vectors")
    seqs = np.concatenate(written) if written else np.empty(0, np.int64)
    write_synced(folder / SEQS, [seqs])
    failpoint("segment-seqs")
    sync(folder)
    sync(home)
    failpoint("segment-synced")
    return SegmentRecord(name, *covers, len(seqs), zlib.crc32(seqs.data), vectors_crc)


def _mapped(path: Path, dtype: np.dtype[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    check.check_size(path, int(np.prod(shape)) * dtype.itemsize)
    with check.reading(path):
        return np.memmap(path, dtype, "r", shape=shape).view(np.ndarray)
