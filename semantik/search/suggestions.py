"""Completes what a user types: titles, headings and words of the collections that the user may read. Runs on the loop.

Each suggestion is checked against MongoDB before it is shown: at least one chunk of a document that exists has it.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Literal

import regex

from semantik.analysis.folding import folded
from semantik.auth.authorization import Authorizer, access_of
from semantik.auth.principal import Principal
from semantik.core.models import Collection, Document
from semantik.core.normalization import normalized
from semantik.index.keyword import KeywordIndex
from semantik.index.keyword.schema import HEADINGS, WORDS
from semantik.index.keyword.texts import heading_term
from semantik.query.folding import words_key
from semantik.search.completions import CompletionCache
from semantik.search.index_sync import IndexSync
from semantik.search.spelling_choice import as_typed
from semantik.storage.mongo import Store

SuggestionKind = Literal["title", "heading", "word"]
ChunkKey = tuple[str, int]

_WORDS_WAIT_S = 0.2  # the first call reads a vocabulary
_EXAMPLES = 2
_LAST_WORD = regex.compile(r"[\p{L}\p{M}\p{N}]+\Z")


@dataclass(frozen=True)
class Suggestion:
    """What the query might become. `document` is the newest one with this title; None for other kinds."""

    text: str
    kind: SuggestionKind
    document: Document | None = None


@dataclass(frozen=True)
class _Candidate:
    """A suggestion, and chunks of which one has to exist."""

    text: str
    kind: SuggestionKind
    chunks: tuple[ChunkKey, ...]


class SuggestionService:
    """Completes queries."""

    def __init__(self, store: Store, authorizer: Authorizer, indexes: IndexSync) -> None:
        self._store = store
        self._authorizer = authorizer
        self._indexes = indexes
        self._cache = CompletionCache(store, indexes)

    async def close(self) -> None:
        await self._cache.close()

    async def suggest(
        self, principal: Principal, typed: str, collection_ids: Sequence[str] | None, limit: int
    ) -> list[Suggestion]:
        """The best completions: titles, headings and words in turn, none twice.

        Raises NotFound (a collection), Unavailable (a store does not answer).
        """
        ids = None if collection_ids is None else list(collection_ids)
        cached = self._authorizer.cached(principal, ids)
        collections = [
            each
            for each in cached or await self._authorizer.collections(principal, ids)
            if each.current.dimension is not None
        ]
        found = await asyncio.gather(
            self._titles_and_headings(collections, typed, limit), self._words(collections, typed, limit)
        )
        candidates = [each for kind in (*found[0], found[1]) for each in kind]
        keys = [key for each in candidates for key in each.chunks]
        rows, current = await self._store.search_reads.read(keys, [each.id for each in collections])
        readable = {key for key, each in current.items() if access_of(principal, each)}
        existing: dict[ChunkKey, Document] = {
            key: document
            for key, (_, document) in rows.items()
            if document is not None and key[0] in readable and document.has_chunk(key[1])
        }
        shown = [_shown(kind, existing, limit) for kind in (*found[0], found[1])]
        return _unique((each for row in zip_longest(*shown) for each in row if each is not None), limit)

    async def _titles_and_headings(
        self, collections: Sequence[Collection], typed: str, limit: int
    ) -> tuple[list[_Candidate], list[_Candidate]]:
        titles, headings = [], []
        for collection in collections:
            known = await self._cache.get(collection)
            if known is None:
                continue
            titles += [
                _Candidate(known.titles.texts[number], "title", ((collection.id, known.title_seqs[number]),))
                for number in known.titles.complete(typed, limit)
            ]
            below = [known.headings.texts[number] for number in known.headings.complete(typed, limit)]
            index = self._indexes.words_if_ready(collection.current)
            if below and index is not None:
                terms = [(HEADINGS, heading_term(heading)) for heading in below]
                seqs = await index.examples(terms, _EXAMPLES)
                headings += [
                    _Candidate(heading, "heading", tuple((collection.id, seq) for seq in each))
                    for heading, each in zip(below, seqs, strict=True)
                ]
        return titles, headings

    async def _words(self, collections: Sequence[Collection], typed: str, limit: int) -> list[_Candidate]:
        """Completions of the last word that is typed."""
        last = _LAST_WORD.search(typed)
        if last is None:
            return []
        prefix = folded(normalized(last[0]))
        frequencies: Counter[str] = Counter()
        homes: dict[str, tuple[Collection, KeywordIndex]] = {}
        for collection in collections:
            if (index := self._indexes.words_if_ready(collection.current)) is not None:
                for word, frequency in await _complete(index, prefix, limit + 1):
                    frequencies[word] += frequency
                    homes[word] = collection, index
        del frequencies[prefix]  # it is complete
        best = sorted(frequencies, key=lambda word: (-frequencies[word], word))[:limit]
        seqs: dict[str, tuple[ChunkKey, ...]] = {}
        for collection, index in {
            id(index): (collection, index) for collection, index in homes.values()
        }.values():
            here = [word for word in best if homes[word][1] is index]
            found = await index.examples([(WORDS, word) for word in here], 1)
            seqs |= {
                word: tuple((collection.id, seq) for seq in each)
                for word, each in zip(here, found, strict=True)
            }
        before = typed[: last.start()]
        return [_Candidate(before + as_typed(word, last[0]), "word", seqs[word]) for word in best]


async def _complete(index: KeywordIndex, prefix: str, limit: int) -> list[tuple[str, int]]:
    try:
        async with asyncio.timeout(_WORDS_WAIT_S):
            return await index.complete(prefix, limit)
    except TimeoutError:
        return []  # the next key finds it


def _shown(
    candidates: Iterable[_Candidate], existing: dict[ChunkKey, Document], limit: int
) -> list[Suggestion]:
    found = []
    for each in candidates:
        document = next((existing[key] for key in each.chunks if key in existing), None)
        if document is not None:
            found.append(Suggestion(each.text, each.kind, document if each.kind == "title" else None))
    return found[:limit]


def _unique(suggestions: Iterable[Suggestion], limit: int) -> list[Suggestion]:
    found: dict[str, Suggestion] = {}
    for each in suggestions:
        found.setdefault(words_key(each.text), each)
    return list(found.values())[:limit]
