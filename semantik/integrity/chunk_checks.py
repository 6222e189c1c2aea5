"""Compares documents with their chunks: each document has its chunks, and each chunk belongs to its document.

While an operation runs on the collection, only what it cannot change any more is checked: a chunk up to `settled_seq`
is never added to a document, so a stray one can be removed safely whatever runs.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import AsyncIterator
from functools import partial

from semantik.core.models import Collection, Document, Generation
from semantik.integrity.issue import CheckContext, Issue, Repair, is_idle
from semantik.storage.mongo import Store
from semantik.storage.mongo.document_rows import DocumentFields

_NO_OLD_CHUNKS: DocumentFields = {"old_first": -1, "old_count": 0}


async def chunk_checks(context: CheckContext) -> AsyncIterator[Issue]:
    """Checks every generation that is searched or being built; `collection_checks` finds those left over."""
    store = context.store
    for collection in await store.collections.all():
        idle = await is_idle(store, collection)
        for generation in collection.generations:
            if generation == collection.current or (generation == collection.staging and not idle):
                checker = _GenerationChecker(store, collection, generation, idle)
                async for issue in checker.issues():
                    yield issue


class _GenerationChecker:
    """Checks the documents and chunks of one generation."""

    def __init__(self, store: Store, collection: Collection, generation: Generation, idle: bool) -> None:
        self._store = store
        self._collection = collection
        self._generation = generation
        self._idle = idle
        self._last = collection.next_seq - 1 if idle else generation.settled_seq

    async def issues(self) -> AsyncIterator[Issue]:
        # Read after the collection's row: chunks up to `_last` do not get another document any more.
        documents = [
            one async for page in self._store.documents.of_generation(self._generation) for one in page
        ]
        counted, strays = await self._compare(documents)
        for document in documents:
            if self._idle:
                for issue in self._half_done(document):
                    yield issue
            found = counted[document.id]
            if document.status == "indexed" and self._is_settled(document) and found != document.chunk_count:
                yield self._missing_chunks(document, found)
        by_id = {document.id: document for document in documents}
        if self._idle:
            for document in documents:
                if document.is_part and document.status != "removing" and document.container_id not in by_id:
                    yield self._orphaned_part(document)
        for owner, seqs in sorted(strays.items()):
            yield await self._stray_chunks(owner, by_id.get(owner), seqs)
        if self._idle:
            due = await self._store.documents.due_by_operation(self._generation)
            for operation_id, number in due.items():
                yield self._due_documents(operation_id, number)

    async def _compare(self, documents: list[Document]) -> tuple[Counter[str], dict[str, list[int]]]:
        """The number of chunks found of each document, and the seqs of stray chunks: they carry a document's id, and
        belong to no document."""
        indexed = sorted(
            (one.first_seq, one) for one in documents if one.status == "indexed" and one.chunk_count
        )
        firsts = [first for first, _ in indexed]
        half_done = {one.id: one for one in documents if one.status == "removing" or one.old_count}
        counted: Counter[str] = Counter()
        strays: dict[str, list[int]] = {}
        async for page in self._store.chunks.owners(self._generation, self._last):
            for seq, owner in page:
                at = bisect_right(firsts, seq) - 1
                if at >= 0 and indexed[at][1].id == owner and indexed[at][1].has_chunk(seq):
                    counted[owner] += 1
                elif owner not in half_done or not _is_to_be_removed(half_done[owner], seq):
                    strays.setdefault(owner, []).append(seq)
        return counted, strays

    def _is_settled(self, document: Document) -> bool:
        return document.first_seq + document.chunk_count - 1 <= self._last

    def _half_done(self, document: Document) -> list[Issue]:
        found = []
        if document.status == "removing":
            found.append(
                self._issue(
                    "half-removed document",
                    document.id,
                    f"{document.path} was to be removed, and was not.",
                    "it is removed",
                    partial(self._remove, document),
                )
            )
        elif document.old_count:
            found.append(
                self._issue(
                    "old chunks",
                    document.id,
                    f"old chunks of {document.path}, which was read again, are not removed: {document.old_count}.",
                    "they are removed",
                    partial(self._remove_old_chunks, document),
                )
            )
        return found

    def _orphaned_part(self, document: Document) -> Issue:
        return self._issue(
            "orphaned part",
            document.id,
            f"the file that holds {document.path} is no document any more.",
            "it is removed",
            partial(self._remove, document),
        )

    def _missing_chunks(self, document: Document, found: int) -> Issue:
        last = document.first_seq + document.chunk_count - 1
        return self._issue(
            "missing chunks",
            document.id,
            f"of the chunks of {document.path}, {document.first_seq} to {last}, {found} of "
            f"{document.chunk_count} exist.",
            "it is read again with the next scan of its folder",
            partial(self._read_again, document),
        )

    async def _stray_chunks(self, owner: str, document: Document | None, seqs: list[int]) -> Issue:
        name = (
            f"{document.path} that are not part of it"
            if document
            else f"document {owner}, which does not exist"
        )
        size = await self._store.chunks.storage_size(self._generation, seqs[0], seqs[-1], owner)
        return self._issue(
            "stray chunks",
            owner,
            f"chunks of {name}: {len(seqs)}, from {seqs[0]} to {seqs[-1]}.",
            "they are removed",
            partial(self._store.chunks.remove_spans, self._collection.id, [(seq, seq + 1) for seq in seqs]),
            size.bytes * len(seqs) // max(1, size.rows),
        )

    def _due_documents(self, operation_id: str, number: int) -> Issue:
        return Issue(
            "documents to be read",
            f"{self._collection.id} {operation_id}",
            f"Collection {self._collection.name}: documents still to be read, since operation {operation_id} ended "
            f"early: {number}.",
            "the next scan of their folder reads them",
            informational=True,
        )

    def _issue(
        self, kind: str, subject: str, description: str, remedy: str, repair: Repair, size: int = 0
    ) -> Issue:
        name = self._collection.name
        subject = f"{self._collection.id} {self._generation.number} {subject}"
        return Issue(kind, subject, f"Collection {name}: {description}", remedy, repair, size)

    async def _remove(self, document: Document) -> None:
        spans = (
            [(document.first_seq, document.first_seq + document.chunk_count)] if document.chunk_count else []
        )
        await self._mark_dirty()
        await self._store.chunks.remove_spans(self._collection.id, [*spans, *_old_span(document)])
        await self._store.documents.remove_ids([document.id])

    async def _mark_dirty(self) -> None:
        """Let the next scan compare every file."""
        await self._store.folder_digests.remove_all(self._collection.id)
        await self._store.collections.mark_dirty(self._collection.id)

    async def _remove_old_chunks(self, document: Document) -> None:
        await self._mark_dirty()
        await self._store.chunks.remove_spans(self._collection.id, _old_span(document))
        await self._store.documents.update_if_unchanged(document, _NO_OLD_CHUNKS)

    async def _read_again(self, document: Document) -> None:
        if document.old_count:
            await self._remove_old_chunks(document)
            return  # the next check finds the missing chunks again
        fields: DocumentFields = {
            "status": "pending",
            "due": document.operation_id,
            "content_hash": None,
            "first_seq": -1,
            "chunk_count": 0,
            "old_first": document.first_seq,
            "old_count": document.chunk_count,
        }
        await self._mark_dirty()
        await self._store.documents.update_if_unchanged(document, fields)


def _is_to_be_removed(document: Document, seq: int) -> bool:
    """Whether the chunk belongs to what is still to be removed of a half-done document."""
    if (
        document.status == "removing"
        and document.first_seq <= seq < document.first_seq + document.chunk_count
    ):
        return True
    return document.old_first <= seq < document.old_first + document.old_count


def _old_span(document: Document) -> list[tuple[int, int]]:
    return [(document.old_first, document.old_first + document.old_count)] if document.old_count else []
