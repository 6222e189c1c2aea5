"""The log of deleted seq ranges: records of fixed size, appended and synced. Runs in the writing thread."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from semantik.index.files import checksums
from semantik.index.files.durable import Damaged, failpoint, sync, write_synced
from semantik.index.segments.ranges import Ranges

_RECORD = np.dtype([("start", "<i8"), ("end", "<i8"), ("check", "<u4")])


def create(path: Path, ranges: Ranges) -> None:
    """Write a new log that holds the ranges."""
    write_synced(path, [_records(ranges).tobytes()])
    sync(path.parent)


def append(path: Path, held: int, ranges: Ranges) -> int:
    """Add the ranges after the `held` records, over what a failed append left; the new number held."""
    with path.open("r+b") as file:
        file.truncate(held * _RECORD.itemsize)
        file.seek(0, os.SEEK_END)
        file.write(_records(ranges).tobytes())
        file.flush()
        failpoint("tombstones-written")
        os.fsync(file.fileno())
    return held + len(ranges)


def read(path: Path, at_least: int) -> tuple[Ranges, int]:
    """The ranges and the number of sound records, of which the manifest knows `at_least`.

    What a crash tore off at the end was never confirmed and is passed over. Raises Damaged for any other
    fault.
    """
    raw = checksums.content(path)
    records = np.frombuffer(raw, _RECORD, count=len(raw) // _RECORD.itemsize)
    sound = records["check"] == _check(records["start"], records["end"])
    held = int(sound.sum())
    if held < at_least or not sound[:held].all():
        raise Damaged(f"the tombstones {path} are incomplete")
    return np.column_stack((records["start"][:held], records["end"][:held])).astype(np.int64), held


def _records(ranges: Ranges) -> NDArray[np.void]:
    records = np.empty(len(ranges), _RECORD)
    records["start"], records["end"] = ranges[:, 0], ranges[:, 1]
    records["check"] = _check(ranges[:, 0], ranges[:, 1])
    return records


def _check(start: NDArray[np.int64], end: NDArray[np.int64]) -> NDArray[np.uint32]:
    """A mix of both numbers that neither zeros nor a half-written record has by chance."""
    mixed = start.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(0xD1B54A32D192ED03)
    mixed = (mixed ^ end.astype(np.uint64)) * np.uint64(0xBF58476D1CE4E5B9)
    return (mixed >> np.uint64(32)).astype(np.uint32)
