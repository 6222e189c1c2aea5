"""Percolation: which of many queries match new chunks strongly. A search turned around; runs on the loop.

    new chunks -> words of all queries in them, cosines to all queries      (threads; no index is asked)
               -> those that may be strong: exact cosine, conditions, words (the indexes, and the code of any search)

The work grows with the chunks: a query costs an index nothing until a chunk may match it. A match is strong where
`POST /search` in this collection alone, with the same filters, marks the hit as strong: by the same function, from the
same cosine and words, on a background that is at most 2 % of the collection older (see `calibration.py`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semantik.core.errors import SemantikError
from semantik.core.models import Collection, Filters
from semantik.index import RetrievalQuery
from semantik.query import matching
from semantik.search.calibration import Calibration, Calibrations, PreparedStanding, prepare_standing
from semantik.search.collection_search import Opened
from semantik.search.highlights import found_share
from semantik.search.percolation import NewChunks, StandingQuery, StrongMatch
from semantik.search.percolation_words import WordTable
from semantik.search.prepared import chosen
from semantik.search.relevance import STRONG
from semantik.search.retrieval import RetrievalStep

_TOGETHER = 64  # queries that are measured at a time, and texts that a thread looks at before others may
_ROUNDING = 1e-4  # of cosines in single precision: what may be strong is computed exactly

Found = list[StrongMatch] | SemantikError
"""The strong matches of a query, or why it cannot be answered now."""


@dataclass(frozen=True)
class _Candidates:
    """Chunks, by their numbers, that may match the query of this number strongly."""

    query: int
    chunks: NDArray[np.int64]


class Percolator:
    """`find` may be called for several collections at a time."""

    def __init__(self, retrieval: RetrievalStep) -> None:
        self._retrieval = retrieval
        self._calibrations = Calibrations(retrieval)
        self._table: tuple[tuple[StandingQuery, ...], WordTable] | None = None

    async def find(
        self, collection: Collection, queries: Sequence[StandingQuery], new: NewChunks
    ) -> list[Found]:
        """For each query its strong matches among new chunks of the collection's current generation, in no order.

        Raises Unavailable while the collection's vectors cannot be read.
        """
        standing = [prepare_standing(each) for each in queries]
        found: list[Found] = [[] for _ in queries]
        asked = [
            number
            for number, each in enumerate(standing)
            if chosen([collection], each.prepared.parsed.filters)
        ]
        allowed = await asyncio.to_thread(_allowed, new, {standing[number].filters for number in asked})
        ranked = []
        for number in asked:
            if standing[number].prepared.parsed.only_filters:
                found[number] = _first_chunks(new, allowed[standing[number].filters])
            else:
                ranked.append(number)
        opened = await self._retrieval.open(collection.current) if ranked else None
        if opened is None:
            return found
        measured = await self._measure([standing[number] for number in ranked], collection, opened)
        ready: list[tuple[int, Calibration]] = []
        for number, each in zip(ranked, measured, strict=True):
            if isinstance(each, SemantikError):
                found[number] = each
            elif each.can_match:
                ready.append((number, each))
        calibrations = [each for _, each in ready]
        for candidates in await self._candidates(calibrations, new, allowed):
            number, calibration = ready[candidates.query]
            try:
                found[number] = await _judge(calibration, opened, new, candidates.chunks)
            except SemantikError as error:
                found[number] = error
        return found

    async def _measure(
        self, standing: Sequence[PreparedStanding], collection: Collection, opened: Opened
    ) -> list[Calibration | SemantikError]:
        """The calibrations; queries whose vectors are not known are embedded together."""
        found: list[Calibration | SemantikError] = []
        for at in range(0, len(standing), _TOGETHER):
            wanted = [
                self._calibrations.of(each, collection, opened) for each in standing[at : at + _TOGETHER]
            ]
            for outcome in await asyncio.gather(*wanted, return_exceptions=True):
                if isinstance(outcome, BaseException) and not isinstance(outcome, SemantikError):
                    raise outcome
                found.append(outcome)
        return found

    async def _candidates(
        self,
        calibrations: Sequence[Calibration],
        new: NewChunks,
        allowed: dict[Filters, NDArray[np.bool_]],
    ) -> list[_Candidates]:
        if not calibrations:
            return []
        table = await asyncio.to_thread(self._word_table, calibrations)
        weights = np.array([weight for each in calibrations for weight in each.weights()], np.float64)
        shares = []
        for at in range(0, len(new), _TOGETHER):
            texts = [chunk.text for chunk in new.chunks[at : at + _TOGETHER]]
            shares.append(await asyncio.to_thread(table.shares, texts, weights))
        masks = [allowed[each.standing.filters] for each in calibrations]
        return await asyncio.to_thread(_may_be_strong, calibrations, new, np.concatenate(shares), masks)

    def _word_table(self, calibrations: Sequence[Calibration]) -> WordTable:
        """The table of the last queries is kept: as a rule they are the next ones, too."""
        key = tuple(each.standing.query for each in calibrations)
        known = self._table
        if known is None or known[0] != key:
            known = self._table = (key, WordTable([each.standing.prepared.words for each in calibrations]))
        return known[1]


def _allowed(new: NewChunks, wanted: set[Filters]) -> dict[Filters, NDArray[np.bool_]]:
    """Which chunks are of documents that satisfy each of the filters: masks (n,)."""
    masks = {}
    for filters in wanted:
        documents = np.zeros(len(new.documents), np.bool_)
        documents[list(matching(new.columns, filters))] = True
        masks[filters] = documents[new.owners]
    return masks


def _first_chunks(new: NewChunks, allowed: NDArray[np.bool_]) -> list[StrongMatch]:
    """Each new document that filters select, by its first chunk."""
    return [
        StrongMatch(chunk, document, None, 0.0)
        for number, chunk in enumerate(new.chunks)
        if allowed[number] and (document := new.document_of(number)).first_seq == chunk.seq
    ]


def _may_be_strong(
    calibrations: Sequence[Calibration],
    new: NewChunks,
    shares: NDArray[np.float32],
    allowed: Sequence[NDArray[np.bool_]],
) -> list[_Candidates]:
    """The chunks whose evidence, from rounded cosines and with all words of phrases, is enough."""
    vectors = new.vectors.astype(np.float32)
    with np.errstate(invalid="ignore", divide="ignore"):
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    found = []
    for query, each in enumerate(calibrations):
        cosines = None
        if each.vector is not None:
            cosines = np.vecdot(vectors, each.vector)  # not np.dot: BLAS would start threads
            each.best = max(each.best, float(np.nanmax(cosines, where=allowed[query], initial=-1.0)))
        evidence = each.evidence(cosines, shares[:, query])
        chunks = np.flatnonzero(allowed[query] & (evidence >= STRONG - _ROUNDING))
        if len(chunks):
            found.append(_Candidates(query, chunks))
    return found


async def _judge(
    calibration: Calibration, opened: Opened, new: NewChunks, candidates: NDArray[np.int64]
) -> list[StrongMatch]:
    """The candidates that a search would find, and mark as strong."""
    standing, vector = calibration.standing, calibration.vector
    parsed = standing.prepared.parsed
    seqs = [new.chunks[number].seq for number in candidates]
    cosines: dict[int, float] = {}

    async def known_vector() -> NDArray[np.float32]:
        assert vector is not None
        return vector

    request = RetrievalQuery(parsed.plain, known_vector, parsed, standing.prepared.languages)
    if vector is not None:
        cosines = await opened.vectors.scores(request, seqs)
        seqs = [seq for seq in seqs if seq in cosines]
    if opened.words is not None and (standing.restricts or vector is None):
        scores = await opened.words.scores(request, seqs)  # of those that meet the query's conditions
        seqs = [seq for seq in seqs if seq in scores and (vector is not None or scores[seq] > 0)]
    left = set(seqs)
    rows = [int(number) for number in candidates if new.chunks[number].seq in left]
    return await asyncio.to_thread(_strong, calibration, new, rows, cosines)


def _strong(
    calibration: Calibration, new: NewChunks, rows: Sequence[int], cosines: dict[int, float]
) -> list[StrongMatch]:
    found, matcher = [], calibration.matcher()
    for number in rows:
        chunk = new.chunks[number]
        meaning = cosines.get(chunk.seq)
        words = {match.number for match in matcher.find(chunk.text)}
        evidence = calibration.evidence(meaning, found_share(words, matcher))
        if evidence >= STRONG:
            found.append(StrongMatch(chunk, new.document_of(number), meaning, evidence))
    return found
