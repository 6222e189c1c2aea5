"""A question in, hits out: embeds the question, asks each collection's index, and fetches the passages."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from semantik import settings
from semantik.access import Access
from semantik.errors import Invalid, Unavailable
from semantik.index import Scored, VectorIndex
from semantik.questions import Questions
from semantik.records import Chunk, Collection, Document, Filters, User
from semantik.store import Store
from semantik.vectors import Vectors

_MAX_QUESTION = 10_000


@dataclass(frozen=True)
class Question:
    """`collection_ids` None asks all collections that the user may read; `threshold` is the least cosine."""

    text: str
    collection_ids: tuple[str, ...] | None = None
    k: int = 10
    offset: int = 0
    threshold: float | None = None
    filters: Filters = field(default_factory=Filters)


@dataclass(frozen=True)
class Hit:
    """A passage that answers; `score` is the true cosine between question and passage."""

    score: float
    chunk: Chunk
    document: Document
    collection: Collection


@dataclass(frozen=True)
class Answer:
    """The best hits first, and how many passages were compared."""

    hits: tuple[Hit, ...]
    considered: int


class Search:
    """Answers questions on behalf of a user."""

    def __init__(
        self, store: Store, access: Access, vectors: Vectors, questions: Questions, rules: settings.Search
    ) -> None:
        self._store = store
        self._access = access
        self._vectors = vectors
        self._questions = questions
        self._rules = rules

    async def ask(self, user: User, question: Question) -> Answer:
        """Raises Invalid, NotFound (a collection), or Unavailable (a store or the model is away)."""
        text = question.text.strip()
        if not text or len(text) > _MAX_QUESTION:
            raise Invalid(f"query must have 1 to {_MAX_QUESTION} characters.")
        if question.k + question.offset > self._rules.max_results:
            raise Invalid(f"offset + k may be {self._rules.max_results} at most.")
        ids = None if question.collection_ids is None else list(question.collection_ids)
        collections = await self._access.collections(user, ids)
        found = await asyncio.gather(*(self._in_collection(c, text, question) for c in collections))
        ranked = sorted(
            ((scored, collection) for _, scores, collection in found for scored in scores),
            key=lambda pair: (-pair[0].score, pair[1].id, pair[0].seq),
        )
        page = ranked[question.offset : question.offset + question.k]
        return Answer(await self._hits(page), sum(considered for considered, _, _ in found))

    async def _in_collection(
        self, collection: Collection, text: str, question: Question
    ) -> tuple[int, list[Scored], Collection]:
        index = await self._index(collection)
        if index is None:
            return 0, [], collection
        allowed = None
        if question.filters.any:
            allowed = await self._store.documents.spans(collection, question.filters)
        vector = await self._questions.vector(collection.model, collection.precision, text)
        scores = await index.search(vector, question.k + question.offset, allowed, question.threshold)
        considered = index.stats().vectors if allowed is None else int(np.sum(allowed[:, 1] - allowed[:, 0]))
        return considered, scores, collection

    async def _index(self, collection: Collection) -> VectorIndex | None:
        try:
            async with asyncio.timeout(self._rules.timeout_s):
                return await self._vectors.of(collection)
        except TimeoutError as error:
            # What was read so far stays in the index, so that the next search has less to wait for.
            raise Unavailable("The index is being rebuilt; please ask again shortly.", 5) from error

    async def _hits(self, page: Sequence[tuple[Scored, Collection]]) -> tuple[Hit, ...]:
        chunks: dict[tuple[str, int], Chunk] = {}
        for collection_id in {collection.id for _, collection in page}:
            seqs = [scored.seq for scored, collection in page if collection.id == collection_id]
            for seq, chunk in (await self._store.chunks.by_seqs(collection_id, seqs)).items():
                chunks[collection_id, seq] = chunk
        documents = await self._store.documents.by_ids(list({c.document_id for c in chunks.values()}))
        hits = []
        for scored, collection in page:
            passage = chunks.get((collection.id, scored.seq))
            document = documents.get(passage.document_id) if passage else None
            if passage and document and document.status == "indexed":
                hits.append(Hit(scored.score, passage, document, collection))
        return tuple(hits)
