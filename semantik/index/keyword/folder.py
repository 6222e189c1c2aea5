"""The files of one keyword index: made, checked and opened. Whatever is wrong with them, they are removed. In threads.

`keyword.json` is written last when an index is made. tantivy's files end with their CRC-32, which is compared here:
tantivy itself reads only what a search needs, and believes it.
"""

from __future__ import annotations

import json
import logging
import os
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import tantivy
from tantivy import Query

from semantik.index import ranges
from semantik.index.files import checksums, tombstones
from semantik.index.files.durable import Damaged, failpoint, remove, replace_synced
from semantik.index.keyword.schema import FORMAT, SCHEMA, SEQ
from semantik.index.ranges import Ranges

log = logging.getLogger(__name__)

MARKER = "keyword.json"
TOMBSTONES = "tombstones"
_META = "meta.json"
_PIECE = 4 << 20
_MAGIC = 1337  # the last four bytes of tantivy's files
_MAX_FOOTER = 4096
# What the system lacks, or does not allow, says nothing about the files: no files, no memory, no space.
_SHORTAGES = ("(os error 24)", "(os error 23)", "(os error 12)", "(os error 28)")


@contextmanager
def tantivy_errors(directory: Path) -> Iterator[None]:
    """Raise what tantivy raises, a panic included, as Damaged; as OSError where the system lacks something."""
    try:
        yield
    except BaseException as error:
        # tantivy raises ValueError for nearly everything; a panic of Rust is no Exception for Python.
        if not isinstance(error, ValueError | RuntimeError) and type(error).__name__ != "PanicException":
            raise
        if any(shortage in str(error) for shortage in _SHORTAGES):
            raise OSError(str(error)) from error
        raise Damaged(f"{directory}: {error}") from error


def find_damage(directory: Path, faults: list[Damaged]) -> Iterator[None]:
    """Read all files through, one step at a time, and record the first fault. It changes nothing."""
    try:
        for path in _index_files(directory):
            yield from _verify(path)
    except Damaged as damage:
        faults.append(damage)


def load(directory: Path, faults: list[Damaged]) -> tuple[tantivy.Index, Ranges, int]:
    """The index in the folder `directory`, made anew when it is missing or damaged; its tombstones and their number.

    Raises OSError when the folder cannot be used.
    """
    if not faults and not os.path.lexists(directory):
        # A new index raises nothing: with Python 3.13.0, the frames of what is raised through a context manager refer
        # to each other, and would hold the index, its thread and its files until the collector comes.
        return _create(directory)
    try:
        if faults:
            raise faults[0]
        return _open(directory)
    except Damaged as damage:
        if os.path.lexists(directory):
            # Without its marker it was never complete: the server ended while it made the index.
            level = logging.WARNING if os.path.lexists(directory / MARKER) else logging.INFO
            log.log(level, "keyword index %s: %s; it will be built again", directory, damage)
            remove(directory)
    return _create(directory)


def _open(directory: Path) -> tuple[tantivy.Index, Ranges, int]:
    try:
        marker = json.loads(checksums.read_regular_file(directory / MARKER))
    except ValueError as error:
        raise Damaged(f"{MARKER} is not what was written") from error
    if marker != {"format": FORMAT}:
        raise Damaged("it is of another version of this program")
    deleted, records = tombstones.read(directory / TOMBSTONES, 0)
    return open_index(directory), ranges.union(deleted), records


def _create(directory: Path) -> tuple[tantivy.Index, Ranges, int]:
    directory.mkdir(parents=True)
    with tantivy_errors(directory):
        tantivy.Index(SCHEMA, path=str(directory))
    tombstones.create(directory / TOMBSTONES, ranges.EMPTY)
    failpoint("keyword-created")
    replace_synced(directory / MARKER, json.dumps({"format": FORMAT}).encode())
    return open_index(directory), ranges.EMPTY, 0


def open_index(directory: Path) -> tantivy.Index:
    """The index, its files mapped. Raises Damaged or OSError."""
    with tantivy_errors(directory):
        index = tantivy.Index.open(str(directory))
        index.config_reader("manual")
        index.reload()
    return index


def last_seq(searcher: tantivy.Searcher) -> int:
    """The highest seq of the searcher's chunks, or -1."""
    hits = searcher.search(Query.all_query(), 1, count=False, order_by_field=SEQ).hits
    return int(hits[0][0]) if hits else -1


def disk_bytes(directory: Path) -> int:
    total = 0
    for path in directory.glob("*"):
        try:
            total += path.lstat().st_size
        except FileNotFoundError:
            continue  # a merge has just removed it
    return total


def _index_files(directory: Path) -> list[Path]:
    """The files of the segments that meta.json names."""
    if not (directory / MARKER).exists():
        return []
    try:
        segments = json.loads(checksums.read_regular_file(directory / _META))["segments"]
        names = {str(each["segment_id"]).replace("-", "") for each in segments}
    except (ValueError, KeyError, TypeError) as error:
        raise Damaged(f"{_META} is not what was written") from error
    return sorted(path for path in directory.iterdir() if path.name.split(".")[0] in names)


def _verify(path: Path) -> Iterator[None]:
    """Raise Damaged unless the file ends with the CRC-32 of what stands before it."""
    size = checksums.regular_file_size(path)
    with checksums.damaged_if_unreadable(path), path.open("rb", buffering=0) as file:
        file.seek(max(0, size - _MAX_FOOTER))
        end = file.read(_MAX_FOOTER)
        try:
            length, magic = struct.unpack("<II", end[-8:])
            expected = json.loads(end[-8 - length : -8])["crc"] if magic == _MAGIC else None
        except (struct.error, ValueError, KeyError, TypeError) as error:
            raise Damaged(f"{path} has no footer") from error
        file.seek(0)
        left, crc = size - length - 8, 0
        while left > 0 and (piece := file.read(min(_PIECE, left))):
            crc = zlib.crc32(piece, crc)
            left -= len(piece)
            yield
    if crc != expected:
        raise Damaged(f"{path} is not what was written")
