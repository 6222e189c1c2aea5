"""Documents that are due become found ones: read, embed and store at the same time, each arrow a bounded queue.

    due → batches of files → (pool: extract, cut) → chunks packed together → (pool: embed) → stored and told

Chunks of several files share an embedding task, and those of a large file are spread over many: each of the files
that were read gets a share of the next task, so that a book holds up no letter. Chunks whose vectors are known, from
the collection or from a file with the same content that is under way, are not embedded.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence

from pipeline.compute.messages import (
    ChunkingOptions,
    FileTask,
    ModelSpec,
    Outcome,
    ReadDocument,
    ReadFailure,
    ReadUnchanged,
)
from pipeline.context.context import OperationContext
from pipeline.context.rate import weight
from pipeline.ingest.partial_document import ChunkSlice, PartialDocument, final_batch_size, pack
from pipeline.ingest.vector_reuse import VectorReuse, Vectors
from pipeline.ingest.writer import DocumentWriter, FinishedDocument
from semantik.core.errors import Invalid, LeaseLost, Unavailable
from semantik.core.models import Document

_STORE_DOCUMENTS = 64
_STORE_CHUNKS = 4000
_CHUNKS_UNDER_WAY = 50_000  # some 100 MB of texts and vectors
_ALONE_BYTES = 256 << 10  # a larger file is read by itself: some megabytes of text take seconds
_SMALL = 500  # chunks; documents up to here have room of their own, so that large ones cannot fill it all
_SMALL_CHUNKS_UNDER_WAY = 10_000


class _ChunkBudget:
    """Bounds the chunks in memory. One document larger than all of it may come in when nothing else is there."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._used = 0
        self._freed = asyncio.Event()

    async def take(self, count: int) -> None:
        while self._used and self._used + count > self._most:
            self._freed.clear()
            await self._freed.wait()
        self._used += count

    def give_back(self, count: int) -> None:
        self._used -= count
        self._freed.set()


