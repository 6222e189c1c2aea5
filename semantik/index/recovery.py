"""Opening an index folder, whatever happened to it: the damaged goes, the sound stays. Runs in a thread."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

from semantik.index.files import manifest, tombstones
from semantik.index.files.durable import Damaged, remove
from semantik.index.files.manifest import MANIFEST, Manifest
from semantik.index.segments import ranges
from semantik.index.segments.ranges import Ranges
from semantik.index.segments.segment import Segment, compare_vectors
from semantik.index.state import IndexState

log = logging.getLogger(__name__)


def examine(home: Path, faults: dict[str, Damaged]) -> Iterator[None]:
    """Read all vectors through, one step at a time, and note the first fault by its segment's name.

    It changes nothing, and may run beside changes: a segment's name is never used again, so what is noted
    stays true.
    """
    try:
        named = manifest.load(home)
    except Damaged:
        return  # `load` meets the same, and says so
    if named is None:
        return
    for record in named.segments:
        try:
            yield from compare_vectors(home, record, named.dimension)
        except Damaged as damage:
            faults[record.name] = damage
            return


def load(home: Path, dimension: int, faults: Mapping[str, Damaged] = MappingProxyType({})) -> IndexState:
    """The index in the folder `home`, made when missing.

    `faults` are those that `examine` noted. A damaged segment goes with all that follow it, so that `last_seq`
    steps back and the caller adds them again; with a damaged manifest or tombstone log everything goes.
    Raises OSError when the folder cannot be used.
    """
    home.mkdir(parents=True, exist_ok=True)
    segments: list[Segment] = []
    buried: Ranges = ranges.NONE
    named: Manifest | None = None
    held = 0
    try:
        named = _manifest(home, dimension)
        if named is not None:
            buried, held = tombstones.read(home / named.tombstones, named.tombstone_records)
            for record in named.segments:
                if record.name in faults:
                    raise faults[record.name]
                segments.append(Segment(home, record, dimension))
    except Damaged as damage:
        rows = sum(record.rows for record in named.segments[len(segments) :]) if named else "all"
        log.warning("index %s: %s; %s vectors will be added again", home, damage, rows)
        sound_to = segments[-1].record.last if segments else -1
        contents = IndexState(home, dimension, segments, sound_to, buried=buried)
    else:
        if named is None:
            contents = IndexState(home, dimension)
        else:
            log_of = (named.tombstones, held)
            contents = IndexState(home, dimension, segments, named.last_seq, buried, log_of)
    _remove_leftovers(home)
    return contents


def _manifest(home: Path, dimension: int) -> Manifest | None:
    named = manifest.load(home)
    if named is None and any(home.iterdir()):
        raise Damaged(f"there is no {MANIFEST}")
    if named is not None and named.dimension != dimension:
        raise Damaged(f"it holds vectors of {named.dimension} numbers, {dimension} are needed")
    return named


def _remove_leftovers(home: Path) -> None:
    named = manifest.load(home)
    assert named is not None
    keep = {MANIFEST, named.tombstones, *(record.name for record in named.segments)}
    for path in home.iterdir():
        if path.name in keep:
            continue
        try:
            remove(path)
        except OSError as error:
            log.warning("index %s: %s cannot be removed: %s", home, path.name, error.strerror)
