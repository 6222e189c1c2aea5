"""Statistics of a collection's documents, counted on columns, and of the lengths of a sample of chunks. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semantik.storage.mongo.listing_columns import Coded, ListingColumns

SAMPLED_CHUNKS = 500
_SIZE_BOUNDS = (10**3, 10**4, 10**5, 10**6, 10**7, 10**8)
_LENGTH_STEPS = (200, 400, 600, 800, 1000, 1200, 1500, 2000)


@dataclass(frozen=True)
class Tally:
    """One value, and how many documents have it, with their bytes and chunks."""

    value: str
    documents: int
    bytes: int
    chunks: int


@dataclass(frozen=True)
class Bar:
    """How many are below `below` and in no earlier bar; None: all the others."""

    below: int | None
    count: int


@dataclass(frozen=True)
class DocumentStatistics:
    """`reasons` are of those that failed or were skipped; `missing` have no file any more.

    `chunk_lengths` are of `sampled_chunks` chunks, in characters, as is their `mean_chunk_length`.
    """

    documents: int
    bytes: int
    chunks: int
    warned: int
    missing: int
    statuses: Mapping[str, int]
    types: Sequence[Tally]
    languages: Sequence[Tally]
    reasons: Mapping[str, int]
    sizes: Sequence[Bar]
    chunk_lengths: Sequence[Bar] = ()
    sampled_chunks: int = 0
    mean_chunk_length: int | None = None


def statistics(columns: ListingColumns) -> DocumentStatistics:
    """Those of all documents; nothing of the lengths of chunks."""
    sizes, chunks = columns.integers("sizes"), columns.integers("chunks")
    due = np.array(columns.due, bool)
    statuses = {
        name: int(np.count_nonzero((columns.statuses.values == code) & ~due))
        for code, name in enumerate(columns.statuses.names)
    }
    reasons = np.bincount(columns.reasons.values[~due], minlength=len(columns.reasons.names))
    return DocumentStatistics(
        documents=len(columns),
        bytes=int(sizes.sum()),
        chunks=int(chunks.sum()),
        warned=int(np.count_nonzero(np.array(columns.warned, bool))),
        missing=int(np.count_nonzero(np.array(columns.missing, bool))),
        statuses={**statuses, "pending": int(np.count_nonzero(due))},
        types=_tallies(columns.types, sizes, chunks),
        languages=_tallies(columns.languages, sizes, chunks),
        reasons={
            name: int(count)
            for name, count in zip(columns.reasons.names, reasons, strict=True)
            if name and count
        },
        sizes=bars(sizes, _SIZE_BOUNDS),
    )


def sampled_seqs(columns: ListingColumns) -> list[int]:
    """Chunks from all over the collection: one each of documents at equal distances, at changing places in them."""
    chunks, first = columns.integers("chunks"), columns.integers("first_seqs")
    held = np.flatnonzero((chunks > 0) & (columns.statuses.values == columns.statuses.code("indexed")))
    ends = np.cumsum(chunks[held])
    if not len(held):
        return []
    total = int(ends[-1])
    wanted = np.unique(np.linspace(0, total - 1, min(total, SAMPLED_CHUNKS)).astype(np.int64))
    at = np.searchsorted(ends, wanted, "right")
    within = wanted - (ends[at] - chunks[held[at]])
    return [int(seq) for seq in first[held[at]] + within]


def length_bars(lengths: Sequence[int]) -> list[Bar]:
    return bars(np.array(lengths, np.int64), _LENGTH_STEPS)


def bars(values: NDArray[np.int64], bounds: Sequence[int]) -> list[Bar]:
    """How many values lie below each bound, and beyond the last."""
    counts = np.bincount(np.searchsorted(np.array(bounds), values, "right"), minlength=len(bounds) + 1)
    return [Bar(below, int(count)) for below, count in zip((*bounds, None), counts, strict=True)]


def _tallies(column: Coded, sizes: NDArray[np.int64], chunks: NDArray[np.int64]) -> list[Tally]:
    """The most frequent first; documents without the value are left out."""
    count = len(column.names)
    documents, held, of = (
        np.bincount(column.values, weights=weights, minlength=count) for weights in (None, sizes, chunks)
    )
    found = [
        Tally(name, int(documents[code]), int(held[code]), int(of[code]))
        for code, name in enumerate(column.names)
        if name
    ]
    return sorted(found, key=lambda tally: (-tally.documents, tally.value))
