"""The last step of a document's journey: its chunks into MongoDB, then it may be found, then it is told.

The order makes a crash harmless: chunks first, the document's status second, the collection's `last_seq` third.
What lies above `last_seq` is half-done, and `recover` finishes or forgets it. One Storer at a time per collection.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline import failpoints
from pipeline.batch import ReadDocument, ReadFailure
from pipeline.run import Run
from semantik.errors import LeaseLost
from semantik.records import Chunk, Counts, Document, Failure


@dataclass(frozen=True)
class Finished:
    """A document that is done with: read and embedded (vectors float16, one per chunk), or failed.

    `room` is what it has taken of the flow's bound on chunks, to be given back once it is stored.
    """

    document: Document
    outcome: ReadDocument | ReadFailure
    vectors: NDArray[np.float16] | None = None
    room: int = 0

    @property
    def chunk_count(self) -> int:
        return len(self.outcome.chunks) if isinstance(self.outcome, ReadDocument) else 0


class Storer:
    """Counts as it stores: `counts` is the operation's, and the collection's is kept beside."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._store = run.parts.store
        self.counts = Counts()
        self._others = Counts()

    async def recover(self) -> None:
        """Set right what a crash may have left, and count anew."""
        run, collection = self._run, self._run.collection
        spans = await self._store.chunks.spans_after(collection.id, collection.last_seq)
        documents = await self._store.documents.by_ids(list(spans))
        whole = {
            key: first + number - 1
            for key, (first, number) in spans.items()
            if key in documents and (documents[key].first_seq, documents[key].chunk_count) == (first, number)
        }
        await self._store.chunks.remove_documents([key for key in spans if key not in whole])
        if whole:
            last = max(whole.values())
            await self._store.collections.publish_seqs(collection.id, last)
            run.advance(last)
        await self.recount()
        if self.counts.failed:  # those of an earlier attempt, which may have died before it told them
            async for document in self._store.documents.failed(run.operation.id):
                await self._tell_failure(document)

    async def recount(self) -> None:
        """Count the operation's documents, and the collection's, from their records."""
        self.counts = await self._store.documents.counts({"operation_id": self._run.operation.id})
        every = await self._store.documents.counts({"collection_id": self._run.collection.id})
        self._others = _combine(every, self.counts, -1)
        await self._save()

    async def store(self, finished: Sequence[Finished]) -> None:
        """Store some documents together. Raises Unavailable, or LeaseLost before anything is written."""
        run = self._run
        await run.save(last_message=run.teller.last_seq)
        changes = {f.document.id: _failed(f.outcome) for f in finished if isinstance(f.outcome, ReadFailure)}
        read = [f for f in finished if isinstance(f.outcome, ReadDocument)]
        if read:
            changes |= await self._add_chunks(read)
        await self._store.documents.finish(changes)
        failpoints.die_at("storing:documents")
        if read:
            await self._publish(read, changes)
        for one in finished:
            self.counts = _counted(self.counts, one)
        run.pace.finish(len(finished))
        await self._save()
        failpoints.die_at("storing:counted")
        for one in finished:
            await self._tell(one)

    async def _add_chunks(self, read: Sequence[Finished]) -> dict[str, dict[str, Any]]:
        run = self._run
        total = sum(one.chunk_count for one in read)
        first = await self._store.collections.take_seqs(run.collection.id, total)
        chunks = _numbered(read, first)
        await self._store.chunks.add(run.collection.id, run.collection.generation, chunks)
        failpoints.die_at("storing:chunks")
        try:
            await run.save(last_message=run.teller.last_seq)
        except LeaseLost:
            await self._store.chunks.remove_seqs(run.collection.id, first, first + total)
            raise
        changes: dict[str, dict[str, Any]] = {}
        for one in read:
            assert isinstance(one.outcome, ReadDocument)
            changes[one.document.id] = _indexed(one.outcome, first)
            first += one.chunk_count
        return changes

    async def _publish(self, read: Sequence[Finished], changes: dict[str, dict[str, Any]]) -> None:
        """Let the stored chunks be found: here at once, by other servers with their next search."""
        run = self._run
        vectors = await asyncio.to_thread(_joined, read)
        first = int(changes[read[0].document.id]["first_seq"])
        last = first + len(vectors) - 1
        index = await run.parts.vectors.of(run.collection)
        assert index is not None
        await self._store.collections.publish_seqs(run.collection.id, last)
        run.advance(last)
        failpoints.die_at("storing:published")
        await index.add(np.arange(first, last + 1, dtype=np.int64), vectors)

    async def _save(self) -> None:
        await self._run.save_counts(self.counts)
        every = _combine(self._others, self.counts, 1)
        await self._store.collections.set_counts(self._run.collection.id, every)

    async def _tell(self, one: Finished) -> None:
        run, counts = self._run, self.counts
        path = one.document.path
        self._tell_processing(path)  # before a failure, which some clients show until something goes on
        if isinstance(one.outcome, ReadFailure) and not one.outcome.skipped:
            failure = Failure(one.outcome.category, one.outcome.message)
            await self._tell_failure(dataclasses.replace(one.document, failure=failure))
        run.teller.update(
            "file_completed", current_file=path, processed_files=counts.processed, total_files=counts.total
        )
        run.teller.update(
            "document_processed",
            processed=counts.processed,
            failed=counts.failed,
            skipped=counts.skipped,
            total=counts.total,
            current_file=path,
            progress_percent=run.operation.progress_percent,
            chunks=counts.chunks,
            eta_seconds=run.pace.eta_s,
            files_per_second=run.pace.files_per_s,
        )

    def tell_at_work(self, path: str) -> None:
        """Say which file is worked on."""
        self._run.current_file = path
        self._tell_processing(path)

    def _tell_processing(self, path: str) -> None:
        run = self._run
        run.teller.update(
            "file_processing",
            current_file=path,
            processed_files=self.counts.processed,
            total_files=self.counts.total,
            status="Processing",
            eta_seconds=run.pace.eta_s,
            files_per_second=run.pace.files_per_s,
        )

    async def _tell_failure(self, document: Document) -> None:
        assert document.failure is not None
        await self._run.teller.tell(
            "error",
            once=f"error {document.id}",
            message=document.failure.message,
            path=document.path,
            category=document.failure.category,
            fatal=False,
        )


