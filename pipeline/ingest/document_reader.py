"""Reads batches of files in the pool; of files that a REINDEX need not or cannot read it takes the former chunks.

Runs on the loop.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace

from pipeline.compute.messages import (
    ChunkingOptions,
    FileTask,
    Outcome,
    ReadDocument,
    ReadFailure,
    ReadUnchanged,
    RecognisedTexts,
)
from pipeline.context.context import OperationContext
from pipeline.extraction.version import version_for
from pipeline.ingest.part_places import PartPlaces
from pipeline.ingest.partial_document import Vectors
from pipeline.ingest.recognised_texts import recognised_texts
from pipeline.ingest.reuse.chunks import ChunkReuse
from pipeline.ingest.reuse.previous_generation import PreviousGeneration
from semantik.core.models import Document


class DocumentReader:
    """For the documents of one operation, which are split with `options`."""

    def __init__(
        self,
        context: OperationContext,
        previous: PreviousGeneration | None,
        options: ChunkingOptions,
        places: PartPlaces,
    ) -> None:
        self._context = context
        self._places = places
        self._pool = context.deps.pool
        self._options = options
        self._reuse = ChunkReuse(context, previous, options) if previous else None

    async def read(
        self, batch: Sequence[Document]
    ) -> AsyncIterator[tuple[Document, Outcome, Vectors | None]]:
        """The outcome for each document, in order; with vectors where a REINDEX copies them with the chunks.

        Raises Invalid when the model that counts the tokens cannot be loaded, Unavailable when there are no workers.
        """
        texts = await recognised_texts(self._context, batch)
        if self._reuse is None:
            tasks = [self._task(one, texts=texts.get(one.id)) for one in batch]
            outcomes = await self._pool.read(tasks, self._options)
            for document, outcome in zip(batch, outcomes, strict=True):
                self._note(outcome)
                yield document, outcome, None
            return
        for document, outcome, vectors in await self._read_or_copy(batch, texts, self._reuse):
            if isinstance(outcome, ReadFailure):
                outcome = await self._reuse.fallback(document, outcome)
            self._note(outcome)
            yield document, outcome, vectors

    def _note(self, outcome: Outcome) -> None:
        """At once, before it is counted: the work is not done while the text of its pictures is to be recognised."""
        if isinstance(outcome, ReadDocument | ReadFailure) and outcome.unrecognised:
            self._context.unrecognised_read += 1

    async def _read_or_copy(
        self, batch: Sequence[Document], texts: Mapping[str, RecognisedTexts], reuse: ChunkReuse
    ) -> list[tuple[Document, Outcome, Vectors | None]]:
        candidates = await reuse.candidates(batch)
        tasks = [self._task(one, candidates.get(one.id), texts.get(one.id)) for one in batch]
        results = await self._pool.read(tasks, self._options)
        unchanged = {one.document_id for one in results if isinstance(one, ReadUnchanged)} & candidates.keys()
        copied = await reuse.copy({key: candidates[key] for key in unchanged})
        incomplete = [one for one in batch if one.id in unchanged - copied.keys()]
        if incomplete:  # their former chunks are not all there
            results += await self._pool.read([self._task(one) for one in incomplete], self._options)
        outcomes = {one.document_id: one for one in results}
        return [(one, *copied.get(one.id, (outcomes[one.id], None))) for one in batch]

    def _task(
        self,
        document: Document,
        candidate: Document | None = None,
        texts: RecognisedTexts | None = None,
    ) -> FileTask:
        known = candidate or document
        is_current = known.status == "indexed" and known.reader == version_for(known.mime)
        # Texts that were recognised meanwhile are still to be put into the document.
        has_text = is_current and not known.is_container and not (texts and document.unrecognised)
        task = self._places.task(document, known.content_hash if has_text else None)
        return replace(task, recognised=texts) if texts else task
