"""A document between being read and being written: first a PartialDocument, then a FinishedDocument. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pipeline.compute.messages import Outcome, ReadDocument, ReadFailure
from semantik.core.models import Document, Failure

ChunkKey = tuple[str | None, str]  # (context, text)
Vector = NDArray[np.float16]  # (dimension,), unit length
Vectors = NDArray[np.float16]  # (chunks, dimension), unit length


@dataclass(eq=False)
class PartialDocument:
    """A document that was read; `vectors` has a row for each chunk, or is None while no vector is known.

    `pending` are the positions of the chunks to be embedded, the first `packed` of them are in tasks, and `missing`
    counts those without a vector. `duplicates` have the same chunks and will get the same vectors. `earlier` are the
    seqs that texts of chunks had in the document's former version.
    """

    document: Document
    read: ReadDocument
    vectors: Vectors | None = None
    pending: list[int] = field(default_factory=list)
    packed: int = 0
    missing: int = 0
    done: bool = False
    failed: bool = False
    duplicates: list[PartialDocument] = field(default_factory=list)
    earlier: Mapping[ChunkKey, int] = field(default_factory=dict)

    def start(self, known: Mapping[ChunkKey, Vector]) -> None:
        """Start with the vectors that are known, by the keys of their chunks."""
        keys = self.read.chunks.keys
        self.pending = [position for position, key in enumerate(keys) if key not in known]
        self.missing = len(self.pending)
        for position, key in enumerate(keys):
            if key in known:
                self._set(position, known[key])

    def add(self, positions: list[int], vectors: Vectors) -> None:
        """Add the vectors of some chunks."""
        for position, vector in zip(positions, vectors, strict=True):
            self._set(position, vector)
        self.missing -= len(positions)

    def finish(self) -> list[FinishedDocument]:
        """The document, which has all its vectors, and its duplicates."""
        self.done = True
        for one in self.duplicates:
            one.vectors = self.vectors
        return [FinishedDocument(one.document, one.read, one) for one in (self, *self.duplicates)]

    def _set(self, position: int, vector: Vector) -> None:
        if self.vectors is None:
            self.vectors = np.empty((len(self.read.chunks), len(vector)), np.float16)
        self.vectors[position] = vector


@dataclass(frozen=True)
class FinishedDocument:
    """A document to be written: read, unchanged, skipped or failed. `partial` is None if the file was not read."""

    document: Document
    outcome: Outcome
    partial: PartialDocument | None = None

    @property
    def chunk_count(self) -> int:
        return len(self.outcome.chunks) if isinstance(self.outcome, ReadDocument) else 0

    @property
    def failure(self) -> Failure | None:
        outcome = self.outcome
        if not isinstance(outcome, ReadFailure) or outcome.skipped:
            return None
        return Failure(outcome.category, outcome.message)
