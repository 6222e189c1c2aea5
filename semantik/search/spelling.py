"""The words of an index that are spelled nearly like a given one. Runs in threads; a few bytes for each letter.

Words of one length are the columns of a matrix. Which letters a word has is one number of 64 bits: two words whose
numbers differ in too many bits are too different, so that the distance is computed for one word in a hundred.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_LONGEST = 32
_ALPHABET = 64


@dataclass(frozen=True, slots=True)
class Similar:
    """A word of the index, in how many chunks it is, and its distance: how many letters were left out, added, replaced
    or swapped with their neighbour (optimal string alignment)."""

    word: str
    frequency: int
    distance: int


@dataclass(frozen=True, slots=True)
class _Bucket:
    """n words of one length: letters (length, n), the set of their letters, how often each is in the index."""

    letters: NDArray[np.uint16]
    sets: NDArray[np.uint64]
    frequencies: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.frequencies)

    def word(self, at: int) -> str:
        return "".join(map(chr, self.letters[:, at].tolist()))


class SpellingIndex:
    """Words that consist of letters of the Basic Multilingual Plane; others are never similar to anything."""

    def __init__(self, words: Iterable[tuple[str, int]]) -> None:
        """`words`: (word, frequency), each word once."""
        by_length: dict[int, tuple[list[str], list[int]]] = {}
        self.rare = 0  # words that are in one chunk only
        for word, frequency in words:
            if 2 < len(word) <= _LONGEST and word.isalpha() and max(word) <= "\uffff":
                texts, counts = by_length.setdefault(len(word), ([], []))
                self.rare += frequency == 1
                texts.append(word)
                counts.append(frequency)
        self._buckets = {length: _bucket(length, *found) for length, found in by_length.items()}

    def similar(self, word: str, distance: int) -> list[Similar]:
        """The words at most this far from `word`, in no order."""
        if not word or max(word) > "\uffff":
            return []
        letters = np.frombuffer(word.encode("utf-16-le"), np.uint16)
        return [
            each
            for length in range(len(word) - distance, len(word) + distance + 1)
            if (bucket := self._buckets.get(length))
            for each in _near(bucket, letters, distance)
        ]


def _bucket(length: int, words: list[str], frequencies: list[int]) -> _Bucket:
    codes = np.frombuffer("".join(words).encode("utf-16-le"), np.uint16).reshape(-1, length)
    sets = np.zeros(len(words), np.uint64)
    for column in codes.T:
        sets |= _bit(column)
    return _Bucket(np.ascontiguousarray(codes.T), sets, np.array(frequencies, np.int32))


def _bit(letters: NDArray[np.uint16]) -> NDArray[np.uint64]:
    return np.left_shift(np.uint64(1), (letters % _ALPHABET).astype(np.uint64))


def _near(bucket: _Bucket, letters: NDArray[np.uint16], distance: int) -> Iterator[Similar]:
    shift = abs(len(bucket.letters) - len(letters))
    # A letter more or less changes one bit, a replaced one two.
    bits = shift + 2 * (distance - shift)
    wanted = np.bitwise_or.reduce(_bit(letters))
    candidates = np.flatnonzero(np.bitwise_count(bucket.sets ^ wanted) <= bits)
    distances = _distances(bucket.letters[:, candidates], letters, distance)
    for at in np.flatnonzero(distances <= distance).tolist():
        number = int(candidates[at])
        yield Similar(bucket.word(number), int(bucket.frequencies[number]), int(distances[at]))


def _distances(words: NDArray[np.uint16], letters: NDArray[np.uint16], limit: int) -> NDArray[np.uint8]:
    """The distance (n) of each of the words (length, n) from `letters`; above `limit` any number above it.

    The table of the optimal string alignment, row by row, of all words at once: `rows[i][j]` is the distance between
    the first i letters of the one and the first j letters of the words, for j at most `limit` from i.
    """
    length, count = words.shape
    far = np.full(count, limit + 1, np.uint8)
    one = np.uint8(1)
    before_last: list[NDArray[np.uint8]] = []
    last = [np.full(count, min(j, limit + 1), np.uint8) for j in range(length + 1)]
    for i, letter in enumerate(letters.tolist(), 1):
        row = [far] * (length + 1)
        if i <= limit:
            row[0] = np.full(count, i, np.uint8)
        for j in range(max(1, i - limit), min(length, i + limit) + 1):
            cost = np.minimum(np.minimum(last[j], row[j - 1]) + one, last[j - 1] + (words[j - 1] != letter))
            if i > 1 and j > 1:
                swapped = (words[j - 1] == letters[i - 2]) & (words[j - 2] == letter)
                cost = np.where(swapped, np.minimum(cost, before_last[j - 2] + one), cost)
            row[j] = np.minimum(cost, far)
        before_last, last = last, row
    return last[length]
