"""Which words of many queries stand in a text: looked up for all queries at once. Pure; called in threads.

It never misses a word that the `QueryMatcher` of a query finds, but it takes each word of a phrase wherever it stands.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from semantik.search.matching import QueryForms, QueryWords, stems_of, words_in

_MAX_KNOWN = 200_000  # words of texts; a memo of some 20 MB


class WordTable:
    """The words of S queries as C columns, query by query."""

    def __init__(self, queries: Sequence[QueryWords]) -> None:
        columns = [(owner, query, word) for owner, query in enumerate(queries) for word in query.words]
        self._owners = np.array([owner for owner, _, _ in columns], np.int64)
        self._queries = len(queries)
        self._forms: dict[tuple[str, ...], dict[str, list[int]]] = {}
        self._prefixes: dict[str, list[int]] = {}
        self._known: dict[str, tuple[int, ...]] = {}
        for column, (_, query, word) in enumerate(columns):
            self._add(column, word, query.languages)
        self._lengths = sorted({len(prefix) for prefix in self._prefixes})

    def shares(self, texts: Sequence[str], weights: NDArray[np.float64]) -> NDArray[np.float32]:
        """For n texts the sums of the weights (C,) of the words that stand in them, by query: (n, S)."""
        found = np.zeros((len(texts), self._queries), np.float32)
        for row, text in enumerate(texts):
            columns = list({column for word in words_in(text) for column in self._columns_of(word)})
            if columns:
                found[row] = np.bincount(self._owners[columns], weights[columns], self._queries)
        return found

    def _add(self, column: int, word: QueryForms, languages: tuple[str, ...]) -> None:
        if word.prefix:
            self._prefixes.setdefault(word.word, []).append(column)
            return
        forms = self._forms.setdefault(languages, {})
        for form in word.forms:
            forms.setdefault(form, []).append(column)

    def _columns_of(self, word: str) -> tuple[int, ...]:
        known = self._known.get(word)
        if known is None:
            if len(self._known) >= _MAX_KNOWN:
                self._known.clear()
            known = self._known[word] = tuple(set(self._find(word)))
        return known

    def _find(self, word: str) -> Iterator[int]:
        for languages, forms in self._forms.items():
            for form in {word, *stems_of(word, languages)}:
                yield from forms.get(form, ())
        for length in self._lengths:
            yield from self._prefixes.get(word[:length], ())
