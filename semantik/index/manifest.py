"""The manifest: the one file that says what an index consists of. Read and written in threads."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semantik.index.durable import Damaged, replace_synced

MANIFEST = "manifest.json"
_VERSION = 1


@dataclass(frozen=True)
class SegmentRecord:
    """What the manifest knows of a segment: `rows` vectors of seqs within [first, last] in the folder `name`.

    `recall` is what was measured at recall@10 when Annoy was tried, None where it never was; `search_k` is 0
    where the segment is scanned exactly, `forest_bytes` the size of its Annoy file.
    """

    name: str
    first: int
    last: int
    rows: int
    seqs_crc: int
    forest_bytes: int = 0
    search_k: int = 0
    recall: float | None = None


@dataclass(frozen=True)
class Manifest:
    """Segments in order of their seqs, never overlapping; all seqs up to `last_seq` have been put into them.

    `tombstones` is the name of the log of deletions, `tombstone_records` how many it had at least.
    """

    dimension: int
    last_seq: int
    segments: tuple[SegmentRecord, ...]
    tombstones: str
    tombstone_records: int


def save(home: Path, manifest: Manifest) -> None:
    """Replace the folder's manifest. From here on a crash leaves the new state."""
    body = dataclasses.asdict(manifest) | {"version": _VERSION}
    document = {"checksum": _checksum(body), "index": body}
    replace_synced(home / MANIFEST, json.dumps(document, indent=1).encode())


def load(home: Path) -> Manifest | None:
    """The folder's manifest, None where there is none yet. Raises Damaged."""
    try:
        document = json.loads((home / MANIFEST).read_bytes())
        body = document["index"]
        if document["checksum"] != _checksum(body):
            raise Damaged("the manifest's checksum does not match")
        if body.pop("version") != _VERSION:
            raise Damaged("the manifest is of another version")
        body["segments"] = tuple(SegmentRecord(**record) for record in body["segments"])
        return Manifest(**body)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Damaged(f"the manifest cannot be read ({error.strerror})") from error
    except (ValueError, KeyError, TypeError) as error:
        raise Damaged("the manifest is not what was written") from error


def _checksum(body: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
