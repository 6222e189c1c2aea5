"""Which of some similar words was probably meant, if any. Pure.

The chance of a slip, whatever the keyboard: a word has as many letters that may be left out or swapped as it is long;
to add or replace one there are as many ways again for each letter of the alphabet. Nobody hits all letters alike, so
that a wrong letter costs a factor of e², and not of the alphabet. Against it stands that the word is right and only
new: in a text, the chance to meet a new word is the share of the words that are in it once (Good and Turing).
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
_SECOND_SLIP = 2.0
# Log-likelihood, up to a constant. On English, Spanish and Russian paragraphs (4 000 to 15 000 words) no right
# correction lies below, but two thirds of the wrong ones, and half of those of words that are right.
_LEAST = -14.0


def meant(word: str, similar: Iterable[Similar], rare: int) -> Similar | None:
    """The word that was probably meant by `word`, or None; of equally likely ones the last in the alphabet.

    `rare` is the number of words that are in one chunk only.
    """
    best = max(similar, key=lambda each: (_likelihood(word, each), each.word), default=None)
    if best is None or _likelihood(word, best) - math.log(max(rare, 1)) < _LEAST:
        return None
    return best


def _likelihood(word: str, other: Similar) -> float:
    result = math.log(other.frequency) - other.distance * math.log(len(word))
    if other.distance > 1:
        result -= _SECOND_SLIP
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
