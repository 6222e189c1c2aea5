"""What a search answers: hits, and the result that holds them. Plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from semantik.core.models import Chunk, Collection, Document
from semantik.search.query import Facet, Mode

Relevance = Literal[
    "strong",  # clearly better than what a query that has nothing to do with the collection finds
    "fair",  # better than most of that
    "weak",  # no better than chance
]
CharacterRange = tuple[int, int]
"""[start, end) in the characters of a chunk's text."""


@dataclass(frozen=True, slots=True)
class Scores:
    """`meaning` is the cosine between the query's vector and the chunk's, in [-1, 1]; `words` the BM25 score of the
    query's words in the chunk, from 0. None where the search did not ask for them, or could not. `fused` is the order
    of the hits, in [0, 1]: see docs/explanation/ranking.md. `rerank` is the cross-encoder's number, whose range depends
    on the model; hits that have one come first, in its order."""

    meaning: float | None
    words: float | None
    fused: float
    rerank: float | None = None


@dataclass(frozen=True)
class Copy:
    """Another chunk with nearly the same text, which is not a hit of its own."""

    document: Document
    collection: Collection
    chunk: Chunk


@dataclass(frozen=True)
class Hit:
    """A chunk that matches.

    `matched` are the words of the query that were found in it, and `highlights` where; `best_sentence` is the sentence
    that fits the query best, None where that is all of the chunk. `more` are further chunks of the same document, where
    the result is grouped by document; `also_in` are copies.
    """

    chunk: Chunk
    document: Document
    collection: Collection
    scores: Scores
    relevance: Relevance | None = None
    matched: tuple[str, ...] = ()
    highlights: tuple[CharacterRange, ...] = ()
    best_sentence: CharacterRange | None = None
    also_in: tuple[Copy, ...] = ()
    more: tuple[Hit, ...] = ()


@dataclass(frozen=True)
class Correction:
    """A word of the query that no collection holds, and the word that was searched for instead."""

    word: str
    instead: str


@dataclass(frozen=True)
class FacetCounts:
    """`values`: (value, number of documents), most first. `missing` documents have none, `others` values follow."""

    values: tuple[tuple[str, int], ...]
    missing: int
    others: int


@dataclass(frozen=True)
class Matched:
    """The matched set: so many `documents`, unless it is not `complete`, because more chunks match than are counted."""

    documents: int
    complete: bool


@dataclass(frozen=True)
class SearchResult:
    """One page of hits, best first, and the number of chunks that were compared.

    `mode` is how they were found: hybrid becomes meaning or words where the other is not at hand. `degraded` then says
    why, for a person; it also says where a required phrase was searched for by its words. `relevance` is that of the
    best of all hits; None without hits. `facets` and `matched` are of all hits, where facets were asked for.
    """

    hits: tuple[Hit, ...]
    considered: int
    mode: Mode = "hybrid"
    degraded: str | None = None
    relevance: Relevance | None = None
    corrections: tuple[Correction, ...] = ()
    facets: Mapping[Facet, FacetCounts] | None = None
    matched: Matched | None = None
