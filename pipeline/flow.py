"""Pending documents become found ones: read, embed and store at the same time, each arrow a bounded queue.

    pending → batches of files → (pool: extract, cut) → chunks packed together → (pool: embed) → stored and told

Chunks of several files share an embedding task, and those of a large file are spread over many: each of the files
that were read gets a share of the next task, so that a book holds up no letter.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.batch import Cutting, FileTask, ModelSpec, ReadDocument, ReadFailure
from pipeline.pace import weight
from pipeline.run import Run
from pipeline.storing import Finished, Storer
from semantik.errors import Invalid, LeaseLost, Unavailable
from semantik.records import Document

_STORE_DOCUMENTS = 64
_STORE_CHUNKS = 4000
_CHUNKS_UNDER_WAY = 50_000  # some 100 MB of texts and vectors
_ALONE_BYTES = 256 << 10  # a larger file is read by itself: some megabytes of text take seconds
_SMALL = 500  # chunks; documents up to here have room of their own, so that large ones cannot fill it all
_SMALL_CHUNKS_UNDER_WAY = 10_000
_LEAST_SHARE = 16  # chunks of a document in a task, so that a task has not too many of them


class _Room:
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


@dataclass
class _Growing:
    """A document whose vectors come in, part by part."""

    document: Document
    read: ReadDocument
    vectors: NDArray[np.float16] | None = None
    missing: int = 0
    packed: int = 0
    given_up: bool = False

    def pack(self, most: int) -> _Piece:
        """The next chunks for an embedding task."""
        begin = self.packed
        self.packed = min(len(self.read.chunks), begin + most)
        return _Piece(self, begin, self.packed)

    def take(self, begin: int, vectors: NDArray[np.float16]) -> bool:
        """Put vectors from chunk `begin` on; True when it has them all, and has not been given up."""
        if self.vectors is None:
            self.vectors = np.empty((len(self.read.chunks), vectors.shape[1]), np.float16)
        self.vectors[begin : begin + len(vectors)] = vectors
        self.missing -= len(vectors)
        return self.missing == 0 and not self.given_up


@dataclass(frozen=True)
class _Piece:
    """Chunks `begin` to `end` of a growing document: what one embedding task holds of it."""

    growing: _Growing
    begin: int
    end: int

    def texts(self) -> tuple[str, ...]:
        return self.growing.read.chunks.texts[self.begin : self.end]


class Flow:
    """Takes an operation's pending documents to their end."""

    def __init__(self, run: Run, storer: Storer) -> None:
        self._run = run
        self._storer = storer
        self._model = ModelSpec(run.collection.model, run.collection.precision)
        self._cutting = Cutting(run.collection.model, run.collection.chunk_size, run.collection.chunk_overlap)
        self._abreast = run.parts.pool.batch_workers + 1  # one waits while every worker is busy
        self._large, self._small = _Room(_CHUNKS_UNDER_WAY), _Room(_SMALL_CHUNKS_UNDER_WAY)
        self._batches: asyncio.Queue[list[Document] | None] = asyncio.Queue(1)
        self._read: asyncio.Queue[_Growing | None] = asyncio.Queue(4 * run.parts.settings.pool.batch_files)
        self._finished: asyncio.Queue[Finished | None] = asyncio.Queue(2 * _STORE_DOCUMENTS)

    async def go(self) -> None:
        """Raises Unavailable when a store or the pool is away: what is stored stays, the rest is still pending."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._batch())
                tasks.create_task(self._read_all())
                tasks.create_task(self._embed_all())
                tasks.create_task(self._store_all())
        except BaseExceptionGroup as group:
            raise _weightiest(group) from group

    async def _batch(self) -> None:
        async for batch in self._file_batches():
            await self._batches.put(batch)
        await self._batches.put(None)

    async def _file_batches(self) -> AsyncIterator[list[Document]]:
        rules = self._run.parts.settings.pool
        batch: list[Document] = []
        size = 0
        async for page in self._run.parts.store.documents.pending(self._run.operation.id):
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
            files = [FileTask(document.id, document.path, document.size) for document in batch]
            results = await self._run.parts.pool.read(files, self._cutting)
            for document, result in zip(batch, results, strict=True):
                if isinstance(result, ReadFailure):
                    self._run.pace.advance(weight(document.size))
                    await self._finished.put(Finished(document, result))
                else:
                    await self._room(len(result.chunks)).take(len(result.chunks))
                    await self._read.put(_Growing(document, result, missing=len(result.chunks)))
        await self._batches.put(None)  # for the next reader

    def _room(self, chunks: int) -> _Room:
        return self._small if chunks <= _SMALL else self._large

    async def _embed_all(self) -> None:
        room = asyncio.Semaphore(self._abreast)
        async with asyncio.TaskGroup() as tasks:
            async for pieces in self._packed():
                await room.acquire()
                tasks.create_task(self._embed(pieces, room))
        await self._finished.put(None)

    async def _packed(self) -> AsyncIterator[list[_Piece]]:
        """Pack tasks of up to `batch_chunks`, a share of each document in turn; don't wait for more to be read."""
        growing: deque[_Growing] = deque()
        reading = True
        while reading or growing:
            while reading and not (growing and self._read.empty()):
                fresh = await self._read.get()
                reading = fresh is not None
                if fresh is not None:
                    growing.append(fresh)
            if growing:
                yield self._pack(growing)

    def _pack(self, growing: deque[_Growing]) -> list[_Piece]:
        """Fill one task; documents that have chunks left go to the end of the line."""
        room = self._run.parts.settings.embedding.batch_chunks
        pieces: list[_Piece] = []
        while room and growing:
            one = growing.popleft()
            share = max(_LEAST_SHARE, room // (len(growing) + 1))
            pieces.append(one.pack(min(room, share)))
            room -= pieces[-1].end - pieces[-1].begin
            if one.packed < len(one.read.chunks):
                growing.append(one)
        return pieces

    async def _embed(self, pieces: Sequence[_Piece], room: asyncio.Semaphore) -> None:
        self._storer.tell_at_work(pieces[0].growing.document.path)
        try:
            await self._embed_together(pieces)
        finally:
            room.release()

    async def _embed_together(self, pieces: Sequence[_Piece]) -> None:
        texts = [text for piece in pieces for text in piece.texts()]
        try:
            vectors = await self._run.parts.pool.embed(self._model, texts)
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
            count = piece.end - piece.begin
            growing = piece.growing
            self._run.pace.advance(weight(growing.document.size) * count / len(growing.read.chunks))
            if growing.take(piece.begin, vectors[at : at + count]):
                await self._finished.put(
                    Finished(growing.document, growing.read, growing.vectors, len(growing.read.chunks))
                )
            at += count

    async def _give_up(self, growing: _Growing, reason: str) -> None:
        if not growing.given_up:
            growing.given_up = True
            failure = ReadFailure(growing.document.id, "worker_died", reason, skipped=False)
            await self._finished.put(Finished(growing.document, failure, room=len(growing.read.chunks)))

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


def _chunks(ready: Sequence[Finished | None]) -> int:
    return sum(one.chunk_count for one in ready if one is not None)


def _weightiest(group: BaseExceptionGroup[BaseException]) -> BaseException:
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
