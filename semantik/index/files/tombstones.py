"""The log of deleted seq ranges: records of fixed size, appended and synced. Runs in the writing thread."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from semantik.index.files import checksums
from semantik.index.files.durable import Damaged, failpoint, fsync, write_synced
from semantik.index.ranges import Ranges

_RECORD = np.dtype([("start", "<i8"), ("end", "<i8"), ("check", "<u4")])


def create(path: Path, ranges: Ranges) -> None:
    """Write a new log of the ranges."""
    write_synced(path, [_records(ranges).tobytes()])
    fsync(path.parent)


def append(path: Path, records: int, ranges: Ranges) -> int:
    """Append the ranges after the first `records` records, over what a failed append left. Returns the new number."""
    with path.open("r+b") as file:
        file.truncate(records * _RECORD.itemsize)
        file.seek(0, os.SEEK_END)
        file.write(_records(ranges).tobytes())
        file.flush()
        failpoint("tombstones-written")
        os.fsync(file.fileno())
    return records + len(ranges)


def read(path: Path, at_least: int) -> tuple[Ranges, int]:
    """The ranges and the number of valid records, of which the manifest knows `at_least`.

    A record that a crash left incomplete at the end was never confirmed and is skipped. Raises Damaged for any
    other fault.
    """
    raw = checksums.read_regular_file(path)
    records = np.frombuffer(raw, _RECORD, count=len(raw) // _RECORD.itemsize)
    valid = records["check"] == _check(records["start"], records["end"])
    count = int(valid.sum())
    if count < at_least or not valid[:count].all():
        raise Damaged(f"the tombstones {path} are incomplete")
    return np.column_stack((records["start"][:count], records["end"][:count])).astype(np.int64), count


def _records(ranges: Ranges) -> NDArray[np.void]:
    records = np.empty(len(ranges), _RECORD)
    records["start"], records["end"] = ranges[:, 0], ranges[:, 1]
    records["check"] = _check(ranges[:, 0], ranges[:, 1])
    return records


def _check(start: NDArray[np.int64], end: NDArray[np.int64]) -> NDArray[np.uint32]:
    """A hash of both numbers, which neither zeros nor a partial record match by chance."""
    mixed = start.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(0xD1B54A32D192ED03)
    mixed = (mixed ^ end.astype(np.uint64)) * np.uint64(0xBF58476D1CE4E5B9)
    return (mixed >> np.uint64(32)).astype(np.uint32)
