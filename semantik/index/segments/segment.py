"""A segment: an immutable folder of seqs, vectors and perhaps the file of an engine.

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

from semantik.index.engines.registry import ENGINES, CandidateFinder
from semantik.index.files import checksums
from semantik.index.files.durable import Damaged, failpoint, sync, write_synced
from semantik.index.files.manifest import SegmentRecord
from semantik.index.files.mapped_array import MappedArray
from semantik.index.segments.ranges import Ranges
from semantik.index.segments.rows import FoundRows, Rows, among, exact

SEQS, VECTORS = "seqs.i64", "vectors.f16"
_SEQ, _NUMBER = np.dtype("<i8"), np.dtype("<f2")


class Segment:
    """The mapped files of a segment, with its own note of which rows are deleted.

    It is scanned exactly until its engine's file was checked: a damaged one might end the process.
    """

    def __init__(self, home: Path, record: SegmentRecord, dimension: int) -> None:
        """Map the files. Raises Damaged when they cannot be what the record says; see also `compare_vectors`."""
        self._folder = folder = home / record.name
        self._maps = [
            _map(folder / SEQS, record.rows * _SEQ.itemsize),
            _map(folder / VECTORS, record.rows * dimension * _NUMBER.itemsize),
        ]
        seqs, vectors = self._maps[0].array(_SEQ), self._maps[1].array(_NUMBER).reshape(-1, dimension)
        if zlib.crc32(seqs.data) != record.seqs_crc:
            raise Damaged(f"{folder / SEQS} is not what was written")
        self.record = record
        self.rows = Rows(seqs, vectors, np.ones(record.rows, np.bool_))
        self.bytes = seqs.nbytes + vectors.nbytes + record.engine_bytes
        self._finder: CandidateFinder | None = None

    @property
    def unequipped(self) -> bool:
        """Whether there is an engine's file that is not used yet."""
        return self.record.effort > 0 and self._finder is None

    def equip(self) -> Iterator[None]:
        """Check the engine's file, one step at a time, and use it from then on. Raises Damaged when it is bad."""
        engine = ENGINES[self.record.engine]
        path = self._folder / engine.FILE
        yield from checksums.compare(path, self.record.engine_bytes, self.record.engine_crc)
        self._finder = engine.load(path, self.rows)

    def strip(self) -> None:
        """Forget the engine's file, as if it had never been built."""
        self.bytes -= self.record.engine_bytes
        self.record = dataclasses.replace(
            self.record, engine="", engine_bytes=0, engine_crc=0, effort=0, recall=None
        )

    def search(self, query: NDArray[np.float64], k: int, allowed: Ranges | None) -> FoundRows:
        """The k best live rows within `allowed`: of those that the engine proposes, or of all where it does not."""
        usable = self.rows.usable(allowed)
        finder = self._finder
        proposed = None if finder is None else finder.propose(query, k, self.record.effort, usable)
        if proposed is None:
            return exact(self.rows, query, k, usable)
        return among(self.rows, proposed, query, k)

    def let_go(self) -> None:
        """Prepare for the removal of seqs and vectors, the largest files but for Annoy's; a search under way ends
        undisturbed."""
        for each in self._maps:
            each.let_go()


def compare_vectors(home: Path, record: SegmentRecord, dimension: int) -> Iterator[None]:
    """Read a segment's vectors through, one step at a time. Raises Damaged when they are not what was written."""
    size = record.rows * dimension * _NUMBER.itemsize
    return checksums.compare(home / record.name / VECTORS, size, record.vectors_crc)


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


def _map(path: Path, size: int) -> MappedArray:
    checksums.check_size(path, size)
    return MappedArray(path)