def _numbered(read: Sequence[Finished], seq: int) -> Iterator[tuple[Chunk, NDArray[np.float16]]]:
    for one in read:
        assert isinstance(one.outcome, ReadDocument) and one.vectors is not None
        for part, vector in zip(one.outcome.chunks, one.vectors, strict=True):
            yield (
                Chunk(seq, one.document.id, part.text, part.start, part.end, part.page, part.heading),
                vector,
            )
            seq += 1


def _joined(read: Sequence[Finished]) -> NDArray[np.float16]:
    return np.concatenate([one.vectors for one in read if one.vectors is not None])


def _indexed(read: ReadDocument, first_seq: int) -> dict[str, Any]:
    return {
        "status": "indexed",
        "mime": read.mime,
        "title": read.title,
        "content_hash": read.content_hash,
        "length": read.length,
        "pages": read.pages,
        "first_seq": first_seq,
        "chunk_count": len(read.chunks),
        "failure": None,
    }


def _failed(failure: ReadFailure) -> dict[str, Any]:
    return {
        "status": "skipped" if failure.skipped else "failed",
        "failure": asdict(Failure(failure.category, failure.message)),
    }


def _counted(counts: Counts, one: Finished) -> Counts:
    status = "indexed"
    if isinstance(one.outcome, ReadFailure):
        status = "skipped" if one.outcome.skipped else "failed"
    change = {"pending": counts.pending - 1, status: getattr(counts, status) + 1}
    return dataclasses.replace(counts, **change, chunks=counts.chunks + one.chunk_count)


def _combine(a: Counts, b: Counts, sign: int) -> Counts:
    return Counts(
        **{name: getattr(a, name) + sign * getattr(b, name) for name in Counts.__dataclass_fields__}
    )