class IngestPipeline:
    """Takes the documents that an operation has still to read to their end."""

    def __init__(self, run: OperationContext, storer: DocumentWriter) -> None:
        self._run = run
        self._storer = storer
        generation = run.generation
        self._model = ModelSpec(generation.model, generation.precision)
        self._cutting = ChunkingOptions(generation.model, generation.chunk_size, generation.chunk_overlap)
        self._reuse = VectorReuse(run, self._cutting)
        self._under_way: dict[
            str, PartialDocument
        ] = {}  # until stored or given up, by the hash of their content
        self._abreast = run.deps.pool.batch_workers + 1  # one waits while every worker is busy
        self._large, self._small = _ChunkBudget(_CHUNKS_UNDER_WAY), _ChunkBudget(_SMALL_CHUNKS_UNDER_WAY)
        self._batches: asyncio.Queue[list[Document] | None] = asyncio.Queue(1)
        self._read: asyncio.Queue[PartialDocument | None] = asyncio.Queue(
            4 * run.deps.settings.pool.batch_files
        )
        self._finished: asyncio.Queue[FinishedDocument | None] = asyncio.Queue(2 * _STORE_DOCUMENTS)

    async def run(self) -> None:
        """Raises Unavailable when a store or the pool is away: what is stored stays, the rest is still due."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._batch())
                tasks.create_task(self._read_all())
                tasks.create_task(self._embed_all())
                tasks.create_task(self._store_all())
        except BaseExceptionGroup as group:
            raise _most_severe(group) from group

    async def _batch(self) -> None:
        async for batch in self._file_batches():
            await self._batches.put(batch)
        await self._batches.put(None)

    async def _file_batches(self) -> AsyncIterator[list[Document]]:
        rules = self._run.deps.settings.pool
        batch: list[Document] = []
        size = 0
        async for page in self._run.deps.store.documents.due(self._run.operation.id):
            for document in page:
                if document.size > _ALONE_BYTES:
                    yield [document]
                    continue
                if batch and (len(batch) == rules.batch_files or size + document.size > rules.batch_bytes):
                    yield batch
                    batch, size = [], 0
                batch.append(document)
                size += document.size
        if batch:
            yield batch

    async def _read_all(self) -> None:
        async with asyncio.TaskGroup() as readers:
            for _ in range(self._abreast):
                readers.create_task(self._reader())
        await self._read.put(None)

    async def _reader(self) -> None:
        while (batch := await self._batches.get()) is not None:
            self._storer.tell_at_work(batch[0].path)
            for document, outcome, vectors in await self._outcomes(batch):
                result = outcome
                if isinstance(outcome, ReadFailure):
                    result = await self._reuse.instead(document, outcome)
                if isinstance(result, ReadDocument):
                    await self._room(len(result.chunks)).take(len(result.chunks))
                    if vectors is None:
                        await self._grow(document, result)
                    else:
                        await self._complete(PartialDocument(document, result, vectors))
                else:
                    self._run.pace.advance(weight(document.size))
                    await self._finished.put(FinishedDocument(document, result))
        await self._batches.put(None)  # for the next reader

    async def _outcomes(self, batch: Sequence[Document]) -> list[tuple[Document, Outcome, Vectors | None]]:
        """What becomes of each; with vectors where they are known with the passages."""
        read = self._run.deps.pool.read
        before = await self._reuse.before(batch)
        results = await read([_task(one, before.get(one.id)) for one in batch], self._cutting)
        same = {one.document_id for one in results if isinstance(one, ReadUnchanged)} & before.keys()
        taken = await self._reuse.taken_over({key: before[key] for key in same})
        # What was found before lacks something.
        again = [one for one in batch if one.id in same - taken.keys()]
        anew = await read([_task(one) for one in again], self._cutting) if again else []
        outcomes = {one.document_id: one for one in (*results, *anew)}
        return [(one, *taken.get(one.id, (outcomes[one.id], None))) for one in batch]

    async def _grow(self, document: Document, read: ReadDocument) -> None:
        growing = PartialDocument(document, read)
        first = self._under_way.setdefault(read.content_hash, growing)
        if first is growing or first.failure is not None or first.read.chunks.texts != read.chunks.texts:
            growing.begin(await self._reuse.vectors(document, read))
            if growing.missing:
                await self._read.put(growing)
            else:
                await self._complete(growing)
        elif first.done:
            growing.vectors = first.vectors
            await self._complete(growing)
        else:
            first.twins.append(growing)

    async def _complete(self, growing: PartialDocument) -> None:
        growing.done = True
        for one in (growing, *growing.twins):
            one.vectors = growing.vectors
            if not one.todo:
                self._run.pace.advance(weight(one.document.size))
            await self._finished.put(
                FinishedDocument(one.document, one.read, one.vectors, len(one.read.chunks))
            )

    def _room(self, chunks: int) -> _ChunkBudget:
        return self._small if chunks <= _SMALL else self._large

    async def _embed_all(self) -> None:
        room = asyncio.Semaphore(self._abreast)
        async with asyncio.TaskGroup() as tasks:
            async for pieces in self._packed():
                await room.acquire()
                tasks.create_task(self._embed(pieces, room))
        await self._finished.put(None)

    async def _packed(self) -> AsyncIterator[list[ChunkSlice]]:
        """Pack tasks of up to `batch_chunks`, a share of each document in turn; don't wait for more to be read."""
        growing: deque[PartialDocument] = deque()
        reading = True
        while reading or growing:
            while reading and not (growing and self._read.empty()):
                fresh = await self._read.get()
                reading = fresh is not None
                if fresh is not None:
                    growing.append(fresh)
            if growing:
                most = self._run.deps.settings.embedding.batch_chunks
                yield pack(growing, most if reading else final_batch_size(growing, most, self._abreast))

    async def _embed(self, pieces: Sequence[ChunkSlice], room: asyncio.Semaphore) -> None:
        self._storer.tell_at_work(pieces[0].growing.document.path)
        try:
            await self._embed_together(pieces)
        finally:
            room.release()

    async def _embed_together(self, pieces: Sequence[ChunkSlice]) -> None:
        texts = [text for piece in pieces for text in piece.texts()]
        try:
            vectors = await self._run.deps.pool.embed(self._model, texts)
        except Invalid as error:
            # A passage that no worker survives costs its own document, not those that shared the task.
            if len(pieces) > 1:
                for piece in pieces:
                    await self._embed_together([piece])
            else:
                await self._give_up(pieces[0].growing, str(error))
            return
        at = 0
        for piece in pieces:
            count = len(piece.numbers)
            growing = piece.growing
            self._run.pace.advance(weight(growing.document.size) * count / len(growing.todo))
            if growing.take(piece.numbers, vectors[at : at + count]):
                await self._complete(growing)
            at += count

    async def _give_up(self, growing: PartialDocument, reason: str) -> None:
        if growing.failure is None:
            growing.failure = reason
            self._under_way.pop(growing.read.content_hash, None)
            for one in (growing, *growing.twins):
                failure = ReadFailure(one.document.id, "worker_died", reason, skipped=False)
                await self._finished.put(FinishedDocument(one.document, failure, room=len(one.read.chunks)))

    async def _store_all(self) -> None:
        going = True
        while going:
            ready = [await self._finished.get()]
            while (
                not self._finished.empty()
                and len(ready) < _STORE_DOCUMENTS
                and _chunks(ready) < _STORE_CHUNKS
            ):
                ready.append(self._finished.get_nowait())
            going = ready[-1] is not None
            if finished := [one for one in ready if one is not None]:
                await self._storer.store(finished)
                for one in finished:
                    self._room(one.room).give_back(one.room)
                    if isinstance(one.outcome, ReadDocument):
                        self._under_way.pop(one.outcome.content_hash, None)


def _task(document: Document, before: Document | None = None) -> FileTask:
    known = (before or document).content_hash if (before or document).status == "indexed" else None
    return FileTask(document.id, document.path, document.size, known)


def _chunks(ready: Sequence[FinishedDocument | None]) -> int:
    return sum(one.chunk_count for one in ready if one is not None)


def _most_severe(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Of what went wrong at the same time, what decides: a lost lease, then a bug, then a store that is away."""
    leaves: list[BaseException] = []
    waiting: list[BaseException] = [group]
    while waiting:
        error = waiting.pop()
        if isinstance(error, BaseExceptionGroup):
            waiting += error.exceptions
        else:
            leaves.append(error)
    return min(leaves, key=lambda e: (not isinstance(e, LeaseLost), isinstance(e, Unavailable)))
