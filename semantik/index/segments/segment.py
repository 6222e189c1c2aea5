"""A segment: an immutable folder of seqs, vectors and, where it is large, the file of an engine.

Written and searched in threads and in the pool's processes.
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

from semantik.index.engines.protocol import CandidateFinder
from semantik.index.engines.registry import ENGINES
from semantik.index.files import checksums
from semantik.index.files.durable import Damaged, failpoint, fsync, write_synced
from semantik.index.files.mapped_array import MappedArray
from semantik.index.segments.manifest import SegmentRecord
from semantik.index.vectors.rows import Rows

SEQS, VECTORS = "seqs.i64", "vectors.f16"
_SEQ, _ELEMENT = np.dtype("<i8"), np.dtype("<f2")


class Segment:
    """The mapped files of a segment, and which of its rows are deleted.

    Searches scan all rows until the engine's file has been checked: a damaged one could end the process.
    """

    def __init__(self, directory: Path, record: SegmentRecord, dimension: int) -> None:
        """Map the files. Raises Damaged when they do not match the record; `verify_vectors` checks the vectors."""
        self._folder = folder = directory / record.name
        self._maps = [
            _map(folder / SEQS, record.rows * _SEQ.itemsize),
            _map(folder / VECTORS, record.rows * dimension * _ELEMENT.itemsize),
        ]
        seqs, vectors = self._maps[0].array(_SEQ), self._maps[1].array(_ELEMENT).reshape(-1, dimension)
        if zlib.crc32(seqs.data) != record.seqs_crc:
            raise Damaged(f"{folder / SEQS} is not what was written")
        self.record = record
        self.rows = Rows(seqs, vectors, np.ones(record.rows, np.bool_))
        self.bytes = seqs.nbytes + vectors.nbytes + record.engine_bytes
        self._finder: CandidateFinder | None = None

    @property
    def engine_pending(self) -> bool:
        """Whether there is an engine's file that is not used yet."""
        return self.record.effort > 0 and self._finder is None

    def attach_engine(self) -> Iterator[None]:
        """Check the engine's file, one step at a time, and use it after that. Raises Damaged."""
        engine = ENGINES[self.record.engine]
        path = self._folder / engine.FILE
        yield from checksums.verify(path, self.record.engine_bytes, self.record.engine_crc)
        self._finder = engine.load(path, self.rows)

    def drop_engine(self) -> None:
        """Drop the engine's file from the record, as if it had never been built."""
        self.bytes -= self.record.engine_bytes
        self.record = dataclasses.replace(
            self.record, engine="", engine_bytes=0, engine_crc=0, effort=0, recall=None
        )

    @property
    def finder(self) -> CandidateFinder | None:
        """The engine's file once it has been checked."""
        return self._finder

    def release(self) -> None:
        """Prepare for the removal of seqs and vectors, the largest files except Annoy's; running searches complete."""
        for mapped in self._maps:
            mapped.release()


def verify_vectors(directory: Path, record: SegmentRecord, dimension: int) -> Iterator[None]:
    """Read a segment's vectors through, one step at a time. Raises Damaged when they are not what was written."""
    size = record.rows * dimension * _ELEMENT.itemsize
    return checksums.verify(directory / record.name / VECTORS, size, record.vectors_crc)


def new_segment_name(first: int, last: int) -> str:
    """A folder name that is never used again, even while a merge that was given up still writes."""
    return f"{first}-{last}-{secrets.token_hex(4)}"


def write_segment(
    directory: Path,
    name: str,
    seq_range: tuple[int, int],
    parts: Iterable[tuple[NDArray[np.int64], NDArray[np.float16]]],
) -> SegmentRecord:
    """Write seqs and vectors, ascending by seq, into a new folder and wait until they are on disk.

    `seq_range` are the first and the last seq that the segment stands for, deleted ones included.

    The folder is no part of the index until a manifest names it; after an error the caller removes it.
    """
    folder = directory / name
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
    fsync(folder)
    fsync(directory)
    failpoint("segment-synced")
    return SegmentRecord(name, *seq_range, len(seqs), zlib.crc32(seqs.data), vectors_crc)


def _map(path: Path, size: int) -> MappedArray:
    checksums.check_size(path, size)
    return MappedArray(path)
