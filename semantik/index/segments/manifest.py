"""The manifest: the file that lists what an index consists of. Read and written in threads."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semantik.index.engines.registry import ENGINES
from semantik.index.files import checksums
from semantik.index.files.durable import Damaged, replace_synced

MANIFEST = "manifest.json"
_VERSION = 3
_SEGMENT = re.compile(r"\d+-\d+-[0-9a-f]{8}")
_TOMBSTONES = re.compile(r"tombstones-[0-9a-f]{8}")


@dataclass(frozen=True)
class SegmentRecord:
    """A segment in the manifest: `rows` vectors with seqs within [first, last] in the folder `name`.

    `engine` was tried on the segment ("" for none), with `recall` as its measured recall@10. `effort` is the search
    effort that reaches this recall; 0 means that the engine was not good enough, and searches scan the segment as if
    it had no engine. `engine_bytes` is the size of the engine's file. Each file has its CRC-32.
    """

    name: str
    first: int
    last: int
    rows: int
    seqs_crc: int
    vectors_crc: int
    engine: str = ""
    engine_bytes: int = 0
    engine_crc: int = 0
    effort: int = 0
    recall: float | None = None


@dataclass(frozen=True)
class Manifest:
    """Segments in the order of their seqs, without overlap; all seqs up to `last_seq` were put into them.

    `tombstones` is the name of the log of deletions, `tombstone_records` its number of records when this was saved.
    """

    dimension: int
    last_seq: int
    segments: tuple[SegmentRecord, ...]
    tombstones: str
    tombstone_records: int


def save(directory: Path, manifest: Manifest) -> None:
    """Replace the folder's manifest. After that a crash leaves the new state."""
    body = dataclasses.asdict(manifest) | {"version": _VERSION}
    document = {"checksum": _checksum(body), "index": body}
    replace_synced(directory / MANIFEST, json.dumps(document, indent=1).encode())


def load(directory: Path) -> Manifest | None:
    """The folder's manifest, None when there is none yet. Raises Damaged for one that is not valid."""
    path = directory / MANIFEST
    if not os.path.lexists(path):
        return None
    try:
        document = json.loads(checksums.read_regular_file(path))
        body = document["index"]
        if document["checksum"] != _checksum(body):
            raise Damaged(f"the checksum of {path} does not match")
        version = body.pop("version")
        if version not in (2, _VERSION):
            raise Damaged(f"{path} is of another version")
        records = body["segments"] if version == _VERSION else map(_from_version_2, body["segments"])
        body["segments"] = tuple(SegmentRecord(**record) for record in records)
        manifest = Manifest(**body)
        if not _is_valid(manifest):
            raise Damaged(f"{path} names segments that cannot be")
        return manifest
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Damaged(f"{path} is not what was written") from error


def _from_version_2(record: dict[str, Any]) -> dict[str, Any]:
    """In version 2 Annoy was the only engine, and the fields were named after it."""
    names = {"forest_bytes": "engine_bytes", "forest_crc": "engine_crc", "search_k": "effort"}
    engine = "" if record["recall"] is None else "annoy"
    return {"engine": engine} | {names.get(name, name): value for name, value in record.items()}


def _is_valid(manifest: Manifest) -> bool:
    """Whether the segments are in order and not empty, and all names are of files within the folder."""
    end = 0
    for record in manifest.segments:
        if not (end <= record.first <= record.last and 0 < record.rows <= record.last - record.first + 1):
            return False
        end = record.last + 1
        if record.engine not in ENGINES and (record.engine or record.effort):
            return False
    names = all(_SEGMENT.fullmatch(record.name) for record in manifest.segments)
    return names and end <= manifest.last_seq + 1 and bool(_TOMBSTONES.fullmatch(manifest.tombstones))


def _checksum(body: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
