"""The counts of an operation's documents, and of its generation's. Runs on the loop."""

from __future__ import annotations

from dataclasses import replace

from pipeline.compute.messages import ReadContainer, ReadDocument, ReadFailure, ReadUnchanged
from pipeline.context.context import OperationContext
from pipeline.ingest.partial_document import FinishedDocument
from semantik.core.models import Counts, Document, DocumentStatus


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
        self._context.unrecognised = await documents.count_to_recognise(
            self._context.generation, self._context.operation.id
        )
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
        elif isinstance(finished.outcome, ReadUnchanged):
            chunks = chunks_before
        if isinstance(finished.outcome, (ReadDocument, ReadFailure)) and finished.outcome.unrecognised:
            self._context.unrecognised += 1
        change = {"pending": counts.pending - 1, status: getattr(counts, status) + 1}
        warned = counts.warned + _has_warnings(finished)
        self.operation = replace(counts, **change, chunks=counts.chunks + chunks, warned=warned)
        self._others = replace(self._others, chunks=self._others.chunks - chunks_before)

    def change(self, before: Document | None, after: Document | None) -> None:
        """Count a document otherwise than before; None where it is not there."""
        for document, sign in ((before, -1), (after, 1)):
            if document is not None and document.status != "removing":
                own, others = self._shares(document)
                self.operation = _combine(self.operation, own, sign)
                self._others = _combine(self._others, others, sign)

    def _shares(self, document: Document) -> tuple[Counts, Counts]:
        """What a document adds to the operation's counts and to the others; see `recount`."""
        is_due, is_indexed = document.due is not None, document.status == "indexed"
        has_warnings = (
            is_indexed and not is_due and document.quality is not None and document.quality.warnings
        )
        number = Counts(**{"pending" if is_due else document.status: 1}, warned=int(bool(has_warnings)))
        chunks = Counts(chunks=document.chunk_count if is_indexed else 0)
        if document.operation_id != self._context.operation.id:
            return Counts(), _combine(number, chunks, 1)
        if is_due:  # the former chunks are no work of this operation
            return number, chunks
        return _combine(number, chunks, 1), Counts()

    async def save(self) -> None:
        await self._context.save_counts(self.operation)
        await self._context.save_generation_counts(_combine(self._others, self.operation, 1))


def _has_warnings(finished: FinishedDocument) -> bool:
    if isinstance(finished.outcome, ReadDocument | ReadContainer):
        return finished.outcome.has_warnings
    unchanged = not isinstance(finished.outcome, ReadFailure)
    return unchanged and bool(finished.document.quality and finished.document.quality.warnings)


def _combine(a: Counts, b: Counts, sign: int) -> Counts:
    return Counts(
        **{name: getattr(a, name) + sign * getattr(b, name) for name in Counts.__dataclass_fields__}
    )
