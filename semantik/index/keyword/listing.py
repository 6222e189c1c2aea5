"""Which words and headings an index has, and chunks that have them. Runs in threads.

Frequencies count chunks that were deleted since the last merge, too; examples never do.
"""

from __future__ import annotations

from collections.abc import Sequence

from tantivy import Occur, Query

from semantik.analysis import QueryWord
from semantik.index import ranges
from semantik.index.keyword import filters
from semantik.index.keyword.schema import HEADINGS, SCHEMA, SEQ, TITLES
from semantik.index.keyword.searching import KeywordSnapshot
from semantik.index.keyword.texts import heading_of


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
    """For each (field, term) the seqs of the newest `count` chunks that have it; fewer where there are no more."""
    dead = filters.exactly(ranges.intersection(snapshot.dead, snapshot.all_seqs))
    without = [(Occur.MustNot, each) for each in dead]
    found = []
    for field, term in terms:
        query = Query.boolean_query([(Occur.Must, Query.term_query(SCHEMA, field, term, "basic")), *without])
        hits = snapshot.searcher.search(query, count, count=False, order_by_field=SEQ).hits
        found.append([int(seq) for seq, _ in hits])
    return found
