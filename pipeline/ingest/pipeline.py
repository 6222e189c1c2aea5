"""Reads, embeds and writes an operation's documents at the same time, with a bounded queue at each arrow. On the loop.

    due documents → batches of files → (pool: read, split) → tasks of chunks → (pool: embed) → writer → progress

An embedding task holds chunks of several files, and the chunks of a large file are spread over many tasks. Chunks whose
vectors are known, from the collection or from a file with the same content, are not embedded. Of a container the writer
registers the parts as documents that are due, too: the same round or the next one reads them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from pipeline.compute.messages import ChunkingOptions, ModelSpec, ReadContainer, ReadDocument
from pipeline.context.context import OperationContext
from pipeline.ingest.batches import MAX_DOCUMENTS, file_batches, finished_batches
from pipeline.ingest.chunk_budget import ChunkBudget
from pipeline.ingest.chunk_embedding import embed_slices, fail
from pipeline.ingest.chunk_packing import ChunkSlice, embedding_tasks
from pipeline.ingest.document_counts import DocumentCounts
from pipeline.ingest.document_progress import DocumentProgress
from pipeline.ingest.document_reader import DocumentReader
from pipeline.ingest.errors import most_severe
from pipeline.ingest.part_places import PartPlaces
from pipeline.ingest.partial_document import FinishedDocument, PartialDocument
from pipeline.ingest.reuse.previous_generation import PreviousGeneration
from pipeline.ingest.reuse.vectors import VectorReuse
from pipeline.ingest.writer import DocumentWriter
from semantik.core.cancellation import not_lost
from semantik.core.errors import Invalid
from semantik.core.models import Document

_ROUNDS = 3
_LEVELS = 4  # of parts in parts; each may be read only in the round after the container around it


async def ingest(
    context: OperationContext, counts: DocumentCounts, *, progress_message: str = "document_processed"
) -> None:
    """Take every document that is due from its file to searchable chunks, or note why that failed."""
    documents = context.deps.store.documents
    for _ in range(_ROUNDS + _LEVELS):
        files, size = await documents.due_totals(context.operation.id)
        context.start_work(files, size)
        await IngestPipeline(context, counts, progress_message).run()
        await counts.recount()
        if not counts.operation.pending:
            return
        # A server that had lost the operation registered documents, which this one has not claimed yet.
        await documents.claim(context.operation.id, context.fence)
    raise RuntimeError(f"{counts.operation.pending} documents were left unread")


class IngestPipeline:
    """Four stages, connected by queues. None in a queue marks its end."""

    def __init__(self, context: OperationContext, counts: DocumentCounts, progress_message: str) -> None:
        generation, settings = context.generation, context.deps.settings
        options = ChunkingOptions(generation.model, generation.chunk_size, generation.chunk_overlap)
        previous = PreviousGeneration.of(context, options)
        self._context = context
        self._model = ModelSpec(generation.model, generation.precision)
        self._places = PartPlaces(context)
        self._reader = DocumentReader(context, previous, options, self._places)
        self._reuse = VectorReuse(context, previous)
        self._progress = DocumentProgress(context, counts, progress_message)
        self._writer = DocumentWriter(context, counts, self._progress)
        self._budget = ChunkBudget()
        self._concurrency = context.deps.pool.batch_workers + 1  # one waits while every worker is busy
        self._batches: asyncio.Queue[list[Document] | None] = asyncio.Queue(1)
        self._read: asyncio.Queue[PartialDocument | None] = asyncio.Queue(4 * settings.pool.batch_files)
        self._finished: asyncio.Queue[FinishedDocument | None] = asyncio.Queue(2 * MAX_DOCUMENTS)

    async def run(self) -> None:
        """Raises Unavailable when a store or the pool is away: what is written stays, the rest is still due."""
        try:
            async with asyncio.TaskGroup() as tasks:
                stages = self._batch_files, self._read_files, self._embed_chunks, self._write_documents
                for stage in stages:
                    tasks.create_task(not_lost(stage))
        except BaseExceptionGroup as group:
            raise most_severe(group) from group

    async def _batch_files(self) -> None:
        due = self._context.deps.store.documents.due(self._context.operation.id)
        async for batch in file_batches(self._places.readable(due), self._context.deps.settings.pool):
            await self._batches.put(batch)
        await self._batches.put(None)

    async def _read_files(self) -> None:
        async with asyncio.TaskGroup() as readers:
            for _ in range(self._concurrency):
                readers.create_task(not_lost(self._read_batches))
        await self._read.put(None)

    async def _read_batches(self) -> None:
        while (batch := await self._batches.get()) is not None:
            self._progress.processing(batch[0].path)
            read = [each async for each in self._reader.read(batch)]
            same = await self._reuse.same_contents([each[1] for each in read if each[2] is None])
            for document, outcome, vectors in read:
                if not isinstance(outcome, ReadDocument):  # unchanged, skipped or failed
                    await self._finish([FinishedDocument(document, outcome)])
                    continue
                await self._budget.acquire(len(outcome.chunks))
                partial = PartialDocument(document, outcome, vectors)
                known = await self._reuse.fill(partial, same.get(outcome.content_hash))
                if partial.pending:
                    self._context.work.read(document.size, len(partial.pending))
                if known:
                    await self._finish(partial.finish())
                elif partial.missing:
                    await self._read.put(partial)  # otherwise a duplicate in the queue finishes it, too
        await self._batches.put(None)  # for the next reader

    async def _embed_chunks(self) -> None:
        deps, slots = self._context.deps, asyncio.Semaphore(self._concurrency)
        async with asyncio.TaskGroup() as tasks:
            async for slices in embedding_tasks(self._read, deps.get_settings, self._concurrency):
                await slots.acquire()
                self._progress.processing(slices[0].partial.document.path)
                tasks.create_task(not_lost(self._embed, slices)).add_done_callback(lambda _: slots.release())
        await self._finished.put(None)

    async def _embed(self, slices: Sequence[ChunkSlice]) -> None:
        async for one, vectors in embed_slices(self._context.deps.pool, self._model, slices):
            partial = one.partial
            if isinstance(vectors, Invalid):
                await self._finish(fail(partial, vectors))
                continue
            self._context.work.embedded(partial.document.size, len(one.positions), len(partial.pending))
            partial.add(one.positions, vectors)
            if not partial.missing and not partial.failed:
                await self._finish(partial.finish())
        self._progress.advanced()

    async def _finish(self, documents: Sequence[FinishedDocument]) -> None:
        for one in documents:
            if isinstance(one.outcome, ReadContainer):
                self._context.work.remove_file(one.document.size)
            elif one.partial is None or not one.partial.pending:  # nothing of it has to be embedded
                self._context.work.read(one.document.size, 0)
            await self._finished.put(one)

    async def _write_documents(self) -> None:
        async for finished in finished_batches(self._finished):
            await self._writer.write(finished)
            for partial in [one.partial for one in finished if one.partial]:
                self._budget.release(len(partial.read.chunks))
                self._reuse.remove(partial)
