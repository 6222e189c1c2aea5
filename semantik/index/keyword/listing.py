"""Which words and headings an index has, and chunks that have them. Runs in threads.

Frequencies count chunks that were deleted since the last merge, too; examples never do.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from tantivy import Occur, Query

from semantik.analysis import QueryWord
from semantik.index import ranges
from semantik.index.keyword import filters
from semantik.index.keyword.schema import HEADINGS, SCHEMA, SEQ, TITLES, WORDS
from semantik.index.keyword.searching import KeywordSnapshot
from semantik.index.keyword.texts import heading_of
from semantik.index.keyword.vocabulary import Vocabulary, has_script

_FEW = 1000  # chunks, of which all are looked at
_EXPECTED = 64  # chunks that are looked at of more; some of them may be deleted


def known(snapshot: KeywordSnapshot, words: Sequence[QueryWord]) -> list[bool]:
    """Whether each word is found under any of its terms, in a text, a title or a heading."""
    return [
        any(snapshot.frequency(field, term.term) for term in word.terms for field in (term.field, TITLES))
        for word in words
    ]


def headings(snapshot: KeywordSnapshot, limit: int) -> list[tuple[str, int]]:
    """The most frequent headings of the chunks, each with the number of chunks right below it."""
    found = snapshot.searcher.terms_with_prefix(HEADINGS, "", limit=limit)
    return [(heading_of(term), count) for term, count in found]


def examples(snapshot: KeywordSnapshot, terms: Sequence[tuple[str, str]], count: int) -> list[list[int]]:
    """For each (field, term) the seqs of `count` chunks that have it; fewer where there are no more."""
    return [_examples(snapshot, field, term, count) for field, term in terms]


def _examples(snapshot: KeywordSnapshot, field: str, term: str, count: int) -> list[int]:
    query = Query.term_query(SCHEMA, field, term, "basic")
    frequency = snapshot.frequency(field, term)
    # To rank all chunks that have a frequent word takes milliseconds: it is looked for among the newest chunks first.
    window = snapshot.last_seq + 1
    if frequency > _FEW:
        window = max(_EXPECTED, _EXPECTED * window // frequency)
    while True:
        newest = np.array([[max(0, snapshot.last_seq + 1 - window), snapshot.last_seq + 1]], np.int64)
        whole = newest[0, 0] == 0
        within = (
            query if whole else Query.boolean_query([(Occur.Must, query), (Occur.Must, filters.near(newest))])
        )
        found = _seqs(snapshot, within, _EXPECTED)
        live = found[~ranges.is_within(found, snapshot.dead)][:count]
        if len(live) or (whole and len(found) < _EXPECTED):
            return [int(seq) for seq in live]
        if whole:
            return _all_live(snapshot, query, count)
        window *= 8


def _all_live(snapshot: KeywordSnapshot, query: Query, count: int) -> list[int]:
    dead = filters.exactly(ranges.intersection(snapshot.dead, snapshot.all_seqs))
    without = [(Occur.MustNot, each) for each in dead]
    return [int(seq) for seq in _seqs(snapshot, Query.boolean_query([(Occur.Must, query), *without]), count)]


def _seqs(snapshot: KeywordSnapshot, query: Query, limit: int) -> NDArray[np.int64]:
    hits = snapshot.searcher.search(query, limit, count=False).hits
    return np.array(snapshot.searcher.fast_field_values(SEQ, [address for _, address in hits]), np.int64)


def complete(snapshot: KeywordSnapshot, prefix: str, limit: int) -> list[tuple[str, int]]:
    """The most frequent words that begin with `prefix`, each with its frequency."""
    found = snapshot.searcher.terms_with_prefix(WORDS, prefix)
    return sorted(found, key=lambda pair: (-pair[1], pair[0]))[:limit]


def expand(snapshot: KeywordSnapshot, known: Vocabulary | None, prefix: str, limit: int) -> list[str]:
    """The most frequent words that begin with `prefix`; of a script without spaces from the vocabulary."""
    if known is not None and has_script(prefix):
        return [word for word, _ in known.complete(prefix, limit)]
    return [word for word, _ in complete(snapshot, prefix, limit)]
