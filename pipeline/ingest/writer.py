"""The last step of a document's journey: its chunks into MongoDB and the index, then it is found, then it is told.

The order makes a crash harmless: chunks, `last_seq`, the index, the document's record, `settled_seq`, and then what the
document had before is removed. A chunk is found when its document's record says so, which changes in one step. What
lies above `settled_seq` is half-done, and `recover` finishes or forgets it. One Storer at a time per collection.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline import failpoints
from pipeline.compute.messages import Outcome, ReadDocument, ReadFailure
from pipeline.context.context import OperationContext
from pipeline.context.shielded import shielded
from pipeline.scanning.removal import finish_removals, forget
from semantik.core.errors import LeaseLost
from semantik.core.models import Chunk, Counts, Document, DocumentStatus, Failure, FileFailure
from semantik.storage.mongo.document_rows import DocumentFields


@dataclass(frozen=True)
class FinishedDocument:
    """A document that is done with: read and embedded (vectors float16, one per chunk), unchanged, or failed.

    `room` is what it has taken of the flow's bound on chunks, to be given back once it is stored.
    """

    document: Document
    outcome: Outcome
    vectors: NDArray[np.float16] | None = None
    room: int = 0

    @property
    def chunk_count(self) -> int:
        return len(self.outcome.chunks) if isinstance(self.outcome, ReadDocument) else 0


class DocumentWriter:
    """Counts as it stores: `counts` is the operation's, and the generation's is kept beside.

    `measure` is the message that tells how far it is.
    """

    def __init__(self, run: OperationContext, measure: str = "document_processed") -> None:
        self._run = run
        self._measure = measure
        self._store = run.deps.store
        self.counts = Counts()
        self._others = Counts()

    def start(self) -> None:
        """Count on from what is kept, where nothing can be half-done: the collection is at rest."""
        self._others = self._run.generation.counts

    async def recover(self) -> None:
        """Set right what a crash may have left, and count anew."""
        run, generation = self._run, self._run.generation
        # First, so that no earlier owner lets a document hold what is looked at below.
        await self._store.documents.claim(run.operation.id, run.fence)
        await finish_removals(run)
        await self._delete_old_chunks()
        spans = await self._store.chunks.spans_after(generation, generation.settled_seq)
        documents = await self._store.documents.by_ids(list(spans))
        lost = [
            (first, first + number)
            for key, (first, number) in spans.items()
            if key not in documents or not documents[key].has_chunk(first)
        ]
        await forget(run, lost)
        await self._store.collections.set_settled_seq(generation, run.collection.next_seq - 1, run.fence)
        await self.recount()
        # Those of an earlier attempt, which may have died before it noted or told them.
        if self.counts.failed:
            async for document in self._store.documents.failed(run.operation.id):
                assert document.failure is not None
                await self._note_failure(document, document.failure)
                await self._tell_failure(document)

    async def recount(self) -> None:
        """Count the operation's documents, and the generation's, from their records."""
        self.counts = await self._store.documents.counts({"operation_id": self._run.operation.id})
        every = await self._store.documents.counts_of(self._run.generation)
        self._others = _combine(every, self.counts, -1)
        await self._save()

    async def recount_generation(self) -> None:
        """Count the generation's documents alone, for an operation that counts in other things."""
        counts = await self._store.documents.counts_of(self._run.generation)
        await self._run.set_counts(counts)

    async def store(self, finished: Sequence[FinishedDocument]) -> None:
        """Store some documents together. Raises Unavailable, or LeaseLost before anything is found."""
        await shielded(self._store_together(finished))

    async def _store_together(self, finished: Sequence[FinishedDocument]) -> None:
        run = self._run
        await run.save(last_message=run.reporter.last_seq)
        read = [f for f in finished if isinstance(f.outcome, ReadDocument)]
        first = last = -1
        if read:
            first, last = await self._add_chunks(read)
        await self._store.documents.save_outcomes(_changes(finished, first), run.operation.id, run.fence)
        failpoints.die_at("storing.finished")
        if read:
            await self._store.collections.set_settled_seq(run.generation, last, run.fence)
            failpoints.die_at("storing.settled")
        if any(one.document.chunk_count for one in finished):
            await self._delete_old_chunks()
        for one in finished:
            if isinstance(one.outcome, ReadFailure) and not one.outcome.skipped:
                await self._note_failure(one.document, _failure(one.outcome))
            self._count(one)
        run.pace.finish(len(finished))
        await self._save()
        failpoints.die_at("storing.counted")
        for one in finished:
            await self._tell(one)
            await asyncio.sleep(0)  # whoever searches has a turn in between

    async def _add_chunks(self, read: Sequence[FinishedDocument]) -> tuple[int, int]:
        """Chunks and vectors to where they are kept; nobody finds them yet. Returns the first and the last seq."""
        run = self._run
        vectors = await asyncio.to_thread(_joined, read)
        collections = self._store.collections
        first = await collections.allocate_seqs(run.collection.id, len(vectors), run.fence)
        last = first + len(vectors) - 1
        failpoints.die_at("storing.taken")
        await self._publish(read, first, last)
        failpoints.die_at("storing.published")
        index = await run.deps.vectors.get_synced_vectors(run.generation)
        assert index is not None
        await index.add(np.arange(first, last + 1, dtype=np.int64), vectors)
        failpoints.die_at("storing.indexed")
        return first, last

    async def _publish(self, read: Sequence[FinishedDocument], first: int, last: int) -> None:
        """Chunks that come too late are taken back: whoever has the collection by now may not know of them."""
        run, chunks = self._run, self._store.chunks
        await chunks.add(run.generation, _numbered(read, first))
        failpoints.die_at("storing.chunks")
        try:
            run.refresh(await self._store.collections.set_last_seq(run.generation, last, run.fence))
        except LeaseLost:
            await chunks.remove_spans(run.collection.id, [(first, last + 1)])
            raise

    async def _delete_old_chunks(self) -> None:
        """Remove the chunks that documents had before they were read anew."""
        documents = self._store.documents
        while leavings := await documents.with_old_chunks(self._run.generation):
            await forget(self._run, [(one.old_first, one.old_first + one.old_count) for one in leavings])
            failpoints.die_at("storing.forgotten")
            await documents.clear_old_chunks(leavings)

    async def _note_failure(self, document: Document, failure: Failure) -> None:
        operation_id = self._run.operation.id
        await self._store.failures.record(FileFailure(operation_id, document.id, document.path, failure))

    def _count(self, one: FinishedDocument) -> None:
        counts, before = self.counts, one.document.chunk_count
        status: DocumentStatus = "indexed"
        chunks = one.chunk_count
        if isinstance(one.outcome, ReadFailure):
            status = "skipped" if one.outcome.skipped else "failed"
        elif not isinstance(one.outcome, ReadDocument):
            chunks = before
        change = {"pending": counts.pending - 1, status: getattr(counts, status) + 1}
        self.counts = dataclasses.replace(counts, **change, chunks=counts.chunks + chunks)
        self._others = dataclasses.replace(self._others, chunks=self._others.chunks - before)

    async def _save(self) -> None:
        await self._run.save_counts(self.counts)
        every = _combine(self._others, self.counts, 1)
        await self._run.set_counts(every)

    async def _tell(self, one: FinishedDocument) -> None:
        run, counts = self._run, self.counts
        path = one.document.path
        self._tell_processing(path)  # before a failure, which some clients show until something goes on
        if isinstance(one.outcome, ReadFailure) and not one.outcome.skipped:
            await self._tell_failure(dataclasses.replace(one.document, failure=_failure(one.outcome)))
        run.reporter.publish_latest(
            "file_completed", current_file=path, processed_files=counts.processed, total_files=counts.total
        )
        run.reporter.publish_latest(
            self._measure,
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
        run.reporter.publish_latest(
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
        await self._run.reporter.publish(
            "error",
            idempotency_key=f"error {document.id}",
            message=document.failure.message,
            path=document.path,
            category=document.failure.category,
            fatal=False,
        )


def _numbered(read: Sequence[FinishedDocument], seq: int) -> Iterator[tuple[Chunk, NDArray[np.float16]]]:
    for one in read:
        assert isinstance(one.outcome, ReadDocument) and one.vectors is not None
        for part, vector in zip(one.outcome.chunks, one.vectors, strict=True):
            yield (
                Chunk(seq, one.document.id, part.text, part.start, part.end, part.page, part.heading),
                vector,
            )
            seq += 1


def _joined(read: Sequence[FinishedDocument]) -> NDArray[np.float16]:
    return np.concatenate([one.vectors for one in read if one.vectors is not None])


def _changes(finished: Sequence[FinishedDocument], first_seq: int) -> dict[str, DocumentFields]:
    """What each document's record becomes; the chunks of those that were read begin at `first_seq`."""
    changes: dict[str, DocumentFields] = {}
    for one in finished:
        if isinstance(one.outcome, ReadDocument):
            changes[one.document.id] = _indexed(one.outcome, first_seq) | _leaving(one.document)
            first_seq += one.chunk_count
        elif isinstance(one.outcome, ReadFailure):
            changes[one.document.id] = _failed(one.outcome) | _leaving(one.document)
        else:
            changes[one.document.id] = {}
    return changes


def _leaving(document: Document) -> DocumentFields:
    if not document.chunk_count:
        return {}
    return {"old_first": document.first_seq, "old_count": document.chunk_count}


def _indexed(read: ReadDocument, first_seq: int) -> DocumentFields:
    return {
        "status": "indexed",
        "mime": read.mime,
        "title": read.title,
        "content_hash": read.content_hash or None,
        "length": read.length,
        "pages": read.pages,
        "first_seq": first_seq,
        "chunk_count": len(read.chunks),
        "failure": None,
    }


def _failed(failure: ReadFailure) -> DocumentFields:
    return {
        "status": "skipped" if failure.skipped else "failed",
        "failure": asdict(_failure(failure)),
        "content_hash": None,
        "length": 0,
        "first_seq": -1,
        "chunk_count": 0,
    }


def _failure(outcome: ReadFailure) -> Failure:
    return Failure(outcome.category, outcome.message)


def _combine(a: Counts, b: Counts, sign: int) -> Counts:
    return Counts(
        **{name: getattr(a, name) + sign * getattr(b, name) for name in Counts.__dataclass_fields__}
    )
