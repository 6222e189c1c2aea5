"""Texts that are completed from the beginning of any of their words. Pure; built and asked in threads.

The beginnings of all words, with what follows them, are sorted; those with a prefix stand side by side.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence

import numpy as np
import regex
from numpy.typing import NDArray

from semantik.query.folding import words_key

_WIDTH = 12  # bytes of each beginning that are sorted
_MAX_BEGINNINGS = 12  # of one text
_AT_START = 1.0
_WITHOUT_SPACES = regex.compile(
    r"(?<=[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}])\p{L}"
)


class CompletionIndex:
    """`scores` (n): which of n texts come first; the beginning of a whole text counts 1 more than that of a word."""

    def __init__(self, texts: Sequence[str], scores: NDArray[np.float32]) -> None:
        self.texts = texts
        self._scores = scores
        beginnings: list[bytes] = []
        numbers, at_start = array("i"), array("b")
        for number, text in enumerate(texts):
            for order, beginning in enumerate(_beginnings(words_key(text).strip())):
                beginnings.append(beginning)
                numbers.append(number)
                at_start.append(order == 0)
        found = np.array(beginnings, f"S{_WIDTH}")
        order_of = np.argsort(found, kind="stable")
        self._beginnings = found[order_of]
        self._numbers = np.array(numbers, np.int32)[order_of]
        self._at_start = np.array(at_start, np.float32)[order_of]

    def __len__(self) -> int:
        return len(self.texts)

    def complete(self, typed: str, limit: int) -> list[int]:
        """The numbers of the best texts that have a word which begins as `typed` ends, after the words before."""
        key = words_key(typed).strip()
        if not key:
            return []
        if typed[-1].isspace():
            key += " "
        prefix = key.encode()[:_WIDTH]
        first = np.searchsorted(self._beginnings, prefix)
        end = np.searchsorted(self._beginnings, prefix.ljust(_WIDTH, b"\xff"), "right")
        numbers = self._numbers[first:end]
        scores = self._scores[numbers] + _AT_START * self._at_start[first:end]
        whole = len(key.encode()) > _WIDTH or key.endswith(" ")
        if not whole and len(numbers) > 16 * limit:
            best = np.argpartition(-scores, 16 * limit)[: 16 * limit]
            numbers, scores = numbers[best], scores[best]
        found: dict[int, None] = {}
        for number in numbers[np.lexsort((numbers, -scores))].tolist():
            if len(found) == limit:
                break
            if not whole or _contains(words_key(self.texts[number]), key):
                found[number] = None
        return list(found)


def _beginnings(key: str) -> list[bytes]:
    starts = [0, *(at + 1 for at, char in enumerate(key) if char == " ")]
    if not key.isascii():
        starts += [found.start() for found in _WITHOUT_SPACES.finditer(key)]
    return [key[at : at + _WIDTH].encode()[:_WIDTH] for at in starts[:_MAX_BEGINNINGS]] if key else []


def _contains(key: str, prefix: str) -> bool:
    return f" {prefix}" in key or (_WITHOUT_SPACES.search(key) is not None and prefix in key)
