"""Hydrate, the third step of a search: candidates become hits, with their chunks and documents from MongoDB.

An index may hold the old and the new chunks of a document that was just read again. The document's record says which
are its own, and it changes atomically: a search finds the old ones or the new ones, never both and never neither.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from semantik.core.models import Chunk, Collection, Document
from semantik.search.fusion import Candidate
from semantik.search.index_sync import IndexSync
from semantik.storage.mongo import Store


@dataclass(frozen=True)
class Hit:
    """A chunk that matches; `score` is the true cosine between the query's vector and the chunk's."""

    score: float
    chunk: Chunk
    document: Document
    collection: Collection


@dataclass(frozen=True)
class Hydrated:
    """The hits among some candidates, and how many candidates were `dropped`.

    It is `stale` when a collection or a document has changed since the candidates were retrieved: search again.
    """

    hits: tuple[Hit, ...]
    dropped: int
    stale: bool


class HydrationStep:
    """Reads candidates from MongoDB, and deletes from the indexes those that are gone."""

    def __init__(self, store: Store, indexes: IndexSync) -> None:
        self._store = store
        self._indexes = indexes

    async def hydrate(self, candidates: Sequence[Candidate], cached: Sequence[Collection]) -> Hydrated:
        """Candidates keep their order. `cached` are the collections that were not read for this search.

        Raises Unavailable when MongoDB does not answer.
        """
        keys = [(collection.id, scored.seq) for scored, collection in candidates]
        found, current = await self._store.search_reads.read(keys, [each.id for each in cached])
        if any(current.get(each.id) != each for each in cached):
            return Hydrated((), 0, True)
        for collection in {collection.id: collection for _, collection in candidates}.values():
            gone = [seq for key, seq in keys if key == collection.id and (key, seq) not in found]
            # A chunk is in MongoDB before any index has it: one that is missing was removed, perhaps by another
            # server.
            await self._indexes.delete(collection.current, [(seq, seq + 1) for seq in gone])
        hits, stale = [], False
        for scored, collection in candidates:
            chunk, document = found.get((collection.id, scored.seq), (None, None))
            if chunk and document and document.has_chunk(scored.seq):
                hits.append(Hit(scored.score, chunk, document, collection))
            elif document is None or document.first_seq > scored.seq:
                stale = True  # the document has newer chunks, or is gone
        return Hydrated(tuple(hits), len(candidates) - len(hits), stale)
