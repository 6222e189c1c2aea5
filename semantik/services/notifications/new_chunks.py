"""Which chunks of a generation are new since a seq: those whose text was not indexed before. Runs on the loop.

A document that was read again has all its chunks under new seqs, but each remembers the seq that its text had first;
and a document that a REINDEX has made remembers where its content was first.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from semantik.core.models import Document, Generation
from semantik.index import ranges
from semantik.index.ranges import Ranges
from semantik.storage.mongo import Store


@dataclass(frozen=True)
class NewChunks:
    """The seqs, and for each the one that its text had first: the same, if it has not stood there before."""

    seqs: Ranges
    origins: dict[int, int] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.origins)


class NewChunkReader:
    """Reads each span once: many searches stand at the same place. Made anew for each round."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[tuple[str, int, int, int], NewChunks] = {}

    async def read(self, generation: Generation, after: int, last: int) -> NewChunks:
        """Those among the chunks `after` < seq <= `last`. Raises Unavailable."""
        key = (generation.collection_id, generation.number, after, last)
        if key not in self._known:
            self._known[key] = await self._read(generation, after, last)
        return self._known[key]

    async def _read(self, generation: Generation, after: int, last: int) -> NewChunks:
        origins: dict[int, int] = {}
        async for page in self._store.chunks.origins(generation, after, last):
            ids = sorted({document_id for _, document_id, _ in page})
            documents = await self._store.documents.by_ids(ids)
            for seq, document_id, origin in page:
                document = documents.get(document_id)
                if document is not None and origin > after and _is_new(document, seq, after):
                    origins[seq] = origin
        seqs = np.fromiter(sorted(origins), np.int64, len(origins))
        return NewChunks(ranges.from_seqs(seqs), origins)


def _is_new(document: Document, seq: int, after: int) -> bool:
    if not document.has_chunk(seq):
        return False
    first = document.origin_seq
    return first is None or first == document.first_seq or first > after
