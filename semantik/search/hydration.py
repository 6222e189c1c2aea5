"""Hydrate, the third step of a search: candidates become hits, with their chunks and documents from MongoDB.

An index may hold the old and the new chunks of a document that was just read again, for as long as the server that
reads it takes to delete the old ones. The document's record says which are its own, and it changes atomically: a search
finds the old ones or the new ones, never both and never neither.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from semantik.core.errors import Unavailable
from semantik.core.models import Collection
from semantik.search.fusion import Candidate
from semantik.search.hits import Hit, Scores
from semantik.search.index_sync import IndexSync
from semantik.storage.mongo import Store

log = logging.getLogger(__name__)


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
        keys = [(each.collection.id, each.seq) for each in candidates]
        found, current = await self._store.search_reads.read(keys, [each.id for each in cached])
        if any(current.get(each.id) != each for each in cached):
            return Hydrated((), 0, True)
        for collection in {each.collection.id: each.collection for each in candidates}.values():
            gone = [seq for key, seq in keys if key == collection.id and (key, seq) not in found]
            # A chunk is in MongoDB before any index has it: one that is missing was removed, perhaps by another
            # server.
            if gone:
                await self._drop(collection, gone)
        hits, stale = [], False
        for each in candidates:
            chunk, document = found.get((each.collection.id, each.seq), (None, None))
            if chunk and document and document.has_chunk(each.seq):
                scores = Scores(each.meaning, each.words, each.fused)
                hits.append(Hit(chunk, document, each.collection, scores))
            elif document is None or document.first_seq > each.collection.current.last_seq:
                # The document is gone, or has chunks that its index did not need to have when it was asked. Other newer
                # chunks were there to be found beside this one, which is only dropped: it is deleted soon.
                stale = True
        return Hydrated(tuple(hits), len(candidates) - len(hits), stale)

    async def _drop(self, collection: Collection, gone: Sequence[int]) -> None:
        """Delete chunks from the indexes; where that cannot be done now, a later search that finds them does it."""
        try:
            await self._indexes.delete(collection.current, [(seq, seq + 1) for seq in gone])
        except Unavailable as error:
            log.info("collection %s: chunks that are gone are deleted later: %s", collection.id, error)
