"""What filters need of documents, read from their rows a page at a time. Pure."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semantik.query import DocumentColumns, document_day
from semantik.storage.mongo.table import Record

SCANNED_FIELDS = dict.fromkeys(
    ("first_seq", "chunk_count", "path", "part", "title", "mime", "language", "date", "modified_ns"), 1
)


@dataclass(frozen=True)
class DocumentPage:
    """Some documents: their chunks are those of `spans`, half-open ranges of seqs, int64 (n, 2)."""

    spans: NDArray[np.int64]
    columns: DocumentColumns


def document_page(rows: Sequence[Record]) -> DocumentPage:
    """Of rows with `SCANNED_FIELDS`; documents without chunks, like containers, are left out."""
    held = [row for row in rows if row["chunk_count"]]
    spans = np.array([(row["first_seq"], row["chunk_count"]) for row in held], np.int64).reshape(-1, 2)
    spans[:, 1] += spans[:, 0]
    columns = DocumentColumns(
        paths=[row["path"] for row in held],
        parts=[row.get("part") for row in held],
        titles=[row["title"] or _name(row) for row in held],
        mimes=[_interned(row["mime"]) for row in held],
        languages=[_interned(row.get("language")) for row in held],
        modified_ns=array("q", (row["modified_ns"] for row in held)),
        days=array("q", (document_day(row.get("date"), row["modified_ns"]) for row in held)),
    )
    return DocumentPage(spans, columns)


def _name(row: Record) -> str:
    """The name of the file without its ending."""
    name = str(row["path"]).rpartition("/")[2]
    stem, dot, _ = name.rpartition(".")
    return stem if dot and stem else name


def _interned(text: str | None) -> str | None:
    """Equal texts as one object."""
    return None if text is None else sys.intern(text)
