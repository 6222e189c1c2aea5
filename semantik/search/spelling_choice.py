"""Which of some similar words was probably meant, if any. Pure.

A word is corrected where a slip is likelier than that it is right and only new. New words are the more likely the more
words of the texts are in them once (Good and Turing), above all in a small collection; a long one is seldom spelled
like a known one by chance. To leave out or swap letters happens in few ways, to add or replace one in many.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from difflib import SequenceMatcher

from semantik.analysis.folding import folded
from semantik.core.normalization import normalized
from semantik.search.spelling import Similar

# Log-likelihoods, up to a constant, chosen on English, Spanish and Russian collections of 600 to 15 000 words without
# others to check them: docs/decisions.md has the figures.
_SLIP = 2.0
_SECOND_SLIP = 2.0
_WRONG_LETTER = 2.0
_WRONG_FIRST_LETTER = 1.5
_SHORT = 1.0
_LONGER = 0.5  # for each letter above six
_LEAST = -14.0
_MANY_RARE_WORDS = 3000


def meant(word: str, similar: Iterable[Similar], rare: int) -> Similar | None:
    """The word that was probably meant by `word`, or None; of equally likely ones the last in the alphabet.

    `rare` is the number of words that are in one chunk only.
    """
    best = max(similar, key=lambda each: (_likelihood(word, each), each.word), default=None)
    new = 2 * math.log(_MANY_RARE_WORDS) - math.log(min(max(rare, 1), _MANY_RARE_WORDS))
    return best if best is not None and _likelihood(word, best) - new >= _LEAST else None


def _likelihood(word: str, other: Similar) -> float:
    result = math.log(other.frequency) - _SLIP * other.distance + _LONGER * max(0, len(word) - 6)
    if other.distance > 1:
        result -= _SECOND_SLIP
    if other.word[0] != word[0]:
        result -= _WRONG_FIRST_LETTER
    if len(word) <= 5:
        result -= _SHORT
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
