"""The counts of an operation's documents, and of its generation's. Runs on the loop."""

from __future__ import annotations

from dataclasses import replace

from pipeline.compute.messages import ReadDocument, ReadFailure
from pipeline.context.context import OperationContext
from pipeline.ingest.partial_document import FinishedDocument
from semantik.core.models import Counts, DocumentStatus


class DocumentCounts:
    """`operation` counts the operation's documents; those of the generation are saved beside them."""

    def __init__(self, context: OperationContext) -> None:
        self._context = context
        self.operation = Counts()
        self._others = Counts()  # the generation's documents that are not the operation's

    def resume(self) -> None:
        """Start from the saved counts; only for a clean collection, where no document is half-done."""
        self._others = self._context.generation.counts

    async def recount(self) -> None:
        """Count the operation's documents, and the generation's, from their records."""
        documents = self._context.deps.store.documents
        self.operation = await documents.counts({"operation_id": self._context.operation.id})
        generation = await documents.counts_of(self._context.generation)
        self._others = _combine(generation, self.operation, -1)
        await self.save()

    async def recount_generation(self) -> None:
        """Count the generation's documents alone, for an operation that counts other things."""
        counts = await self._context.deps.store.documents.counts_of(self._context.generation)
        await self._context.save_generation_counts(counts)

    def add(self, finished: FinishedDocument) -> None:
        """Count a document that was pending."""
        counts, chunks_before = self.operation, finished.document.chunk_count
        status: DocumentStatus = "indexed"
        chunks = finished.chunk_count
        if isinstance(finished.outcome, ReadFailure):
            status = "skipped" if finished.outcome.skipped else "failed"
        elif not isinstance(finished.outcome, ReadDocument):
            chunks = chunks_before
        change = {"pending": counts.pending - 1, status: getattr(counts, status) + 1}
        warned = counts.warned + _has_warnings(finished)
        self.operation = replace(counts, **change, chunks=counts.chunks + chunks, warned=warned)
        self._others = replace(self._others, chunks=self._others.chunks - chunks_before)

    async def save(self) -> None:
        await self._context.save_counts(self.operation)
        await self._context.save_generation_counts(_combine(self._others, self.operation, 1))


def _has_warnings(finished: FinishedDocument) -> bool:
    if isinstance(finished.outcome, ReadDocument):
        return finished.outcome.has_warnings
    unchanged = not isinstance(finished.outcome, ReadFailure)
    return unchanged and bool(finished.document.quality and finished.document.quality.warnings)


def _combine(a: Counts, b: Counts, sign: int) -> Counts:
    return Counts(
        **{name: getattr(a, name) + sign * getattr(b, name) for name in Counts.__dataclass_fields__}
    )
