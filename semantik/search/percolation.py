"""What percolation takes and gives: queries that wait for chunks, new chunks, and strong matches. Plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from semantik.core.models import Chunk, Document, Filters
from semantik.query import DocumentColumns
from semantik.search.query import Mode


@dataclass(frozen=True)
class StandingQuery:
    """A query that waits for chunks. As any search, but nothing of it is corrected, relaxed or reranked."""

    text: str
    mode: Mode = "hybrid"
    filters: Filters = field(default_factory=Filters)


@dataclass(frozen=True)
class NewChunks:
    """n new chunks of one generation, in the order of their seqs, with their vectors (float16, (n, dimension)).

    `documents` are those of the chunks, and `columns` what filters need of them, in the same order. `owners` (int64,
    (n,)) are the numbers of the chunks' documents.
    """

    chunks: Sequence[Chunk]
    vectors: NDArray[np.float16]
    documents: Sequence[Document]
    columns: DocumentColumns
    owners: NDArray[np.int64]

    @staticmethod
    def of(
        pairs: Sequence[tuple[Chunk, NDArray[np.float16]]],
        documents: Sequence[Document],
        columns: DocumentColumns,
    ) -> NewChunks:
        """Of at least one chunk."""
        numbers: Mapping[str, int] = {each.id: number for number, each in enumerate(documents)}
        return NewChunks(
            [chunk for chunk, _ in pairs],
            np.stack([vector for _, vector in pairs]),
            documents,
            columns,
            np.array([numbers[chunk.document_id] for chunk, _ in pairs], np.int64),
        )

    def __len__(self) -> int:
        return len(self.chunks)

    def document_of(self, number: int) -> Document:
        return self.documents[int(self.owners[number])]


@dataclass(frozen=True)
class StrongMatch:
    """A chunk that a query finds as a strong match, or the first one of a document that its filters alone select.

    `meaning` is the cosine, None where the query needs no vector; the best has the most `evidence`.
    """

    chunk: Chunk
    document: Document
    meaning: float | None
    evidence: float
