"""The words of an index in order, with their frequencies: to complete a word, and to correct one. Runs in threads.

A snapshot in few bytes per word; it does not know the words of chunks that were added later.
"""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import tantivy
from numpy.typing import NDArray

from semantik.index.keyword.schema import WORDS

_MAX_WORDS = 400_000
_AGE_S = 60.0  # it is read again after so long, if so large a share of the chunks has changed
_CHANGE = 0.05
# Words are read by their first character, so that a list of all never exists. Words are folded: none is upper case.
_SCRIPTS = ((0x30, 0x10FF), (0x1200, 0x1FFF), (0x2C00, 0x2DFF), (0xA640, 0xABFF))
_FIRST = [
    each
    for first, last in _SCRIPTS
    for each in map(chr, range(first, last + 1))
    if each.isalnum() and each == each.lower()
]
_FIRST_SET = frozenset(_FIRST)


@dataclass(frozen=True)
class Vocabulary(Sequence[str]):
    """Words in the order of their code points, each with the number of chunks that have it."""

    _text: bytes
    _starts: NDArray[np.int32]
    _frequencies: NDArray[np.int32]

    @staticmethod
    def of(words: Iterable[tuple[str, int]]) -> Vocabulary:
        """Of different words in any order. Of too many, the most frequent."""
        pairs = sorted((word.encode(), count) for word, count in words)
        if len(pairs) > _MAX_WORDS:
            least = sorted((count for _, count in pairs), reverse=True)[_MAX_WORDS]
            pairs = [pair for pair in pairs if pair[1] > least]
        lengths = np.array([0, *(len(word) for word, _ in pairs)], np.int32)
        frequencies = np.array([count for _, count in pairs], np.int32)
        return Vocabulary(
            b"".join(word for word, _ in pairs), np.cumsum(lengths, dtype=np.int32), frequencies
        )

    def __len__(self) -> int:
        return len(self._frequencies)

    def __getitem__(self, at: int) -> str:  # type: ignore[override]
        return self._word(at).decode()

    def __iter__(self) -> Iterator[str]:
        return (self[at] for at in range(len(self)))

    def pairs(self) -> Iterator[tuple[str, int]]:
        """The words and their frequencies."""
        return zip(self, self._frequencies.tolist(), strict=True)

    def frequency(self, word: str) -> int:
        """How many chunks have the word, 0 for one that is not known."""
        at = self._find(word.encode())
        return int(self._frequencies[at]) if at < len(self) and self[at] == word else 0

    def complete(self, prefix: str, limit: int) -> list[tuple[str, int]]:
        """The most frequent words that begin with `prefix`, most frequent first, and their frequencies."""
        first, end = self.span(prefix)
        counts = self._frequencies[first:end]
        best = (
            np.argpartition(-counts, limit - 1)[:limit] if len(counts) > limit > 0 else np.arange(len(counts))
        )
        found = [(self[first + at], int(counts[at])) for at in best.tolist()]
        return sorted(found, key=lambda pair: (-pair[1], pair[0]))[:limit]

    def span(self, prefix: str) -> tuple[int, int]:
        """The words that begin with `prefix` are those from the first number up to, not with, the second."""
        start = prefix.encode()
        return self._find(start), self._find(start + b"\xff")

    def frequencies(self, first: int, end: int) -> NDArray[np.int32]:
        """The frequencies (end - first) of the words at these places."""
        return self._frequencies[first:end]

    def _find(self, word: bytes) -> int:
        return bisect_left(range(len(self)), word, key=self._word)

    def _word(self, at: int) -> bytes:
        return self._text[self._starts[at] : self._starts[at + 1]]


EMPTY = Vocabulary.of(())


def has_script(word: str) -> bool:
    """Whether a vocabulary has words of this script; those of Han, Kana or Hangul are bigrams, and no words."""
    return word[:1] in _FIRST_SET


def read(searcher: tantivy.Searcher) -> Vocabulary:
    """The words of an index. Takes about a second for a million different ones."""

    def found() -> Iterator[tuple[str, int]]:
        for first in _FIRST:
            yield from searcher.terms_with_prefix(WORDS, first)

    return Vocabulary.of(found())


@dataclass(frozen=True)
class DatedVocabulary:
    """The words of an index of `size` chunks at a moment (`time.monotonic`)."""

    words: Vocabulary
    moment: float
    size: int

    def outdated(self, size: int) -> bool:
        grown = abs(size - self.size) > _CHANGE * self.size
        return grown and time.monotonic() - self.moment >= _AGE_S
