"""Documents as rows of MongoDB, and back.

The values of closed sets (status, failure category) are trusted as they are in the row: only this program writes them,
and `migration.py` refuses the database of a newer version.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypedDict

from semantik.core.models import Document, DocumentStatus, Failure, Generation, PathMetadata, Quality
from semantik.storage.mongo.table import Record

# Rows of builds that knew no `quality` have none of these fields.
_LATER = (
    "reader",
    "author",
    "date",
    "container_id",
    "part",
    "locator",
    "digest",
    "part_count",
    "language",
    "sidecar",
    "origin",
    "since_seq",
    "since_hash",
)
_CONVERTED = (
    "id",
    "failure",
    "missing",
    "quality",
    "unrecognised",
    "tagged_at",
    "by_path",
    "authors",
    "tags",
    "user_tags",
)
_UNCONVERTED = [name for name in Document.__dataclass_fields__ if name not in (*_CONVERTED, *_LATER)]


class DocumentFields(TypedDict, total=False):
    """The fields of a document's row that reading and repairing it change."""

    status: DocumentStatus
    due: str | None
    mime: str | None
    title: str | None
    content_hash: str | None
    length: int
    pages: int | None
    first_seq: int
    chunk_count: int
    old_first: int
    old_count: int
    failure: dict[str, str] | None
    quality: dict[str, Any] | None
    warned: int  # 1 if the quality has warnings: a sum counts such documents
    reader: str | None
    author: str | None
    date: str | None
    path: str
    source_id: str
    size: int
    modified_ns: int
    missing: bool
    operation_id: str
    fence: str
    locator: str | None
    digest: str | None
    part_count: int | None
    unrecognised: Sequence[int]
    language: str | None
    authors: Sequence[str]
    tags: Sequence[str]
    user_tags: Sequence[str]
    tagged_at: int
    sidecar: str | None
    by_path: dict[str, Any] | None
    recognition_queue: str | None  # `recognition_queue` of its generation while there are such pages


def in_generation(generation: Generation, status: DocumentStatus | None = None) -> Record:
    """The filter for a generation's documents: all, or those of one status."""
    where: Record = {"collection_id": generation.collection_id, "generation": generation.number}
    if status is not None:
        where["status"] = status
    return where


def recognition_queue(collection_id: str, generation: int) -> str:
    """The value of the field of this name: one equality finds a generation's documents with pages to recognise."""
    return f"{collection_id}:{generation}"


def document_from_row(row: Record) -> Document:
    fields = {name: row[name] for name in _UNCONVERTED}
    fields |= {name: row.get(name) for name in _LATER}
    failure = Failure(**row["failure"]) if row["failure"] else None
    return Document(
        id=row["_id"],
        failure=failure,
        missing=bool(row["missing"]),
        quality=_quality(row.get("quality")),
        unrecognised=tuple(row.get("unrecognised") or ()),
        tagged_at=int(row.get("tagged_at") or 0),
        by_path=path_metadata(row),
        authors=tuple(row.get("authors") or ()),
        tags=tuple(row.get("tags") or ()),
        user_tags=tuple(row.get("user_tags") or ()),
        **fields,
    )


def path_metadata(row: Record) -> PathMetadata | None:
    stored = row.get("by_path")
    if not stored:
        return None
    lists = {name: tuple(stored.get(name) or ()) for name in ("authors", "tags")}
    return PathMetadata(**stored | lists)


def path_metadata_row(by_path: PathMetadata | None) -> dict[str, Any] | None:
    """Only what is set: most documents have nothing of it."""
    fields = {name: value for name, value in vars(by_path or PathMetadata()).items() if value}
    lists = {name: list(fields[name]) for name in ("authors", "tags") if name in fields}
    return fields | lists or None


def _quality(row: Record | None) -> Quality | None:
    return Quality(**row | {"warnings": tuple(row["warnings"])}) if row else None
