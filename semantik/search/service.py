"""A question in, hits out: embeds the question, asks each collection's index, and fetches the passages.

An index may know the old and the new passages of a document that has just been read anew. The document's record says
which are its own, and it changes in one step: so a search finds the one or the other, never both and never neither.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from semantik.auth.authorization import Authorizer
from semantik.config import settings
from semantik.core.errors import Invalid, SemantikError, Unavailable
from semantik.core.models import Chunk, Collection, Document, Filters, Generation, User
from semantik.index import Scored, VectorIndex
from semantik.search.index_sync import IndexSync
from semantik.search.query_embedder import QueryEmbedder
from semantik.storage.mongo import Store

_MAX_QUESTION = 10_000
_LOOKS = 5  # at the index, when what it gave was overtaken by a change


@dataclass(frozen=True)
class SearchQuery:
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
class _Candidates:
    """What the index of a generation gave: `whole` when it has no more."""

    collection: Collection
    scores: list[Scored]
    considered: int
    exhausted: bool


@dataclass(frozen=True)
class _Hydrated:
    """Chunks and documents behind some candidates, and whether some of them were overtaken by a change."""

    hits: tuple[Hit, ...]
    dropped: int
    stale: bool


@dataclass(frozen=True)
class SearchResult:
    """The best hits first, and how many passages were compared."""

    hits: tuple[Hit, ...]
    considered: int


class SearchService:
    """Answers questions on behalf of a user."""

    def __init__(
        self,
        store: Store,
        access: Authorizer,
        vectors: IndexSync,
        questions: QueryEmbedder,
        rules: settings.SearchSettings,
    ) -> None:
        self._store = store
        self._access = access
        self._vectors = vectors
        self._questions = questions
        self._rules = rules

    async def search(self, user: User, question: SearchQuery) -> SearchResult:
        """Raises Invalid, NotFound (a collection), or Unavailable (a store or the model is away)."""
        text = question.text.strip()
        if not text or len(text) > _MAX_QUESTION:
            raise Invalid(f"query must have 1 to {_MAX_QUESTION} characters.")
        if question.k + question.offset > self._rules.max_results:
            raise Invalid(f"offset + k may be {self._rules.max_results} at most.")
        ids = None if question.collection_ids is None else list(question.collection_ids)
        self._questions.prefetch(text)  # while MongoDB tells which collections there are
        wanted = depth = question.k + question.offset
        for look in range(_LOOKS):
            remembered = [] if look else self._remembered(user, ids)
            collections = remembered or await self._access.collections(user, ids)
            try:
                asked = (self._in_collection(each, text, question, depth) for each in collections)
                found = await asyncio.gather(*asked)
                ranked = sorted(
                    ((scored, each.collection) for each in found for scored in each.scores),
                    key=lambda pair: (-pair[0].score, pair[1].id, pair[0].seq),
                )[:depth]
                passages = await self._passages(ranked, remembered)
            except SemantikError:
                if not remembered or await self._access.collections(user, ids) == remembered:
                    raise
                continue  # it was of what they are no more
            enough = len(passages.hits) >= wanted or all(each.exhausted for each in found)
            if enough and not passages.stale:
                break
            depth = wanted + 2 * passages.dropped
        page = passages.hits[question.offset : question.offset + question.k]
        return SearchResult(page, sum(each.considered for each in found))

    def _remembered(self, user: User, ids: list[str] | None) -> list[Collection]:
        """The collections as they were, where that is likely to hold: what was dropped is not opened for it again."""
        found = self._access.cached(user, ids)
        return found if all(self._vectors.get_if_ready(each.current) for each in found) else []

    async def _in_collection(
        self, collection: Collection, text: str, question: SearchQuery, depth: int
    ) -> _Candidates:
        generation = collection.current
        index = self._vectors.get_if_ready(generation) or await self._index(generation)
        if index is None:
            return _Candidates(collection, [], 0, True)
        allowed = None
        if question.filters.any:
            allowed = await self._store.documents.spans(generation, question.filters)
        vector = await self._questions.embed(generation.model, generation.precision, text)
        scores = await index.search(vector, depth, allowed, question.threshold)
        considered = index.size if allowed is None else int(np.sum(allowed[:, 1] - allowed[:, 0]))
        return _Candidates(collection, scores, considered, len(scores) < depth)

    async def _index(self, generation: Generation) -> VectorIndex | None:
        try:
            async with asyncio.timeout(self._rules.timeout_s):
                return await self._vectors.get_synced(generation)
        except TimeoutError as error:
            # What was read so far stays in the index, so that the next search has less to wait for.
            raise Unavailable("The index is being rebuilt; please ask again shortly.", 5) from error

    async def _passages(
        self, candidates: Sequence[tuple[Scored, Collection]], remembered: Sequence[Collection]
    ) -> _Hydrated:
        wanted = [(collection.id, scored.seq) for scored, collection in candidates]
        passages, there = await self._store.search_reads.read(wanted, [each.id for each in remembered])
        if any(there.get(each.id) != each for each in remembered):
            return _Hydrated((), 0, True)
        for collection in {collection.id: collection for _, collection in candidates}.values():
            gone = [seq for key, seq in wanted if key == collection.id and (key, seq) not in passages]
            # A chunk is in MongoDB before any index has it: what is not there any more was removed, perhaps by another
            # server.
            await self._vectors.delete(collection.current, [(seq, seq + 1) for seq in gone])
        hits, overtaken = [], False
        for scored, collection in candidates:
            chunk, document = passages.get((collection.id, scored.seq), (None, None))
            if chunk and document and document.holds(scored.seq):
                hits.append(Hit(scored.score, chunk, document, collection))
            elif document is None or document.first_seq > scored.seq:
                overtaken = True  # its document has newer passages, or is gone
        return _Hydrated(tuple(hits), len(candidates) - len(hits), overtaken)
