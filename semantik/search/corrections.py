"""Corrects words of a query that no searched collection has, from the words that these have. Runs on the loop.

A word that exists anywhere is never changed, nor is a function word, a month, a number, an identifier, a phrase in
quotes or the beginning of a word. Spelling indexes are built in threads, one for each vocabulary.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Protocol

import regex

from semantik.analysis import QueryWord, is_function_word, query_words
from semantik.analysis.dates import MONTHS
from semantik.query import Clause, ParsedQuery
from semantik.search.hits import Correction
from semantik.search.replacement import replaced
from semantik.search.spelling import Similar, SpellingIndex
from semantik.search.spelling_choice import as_typed, meant

_SHORTEST = 4
_LONG = 6  # from this length on, two slips are corrected
_SHORTEST_PART = 4
_SHORTEST_SPLIT = 8
_MAX_WORDS = 20  # a pasted text with more unknown words is not corrected
_MAX_INDEXED_WORDS = 1_000_000
_WAIT_S = 0.5
# Letters, perhaps with hyphens and apostrophes between them; no capitals within.
_PART = r"(?:\p{Lu}++|\p{L}[\p{Ll}\p{Lo}\p{M}]*+)"
_WORDLIKE = regex.compile(rf"\P{{L}}*+{_PART}(?:[-'’]{_PART})*\P{{L}}*+")
_NOT_WORDLIKE = regex.compile(r"[\d_/\\@#+:=<>$%&*]|\.\p{L}")
_BIGRAMS = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]")


class Words(Protocol):
    """Different words, each with the number of chunks that have it."""

    def __len__(self) -> int: ...

    def pairs(self) -> Iterable[tuple[str, int]]: ...

    def frequency(self, word: str) -> int: ...


class WordIndex(Protocol):
    """What corrections need of the keyword index of a collection."""

    async def knows(self, words: Sequence[QueryWord], /) -> list[bool]:
        """Whether each word is found under any of its terms."""

    async def vocabulary(self) -> Words:
        """The words of its texts; the newest may be missing. Raises Unavailable."""


@dataclass(frozen=True)
class Corrected:
    """A query as it is searched for, and what was changed in it."""

    parsed: ParsedQuery
    corrections: tuple[Correction, ...] = ()


@dataclass(frozen=True)
class _Typed:
    """A word of a query that may be corrected: the number of its clause among the optional ones, or None."""

    word: QueryWord
    text: str
    clause: int | None


class Corrector:
    """Keeps the spelling indexes of the vocabularies that were used last."""

    def __init__(self) -> None:
        self._spellings: OrderedDict[int, tuple[Words, asyncio.Future[SpellingIndex]]] = OrderedDict()

    async def correct(
        self, parsed: ParsedQuery, languages: Sequence[str], indexes: Sequence[WordIndex]
    ) -> Corrected:
        """The query with its unknown words corrected. Raises Unavailable when an index does not answer."""
        typed = _correctable(parsed, languages)
        if not typed or not indexes:
            return Corrected(parsed)
        known = [await index.knows([each.word for each in typed]) for index in indexes]
        unknown = [each for each, *found in zip(typed, *known, strict=True) if not any(found)]
        if not 0 < len(unknown) <= _MAX_WORDS:
            return Corrected(parsed)
        vocabularies = [await index.vocabulary() for index in indexes]
        spellings = await self._ready(vocabularies)
        corrections = await asyncio.to_thread(_corrections, typed, unknown, vocabularies, spellings)
        return Corrected(replaced(parsed, corrections), tuple(corrections))

    async def _ready(self, vocabularies: Sequence[Words]) -> list[SpellingIndex]:
        """The spelling indexes; one that needs long to be built is left out this time."""
        building = [self._spelling(each) for each in vocabularies]
        await asyncio.wait(building, timeout=_WAIT_S)
        return [each.result() for each in building if each.done()]

    def _spelling(self, words: Words) -> asyncio.Future[SpellingIndex]:
        key = id(words)  # it is kept beside its spelling index, so that no other gets its id
        if key not in self._spellings:
            building = asyncio.get_running_loop().run_in_executor(None, _build, words)
            self._spellings[key] = words, building
        self._spellings.move_to_end(key)
        while len(self._spellings) > 1 and self._size() > _MAX_INDEXED_WORDS:
            self._spellings.popitem(last=False)
        return self._spellings[key][1]

    def _size(self) -> int:
        return sum(len(words) for words, _ in self._spellings.values())


def _build(words: Words) -> SpellingIndex:
    return SpellingIndex(words.pairs())


def _correctable(parsed: ParsedQuery, languages: Sequence[str]) -> list[_Typed]:
    clauses: list[tuple[int | None, Clause]] = list(enumerate(parsed.optional))
    clauses += [(None, clause) for group in parsed.required for clause in group]
    return [
        _Typed(word, clause.text[word.start : word.end], number)
        for number, clause in clauses
        if not clause.phrase and not clause.prefix and _is_wordlike(clause.text)
        for word in query_words(clause.text, languages)
        if word.word not in MONTHS and not is_function_word(word.word, languages)
    ]


@lru_cache(4096)
def _is_wordlike(text: str) -> bool:
    return not _NOT_WORDLIKE.search(text) and not _BIGRAMS.search(text) and bool(_WORDLIKE.fullmatch(text))


Frequency = Callable[[str], int]


def _corrections(
    typed: Sequence[_Typed],
    unknown: Sequence[_Typed],
    vocabularies: Sequence[Words],
    spellings: Sequence[SpellingIndex],
) -> list[Correction]:
    found: dict[str, Correction] = {}
    joined: set[int] = set()

    def frequency(word: str) -> int:
        return sum(each.frequency(word) for each in vocabularies)

    for each in unknown:
        if each.text in found or each.clause in joined:
            continue
        if pair := _joined(each, typed, joined, frequency):
            left, right = pair
            small = right.text if right.text.isupper() else right.text.lower()
            instead = as_typed(left.word.word + right.word.word, left.text + small)
            found[each.text] = Correction(f"{left.text} {right.text}", instead)
            joined |= {number for number in (left.clause, right.clause) if number is not None}
        elif corrected := _instead(each.word.word, spellings, frequency):
            found[each.text] = Correction(each.text, as_typed(corrected, each.text))
    return list(found.values())


def _joined(
    word: _Typed, typed: Sequence[_Typed], taken: set[int], frequency: Frequency
) -> tuple[_Typed, _Typed] | None:
    """The word and one of its neighbours, in their order, where they are one word in a text."""
    for left, right in pairwise(typed):
        if word not in (left, right) or left.clause is None or right.clause is None:
            continue
        adjacent = right.clause == left.clause + 1 and not {left.clause, right.clause} & taken
        if adjacent and frequency(left.word.word + right.word.word):
            return left, right
    return None


def _instead(word: str, spellings: Sequence[SpellingIndex], frequency: Frequency) -> str | None:
    """What was probably meant by a word that is not known: one slip, two words without their space, or two slips."""
    if len(word) < _SHORTEST or not word.replace("'", "").isalpha():
        return None
    return (
        _similar(word, 1, spellings)
        or _split(word, frequency)
        or (_similar(word, 2, spellings) if len(word) >= _LONG else None)
    )


def _similar(word: str, distance: int, spellings: Sequence[SpellingIndex]) -> str | None:
    found: dict[str, Similar] = {}
    for spelling in spellings:
        for each in spelling.similar(word, distance):
            known = found.get(each.word)
            total = each.frequency + (known.frequency if known else 0)
            found[each.word] = Similar(each.word, total, each.distance)
    best = meant(word, found.values(), sum(each.rare for each in spellings))
    return best.word if best else None


def _split(word: str, frequency: Frequency) -> str | None:
    """The two words that it consists of: those of which the rarer is the most frequent."""
    if len(word) < _SHORTEST_SPLIT:
        return None
    splits = [
        (min(frequency(word[:at]), frequency(word[at:])), f"{word[:at]} {word[at:]}")
        for at in range(_SHORTEST_PART, len(word) - _SHORTEST_PART + 1)
    ]
    count, best = max(splits)
    return best if count else None
