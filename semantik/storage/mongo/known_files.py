"""What a scan compares of the documents that it knows: some fields of their rows, a fraction of the rows' cost.

Runs on the loop.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from semantik.core.models import DocumentStatus, Generation, PathMetadata
from semantik.storage.mongo.document_rows import in_generation, path_metadata
from semantik.storage.mongo.table import Record, Table

_FIELDS = dict.fromkeys(
    (
        *("path", "size", "modified_ns", "sidecar", "by_path", "origin"),
        *("status", "due", "missing", "container_id"),
    ),
    1,
)
_PATH_FIELDS = dict.fromkeys(("path", "container_id"), 1)
_PAGE = 2000


@dataclass(frozen=True, slots=True)
class FileState:
    """A file as a scan finds it: with the path of its `sidecar`, what its own path says, and where it was fetched."""

    path: str
    size: int
    modified_ns: int
    sidecar: str | None
    by_path: PathMetadata | None
    origin: Mapping[str, str] | None


@dataclass(frozen=True, slots=True)
class KnownFile:
    """A document: its id, its file as the last scan found it, and what has become of it."""

    id: str
    state: FileState
    status: DocumentStatus
    due: str | None
    missing: bool
    is_part: bool


class KnownPath(NamedTuple):
    """The id and the path of a document."""

    id: str
    path: str
    is_part: bool


class KnownFiles:
    """Reads the table of documents."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def at(self, generation: Generation, paths: Sequence[str]) -> dict[str, KnownFile]:
        """Those at `paths`, at most some hundred, by path."""
        if not paths:
            return {}
        where = {**in_generation(generation), "path": {"$in": list(paths)}}
        rows = await self._table.find(where, limit=len(paths), fields=_FIELDS, fast=True)
        return {row["path"]: _known_file(row) for row in rows}

    async def of_source(self, generation: Generation, source_id: str) -> AsyncIterator[list[KnownPath]]:
        """A source's documents, in the order of the paths, a page at a time."""
        where: Record = {"source_id": source_id, "generation": generation.number}
        async for rows in self._table.pages(where, "path", _PAGE, _PATH_FIELDS, fast=True):
            yield [_known_path(row) for row in rows]

    async def of_folder(
        self, generation: Generation, source_id: str, folder: str
    ) -> AsyncIterator[list[KnownPath]]:
        """Those of a source's documents that lie directly in the folder, a page at a time."""
        start = folder.rstrip("/") + "/"
        where = {"source_id": source_id, "generation": generation.number}
        after: Record = {"$gt": start}
        while rows := await self._table.find(
            {**where, "path": {**after, "$lt": _end_of(start)}}, [("path", 1)], _PAGE, _PATH_FIELDS, fast=True
        ):
            yield [_known_path(row) for row in rows if "/" not in row["path"][len(start) :]]
            last = str(rows[-1]["path"])
            name, slash, _ = last[len(start) :].partition("/")
            # A folder below is skipped as a whole.
            after = {"$gte": _end_of(f"{start}{name}/")} if slash else {"$gt": last}


def _end_of(folder: str) -> str:
    """The smallest text that sorts after all paths in a folder, whose own path ends with a slash."""
    return folder[:-1] + chr(ord("/") + 1)


def _known_path(row: Record) -> KnownPath:
    return KnownPath(row["_id"], row["path"], row.get("container_id") is not None)


def _known_file(row: Record) -> KnownFile:
    """Of a row with `_FIELDS`; the later ones of these may be missing, or None."""
    state = FileState(
        row["path"],
        row["size"],
        row["modified_ns"],
        row.get("sidecar"),
        path_metadata(row),
        row.get("origin"),
    )
    is_part = row.get("container_id") is not None
    return KnownFile(row["_id"], state, row["status"], row.get("due"), bool(row["missing"]), is_part)
