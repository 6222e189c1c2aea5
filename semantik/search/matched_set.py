"""The matched set of a search: its best chunks up to a limit, and the documents that they are of.

What pages of the result show comes from it, so facets count it, and a sorted result orders it. Of a query that only has
filters it is all documents that satisfy them, without a limit. Runs on the loop; counting and sorting run in threads.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semantik.core.models import Collection
from semantik.query import DocumentColumns, matching
from semantik.query.folding import path_key, words_key
from semantik.search.candidates import Retrieved, Side
from semantik.search.document_catalog import CatalogDocuments, DocumentCatalog
from semantik.search.facets import Part, count_facets
from semantik.search.fusion import Candidate, fuse
from semantik.search.hits import FacetCounts, Matched
from semantik.search.prepared import PreparedQuery
from semantik.search.query import Facet, SearchQuery, SortBy
from semantik.search.retrieval import RetrievalStep, depths


@dataclass(frozen=True)
class MatchedSet:
    """`candidates`, best first, each of the document with the number in `numbers` of its collection in `documents`.

    Unless it is `complete`, more chunks match. `retrieved` is what they come from.
    """

    candidates: tuple[Candidate, ...]
    numbers: NDArray[np.int64]
    documents: dict[str, CatalogDocuments]
    collections: Sequence[Collection]
    complete: bool
    retrieved: Sequence[Retrieved]

    @property
    def matched(self) -> Matched:
        return Matched(sum(len(numbers) for _, _, numbers in self._parts()), self.complete)

    def facets(self, names: Sequence[Facet], most: int) -> dict[Facet, FacetCounts]:
        return count_facets(self._parts(), names, most)

    def sorted_by(self, sort: SortBy, descending: bool) -> tuple[Candidate, ...]:
        """The candidates, document by document: by what is known of it, where nothing is last; equal ones by their
        paths. The chunks of a document are in the order of their scores."""
        keys: dict[str, Callable[[int], Any]] = {
            key: _sort_key(sort, each.columns) for key, each in self.documents.items()
        }
        known: dict[tuple[str, int], tuple[Any, ...]] = {}
        for candidate, number in zip(self.candidates, self.numbers.tolist(), strict=True):
            place = candidate.collection.id, number
            if number >= 0 and place not in known:
                path = path_key(self.documents[place[0]].columns.paths[number])
                known[place] = keys[place[0]](number), path
        present = [place for place, (value, _) in known.items() if value not in (None, "")]
        present.sort(key=lambda place: known[place][1])
        present.sort(key=lambda place: known[place][0], reverse=descending)
        absent = sorted(known.keys() - set(present), key=lambda place: known[place][1])
        ranks = {place: rank for rank, place in enumerate([*present, *absent])}
        ordered = sorted(
            (ranks[place], at)
            for at, number in enumerate(self.numbers.tolist())
            if (place := (self.candidates[at].collection.id, number)) in ranks
        )
        return tuple(self.candidates[at] for _, at in ordered)

    def _parts(self) -> list[Part]:
        of = np.array([each.collection.id for each in self.candidates])
        parts: list[Part] = []
        for collection in self.collections:
            numbers = np.unique(self.numbers[of == collection.id]) if len(of) else np.empty(0, np.int64)
            chosen = numbers[numbers >= 0].tolist()
            if chosen:
                parts.append((collection.name, self.documents[collection.id].columns, chosen))
        return parts


class MatchedSets:
    """Finds the matched sets of searches; `limit()` is the most chunks that one has."""

    def __init__(self, retrieval: RetrievalStep, catalog: DocumentCatalog, limit: Callable[[], int]) -> None:
        self._retrieval = retrieval
        self._catalog = catalog
        self._limit = limit

    async def find(
        self, collections: Sequence[Collection], query: SearchQuery, prepared: PreparedQuery
    ) -> MatchedSet:
        """Raises Unavailable, as `RetrievalStep.retrieve`."""
        documents = {each.id: await self._catalog.documents(each) for each in collections}
        candidates: Sequence[Candidate]
        if prepared.parsed.only_filters:
            candidates, complete = await self._listed(collections, documents, query), True
            retrieved = [Retrieved(each, None, Side({}, 1.0, None)) for each in collections]
            retrieved[:1] = [replace(each, considered=len(candidates)) for each in retrieved[:1]]
        else:
            candidates, complete, retrieved = await self._best(collections, query, prepared)
        numbers = np.full(len(candidates), -1, np.int64)
        for collection in collections:
            places = [at for at, each in enumerate(candidates) if each.collection.id == collection.id]
            if places:
                seqs = [candidates[at].seq for at in places]
                numbers[places] = documents[collection.id].numbers_of(seqs)
        return MatchedSet(tuple(candidates), numbers, documents, collections, complete, retrieved)

    async def _listed(
        self, collections: Sequence[Collection], documents: dict[str, CatalogDocuments], query: SearchQuery
    ) -> list[Candidate]:
        """The first chunk of each document that satisfies the filters."""
        found: list[Candidate] = []
        for collection in collections:
            each = documents[collection.id]
            numbers = await asyncio.to_thread(matching, each.columns, query.filters)
            seqs = each.spans[list(numbers), 0].tolist()
            found += [Candidate(seq, collection, None, 1.0, 1.0) for seq in seqs]
        return found

    async def _best(
        self, collections: Sequence[Collection], query: SearchQuery, prepared: PreparedQuery
    ) -> tuple[Sequence[Candidate], bool, list[Retrieved]]:
        """The candidates that pages of the result would show, up to the limit."""
        wanted = self._limit() + 1  # whether there are more
        depth, words_depth = depths(wanted, query.mode)
        retrieved = await self._retrieval.retrieve(collections, query, prepared, depth, wanted, words_depth)
        while True:
            candidates = fuse(retrieved, query.mode, wanted)
            if len(candidates) >= wanted or all(each.exhausted for each in retrieved):
                break
            depth *= 4
            words_depth = max(words_depth, depth)
            retrieved = await self._retrieval.retrieve(
                collections, query, prepared, depth, wanted, words_depth, retrieved
            )
        return candidates[: wanted - 1], len(candidates) < wanted, retrieved


def _sort_key(sort: SortBy, columns: DocumentColumns) -> Callable[[int], Any]:
    if sort == "title":
        return lambda number: words_key(columns.titles[number])
    if sort == "author":
        return lambda number: words_key(names[0]) if (names := columns.authors[number]) else None
    if sort == "tag":
        return lambda number: min(columns.tag_keys[number], default=None)
    if sort == "language":
        return lambda number: columns.languages[number]
    if sort == "type":
        return lambda number: columns.mimes[number]
    if sort == "date":
        return lambda number: (columns.days[number], columns.modified_ns[number])
    return lambda number: path_key(columns.paths[number])
