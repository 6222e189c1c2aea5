"""What filters need of documents, read from their rows a page at a time. Pure."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semantik.core.metadata import merged_tags, split_authors
from semantik.core.models import PathMetadata
from semantik.query import DocumentColumns, document_day
from semantik.storage.mongo.document_rows import path_metadata
from semantik.storage.mongo.table import Record

SCANNED_FIELDS = dict.fromkeys(
    (
        *("first_seq", "chunk_count", "path", "part", "title", "mime", "language", "date", "modified_ns"),
        *("author", "authors", "tags", "user_tags", "by_path", "quality"),
    ),
    1,
)

_NOTHING = PathMetadata()


@dataclass(frozen=True)
class DocumentPage:
    """Some documents: their chunks are those of `spans`, half-open ranges of seqs, int64 (n, 2)."""

    spans: NDArray[np.int64]
    columns: DocumentColumns


def document_page(rows: Sequence[Record]) -> DocumentPage:
    """Of rows with `SCANNED_FIELDS`; documents without chunks, like containers, are left out."""
    held = [row for row in rows if row["chunk_count"]]
    by_path = [(row.get("by_path") and path_metadata(row)) or _NOTHING for row in held]
    authors: dict[tuple[str, ...], tuple[str, ...]] = {}
    tags: dict[tuple[str, ...], tuple[str, ...]] = {}
    spans = np.array([(row["first_seq"], row["chunk_count"]) for row in held], np.int64).reshape(-1, 2)
    spans[:, 1] += spans[:, 0]
    columns = DocumentColumns(
        paths=[row["path"] for row in held],
        parts=[row.get("part") for row in held],
        titles=[row["title"] or known.title or _name(row) for row, known in zip(held, by_path, strict=True)],
        mimes=[_interned(row["mime"]) for row in held],
        languages=[
            _interned(row.get("language") or known.language) for row, known in zip(held, by_path, strict=True)
        ],
        authors=[
            _once(_authors(row, known), authors)
            if known is not _NOTHING or row.get("author") or row.get("authors")
            else ()
            for row, known in zip(held, by_path, strict=True)
        ],
        tags=[
            _once(_tags(row, known), tags)
            if known is not _NOTHING or row.get("tags") or row.get("user_tags")
            else ()
            for row, known in zip(held, by_path, strict=True)
        ],
        recognised=bytearray(bool((row.get("quality") or {}).get("recognised_pages")) for row in held),
        modified_ns=array("q", (row["modified_ns"] for row in held)),
        days=array(
            "q",
            (
                document_day(row.get("date") or known.date, row["modified_ns"])
                for row, known in zip(held, by_path, strict=True)
            ),
        ),
    )
    return DocumentPage(spans, columns)


def _authors(row: Record, by_path: PathMetadata) -> tuple[str, ...]:
    return tuple(row.get("authors") or ()) or split_authors(row.get("author")) or by_path.authors


def _tags(row: Record, by_path: PathMetadata) -> tuple[str, ...]:
    user_tags, tags = row.get("user_tags"), row.get("tags")
    if not user_tags and not tags:
        return by_path.tags
    return merged_tags(user_tags or (), tags or (), by_path.tags)


def _once(values: tuple[str, ...], known: dict[tuple[str, ...], tuple[str, ...]]) -> tuple[str, ...]:
    """Equal tuples as one object."""
    return known.setdefault(values, values)


def _name(row: Record) -> str:
    """The name of the file without its ending."""
    name = str(row["path"]).rpartition("/")[2]
    stem, dot, _ = name.rpartition(".")
    return stem if dot and stem else name


def _interned(text: str | None) -> str | None:
    """Equal texts as one object."""
    return None if text is None else sys.intern(text)
