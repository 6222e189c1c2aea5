"""Queries as they are built for the present state of a keyword index: one search asks it several times.

Runs in threads.
"""

from __future__ import annotations

from collections.abc import Sequence

from semantik.index.keyword.queries import Complete, KeywordQuery, make_query
from semantik.index.keyword.searching import KeywordSnapshot
from semantik.index.retriever import RetrievalQuery
from semantik.query import ParsedQuery, parse

_MAX_QUERIES = 64  # of searches that run at the same time

_Key = tuple[ParsedQuery, Sequence[str]]


class QueryCache:
    """Keeps the queries that were built last for one snapshot; another one has other frequencies."""

    def __init__(self) -> None:
        self._known: tuple[KeywordSnapshot | None, dict[_Key, KeywordQuery]] = None, {}

    def built(self, snapshot: KeywordSnapshot, query: RetrievalQuery, complete: Complete) -> KeywordQuery:
        """The query for this snapshot; `complete` gives the words of a prefix."""
        parsed = query.parsed or parse(query.text)
        key = (parsed, query.languages)
        last, queries = self._known
        if last is not snapshot:  # two threads may both begin anew, and then one builds its query again
            queries = {}
            self._known = snapshot, queries
        found = queries.get(key)
        if found is None:
            total = snapshot.searcher.num_docs
            found = make_query(parsed, query.languages, snapshot.frequency, complete, total)
            if len(queries) >= _MAX_QUERIES:
                queries.clear()
            if not _has_prefix(parsed):  # its words change with the vocabulary, which is read later
                queries[key] = found
        return found


def _has_prefix(parsed: ParsedQuery) -> bool:
    required = (clause for group in parsed.required for clause in group)
    return any(clause.prefix for clause in (*parsed.optional, *required))
