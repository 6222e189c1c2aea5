"""More like a chunk: those whose vectors are nearest to its own. Runs on the loop."""

from __future__ import annotations

from semantik.auth.authorization import Authorizer
from semantik.auth.principal import Principal
from semantik.core.errors import NotFound, Unavailable
from semantik.search.fusion import Candidate
from semantik.search.grouping import arrange
from semantik.search.hits import Hit, Scores, SearchResult
from semantik.search.hydration import HydrationStep
from semantik.search.index_sync import IndexSync
from semantik.search.query import GroupBy, SearchQuery
from semantik.storage.mongo import Store

_MAX_ATTEMPTS = 5  # when a document changed meanwhile


class SimilarChunks:
    """Finds what is like a chunk of a document that a user may read."""

    def __init__(self, store: Store, authorizer: Authorizer, indexes: IndexSync) -> None:
        self._store = store
        self._authorizer = authorizer
        self._indexes = indexes
        self._hydration = HydrationStep(store, indexes)

    async def find(
        self,
        principal: Principal,
        collection_id: str,
        document_id: str,
        seq: int,
        k: int,
        offset: int,
        group_by: GroupBy,
    ) -> SearchResult:
        """The nearest chunks of the collection, without the chunk itself and its copies.

        Grouped by document, the chunk's own document is left out, too. Raises NotFound, Unavailable.
        """
        for _ in range(_MAX_ATTEMPTS):
            collection = await self._authorizer.collection(principal, collection_id)
            document = await self._authorizer.document(principal, collection_id, document_id)
            stored = await self._store.chunks.with_vector(collection.current, seq)
            if stored is None or not document.has_chunk(seq) or stored[0].document_id != document.id:
                raise NotFound(f"There is no chunk {seq} in this document.")
            own = Hit(stored[0], document, collection, Scores(1.0, None, 1.0))
            vectors = await self._indexes.get_synced_vectors(collection.current)
            if vectors is None:
                raise NotFound(f"There is no chunk {seq} in this document.")
            wanted, depth = offset + k, offset + k + 1
            while True:
                near = await vectors.nearest(stored[1], depth)
                hydrated = await self._hydration.hydrate(
                    [
                        Candidate(each.seq, collection, each.score, None, each.score)
                        for each in near
                        if each.seq != seq
                    ],
                    [],
                )
                hits = arrange([own, *hydrated.hits], SearchQuery("", group_by=group_by))[1:]
                if hydrated.stale or len(hits) >= wanted or len(near) < depth:
                    break
                depth *= 2
            if not hydrated.stale:
                return SearchResult(tuple(hits[offset:wanted]), vectors.size, "meaning")
        raise Unavailable("The collection is changing; please ask again shortly.")
