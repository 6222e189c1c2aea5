"""Documents and their chunks: each document has those that it holds, and each chunk is held by its document.

While an operation has the collection, only what it will not touch any more is looked at: a chunk up to `settled_seq`
comes to no document that does not hold it already, so removing it is safe whatever runs.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from functools import partial

from semantik.core.models import Collection, Document, Generation
from semantik.integrity.issue import CheckContext, Issue, Mend, is_idle
from semantik.storage.mongo import Store

_NOTHING_OLD = {"old_first": -1, "old_count": 0}


async def chunk_checks(grounds: CheckContext) -> AsyncIterator[Issue]:
    """Every generation that is searched, or is being built; one that nobody builds any more goes as a whole."""
    store = grounds.store
    for collection in await store.collections.all():
        idle = await is_idle(store, collection)
        for generation in collection.generations:
            if generation == collection.current or (generation == collection.staging and not idle):
                look = _DocumentCheck(store, collection, generation, idle)
                async for finding in look.findings():
                    yield finding


@dataclass
class _StrayChunks:
    """Chunks that carry a document's id, and that it does not hold."""

    seqs: list[int] = field(default_factory=list)

    def spans(self) -> list[tuple[int, int]]:
        return [(seq, seq + 1) for seq in self.seqs]


class _DocumentCheck:
    def __init__(self, store: Store, collection: Collection, generation: Generation, idle: bool) -> None:
        self._store = store
        self._collection = collection
        self._generation = generation
        self._idle = idle
        self._last = collection.next_seq - 1 if idle else generation.settled_seq

    async def findings(self) -> AsyncIterator[Issue]:
        # They are read after the collection's numbers: what they hold up to `_last` is theirs for good.
        documents = [
            one async for page in self._store.documents.of_generation(self._generation) for one in page
        ]
        counted, strays = await self._compare(documents)
        for document in documents:
            if self._idle:
                for finding in self._half_done(document):
                    yield finding
            there = counted[document.id]
            if document.status == "indexed" and self._is_settled(document) and there != document.chunk_count:
                yield self._lacking(document, there)
        by_id = {document.id: document for document in documents}
        for owner, stray in sorted(strays.items()):
            yield await self._stray(owner, by_id.get(owner), stray)
        if self._idle:
            for operation_id, number in (
                await self._store.documents.due_by_operation(self._generation)
            ).items():
                yield self._due(operation_id, number)

    async def _compare(self, documents: list[Document]) -> tuple[Counter[str], dict[str, _StrayChunks]]:
        """How many chunks each document has of those that it holds, and the chunks that nobody holds."""
        held = sorted(
            (one.first_seq, one) for one in documents if one.status == "indexed" and one.chunk_count
        )
        firsts = [first for first, _ in held]
        going = {one.id: one for one in documents if one.status == "removing" or one.old_count}
        counted: Counter[str] = Counter()
        strays: dict[str, _StrayChunks] = {}
        async for page in self._store.chunks.owners(self._generation, self._last):
            for seq, owner in page:
                at = bisect_right(firsts, seq) - 1
                if at >= 0 and held[at][1].id == owner and held[at][1].holds(seq):
                    counted[owner] += 1
                elif owner not in going or not _goes(going[owner], seq):
                    strays.setdefault(owner, _StrayChunks()).seqs.append(seq)
        return counted, strays

    def _is_settled(self, document: Document) -> bool:
        return document.first_seq + document.chunk_count - 1 <= self._last

    def _half_done(self, document: Document) -> list[Issue]:
        found = []
        if document.status == "removing":
            found.append(
                self._finding(
                    "half-removed document",
                    document.id,
                    f"{document.path} was to be removed, and was not.",
                    "it is removed",
                    partial(self._remove, document),
                )
            )
        elif document.old_count:
            found.append(
                self._finding(
                    "former chunks",
                    document.id,
                    f"former chunks of {document.path}, which was read anew, are not removed: {document.old_count}.",
                    "they are removed",
                    partial(self._forget_former, document),
                )
            )
        return found

    def _lacking(self, document: Document, there: int) -> Issue:
        last = document.first_seq + document.chunk_count - 1
        return self._finding(
            "lacking chunks",
            document.id,
            f"of the chunks that {document.path} holds, {document.first_seq} to {last}, {there} of "
            f"{document.chunk_count} are there.",
            "it is read again with the next scan of its folder",
            partial(self._read_again, document),
        )

    async def _stray(self, owner: str, document: Document | None, stray: _StrayChunks) -> Issue:
        seqs = stray.seqs
        called = document.path if document else f"document {owner}, which is not there"
        weight = await self._store.chunks.weigh(self._generation, seqs[0], seqs[-1], owner)
        return self._finding(
            "stray chunks",
            owner,
            f"chunks of {called}{', which does not hold them' if document else ''}: {len(seqs)}, from {seqs[0]} to "
            f"{seqs[-1]}.",
            "they are removed",
            partial(self._store.chunks.remove_spans, self._collection.id, stray.spans()),
            weight.bytes * len(seqs) // max(1, weight.rows),
        )

    def _due(self, operation_id: str, number: int) -> Issue:
        return Issue(
            "documents to be read",
            f"{self._collection.id} {operation_id}",
            f"Collection {self._collection.name}: documents still to be read, since operation {operation_id} ended "
            f"early: {number}.",
            "the next scan of their folder reads them",
            note=True,
        )

    def _finding(
        self, kind: str, subject: str, sentence: str, remedy: str, mend: Mend, size: int = 0
    ) -> Issue:
        name = self._collection.name
        subject = f"{self._collection.id} {self._generation.number} {subject}"
        return Issue(kind, subject, f"Collection {name}: {sentence}", remedy, mend, size)

    async def _remove(self, document: Document) -> None:
        spans = (
            [(document.first_seq, document.first_seq + document.chunk_count)] if document.chunk_count else []
        )
        await self._disturb()
        await self._store.chunks.remove_spans(self._collection.id, [*spans, *_former(document)])
        await self._store.documents.remove_ids([document.id])

    async def _disturb(self) -> None:
        """The next scan looks at every file."""
        await self._store.folder_digests.remove_all(self._collection.id)
        await self._store.collections.mark_dirty(self._collection.id)

    async def _forget_former(self, document: Document) -> None:
        await self._disturb()
        await self._store.chunks.remove_spans(self._collection.id, _former(document))
        await self._store.documents.mend(document, _NOTHING_OLD)

    async def _read_again(self, document: Document) -> None:
        fields = {
            "status": "pending",
            "due": document.operation_id,
            "content_hash": None,
            "first_seq": -1,
            "chunk_count": 0,
        }
        if document.old_count:
            await self._forget_former(document)
            return  # the next look finds the rest
        leaving = {"old_first": document.first_seq, "old_count": document.chunk_count}
        await self._disturb()
        await self._store.documents.mend(document, {**fields, **leaving})


def _goes(document: Document, seq: int) -> bool:
    """Whether the chunk goes with what is half-done of the document."""
    if (
        document.status == "removing"
        and document.first_seq <= seq < document.first_seq + document.chunk_count
    ):
        return True
    return document.old_first <= seq < document.old_first + document.old_count


def _former(document: Document) -> list[tuple[int, int]]:
    return [(document.old_first, document.old_first + document.old_count)] if document.old_count else []
