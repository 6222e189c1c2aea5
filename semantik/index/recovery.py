"""Opening an index folder after any crash or damage: damaged segments go, sound ones stay. Runs in a thread."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

from semantik.index import ranges
from semantik.index.files import tombstones
from semantik.index.files.durable import Damaged, remove
from semantik.index.ranges import Ranges
from semantik.index.segments import manifest
from semantik.index.segments.manifest import MANIFEST, Manifest
from semantik.index.segments.segment import Segment, verify_vectors
from semantik.index.state import IndexState

log = logging.getLogger(__name__)


def find_damage(directory: Path, faults: dict[str, Damaged]) -> Iterator[None]:
    """Read all vectors through, one step at a time, and record the first fault by its segment's name.

    It changes nothing and may run beside changes: a segment's name is never used again, so a recorded fault
    stays true.
    """
    try:
        contents = manifest.load(directory)
    except Damaged:
        return  # `load` meets the same fault and reports it
    if contents is None:
        return
    for record in contents.segments:
        try:
            yield from verify_vectors(directory, record, contents.dimension)
        except Damaged as damage:
            faults[record.name] = damage
            return


def load(directory: Path, dimension: int, faults: Mapping[str, Damaged] = MappingProxyType({})) -> IndexState:
    """The index in the folder `directory`, which is made when missing.

    `faults` are those that `find_damage` recorded. A damaged segment is removed with all that follow it, so that
    `last_seq` steps back and the caller adds them again. With a damaged manifest or tombstone log, everything is
    removed. Raises OSError when the folder cannot be used.
    """
    directory.mkdir(parents=True, exist_ok=True)
    segments: list[Segment] = []
    deleted: Ranges = ranges.EMPTY
    contents: Manifest | None = None
    tombstone_records = 0
    try:
        contents = _load_manifest(directory, dimension)
        if contents is not None:
            deleted, tombstone_records = tombstones.read(
                directory / contents.tombstones, contents.tombstone_records
            )
            for record in contents.segments:
                if record.name in faults:
                    raise faults[record.name]
                segments.append(Segment(directory, record, dimension))
    except Damaged as damage:
        rows = sum(record.rows for record in contents.segments[len(segments) :]) if contents else "all"
        log.warning("index %s: %s; %s vectors will be added again", directory, damage, rows)
        last_seq = segments[-1].record.last if segments else -1
        state = IndexState(directory, dimension, segments, last_seq, deleted=deleted)
    else:
        if contents is None:
            state = IndexState(directory, dimension)
        else:
            tombstone_log = (contents.tombstones, tombstone_records)
            state = IndexState(directory, dimension, segments, contents.last_seq, deleted, tombstone_log)
    _remove_leftovers(directory)
    return state


def _load_manifest(directory: Path, dimension: int) -> Manifest | None:
    contents = manifest.load(directory)
    if contents is None and any(directory.iterdir()):
        raise Damaged(f"there is no {MANIFEST}")
    if contents is not None and contents.dimension != dimension:
        raise Damaged(f"it holds vectors of {contents.dimension} numbers, {dimension} are needed")
    return contents


def _remove_leftovers(directory: Path) -> None:
    contents = manifest.load(directory)
    assert contents is not None
    keep = {MANIFEST, contents.tombstones, *(record.name for record in contents.segments)}
    for path in directory.iterdir():
        if path.name in keep:
            continue
        try:
            remove(path)
        except OSError as error:
            log.warning("index %s: %s cannot be removed: %s", directory, path.name, error.strerror)
