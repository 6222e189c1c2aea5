"""Which of some similar words was probably meant. Pure.

The chance of a slip, whatever the keyboard: leaving out one of a word's letters, or swapping two, happens in as many
ways as the word has letters; adding or replacing one in as many ways again for each letter of the alphabet. Nobody hits
all letters alike, so a wrong letter costs a factor of e² and not of the alphabet.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from difflib import SequenceMatcher

from semantik.analysis.folding import folded
from semantik.core.normalization import normalized
from semantik.search.spelling import Similar

_WRONG_LETTER = 2.0
_WRONG_FIRST_LETTER = 0.5
_NEXT_DISTANCE = 6.0  # what is a letter nearer wins, unless the other word is 400 times as frequent


def meant(word: str, similar: Iterable[Similar]) -> Similar | None:
    """The word that was probably meant by `word`; the first in the alphabet of equally likely ones."""
    return max(similar, key=lambda each: (_likelihood(word, each), each.word), default=None)


def _likelihood(word: str, other: Similar) -> float:
    result = math.log(other.frequency + 0.5) - _NEXT_DISTANCE * other.distance
    if other.word[0] != word[0]:
        result -= _WRONG_FIRST_LETTER
    added = len(word) > len(other.word)
    replaced = len(word) == len(other.word) and sorted(word) != sorted(other.word)
    return result - _WRONG_LETTER if added or replaced else result


def as_typed(instead: str, typed: str) -> str:
    """`instead`, a word without accents and case, with those of `typed`, which is like it, at the same letters."""
    typed = normalized(typed)
    plain = folded(typed)
    result = list(instead)
    if len(plain) == len(typed):
        for start, other, size in SequenceMatcher(None, plain, instead, autojunk=False).get_matching_blocks():
            result[other : other + size] = typed[start : start + size]
    word = "".join(result)
    if typed.isupper():
        return word.upper()
    return word[:1].upper() + word[1:] if typed[:1].isupper() else word
