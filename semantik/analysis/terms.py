"""A text as its words with their places, and as what the keyword index stores of it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from operator import add
from typing import NamedTuple

from semantik.analysis.cache import BoundedCache
from semantik.analysis.dates import broader
from semantik.analysis.long_numbers import long_numbers
from semantik.analysis.stemming import forms
from semantik.analysis.units import Run, pieces, stretches, units
from semantik.analysis.written import hyphenated, is_telling, written


@dataclass(frozen=True, slots=True)
class Token:
    """A word as it stands in a text: `start` and `end` are offsets in the original text.

    `word` is what is indexed and matched: NFKC, folded case and accents. `exact` has its accents, in lower case.
    """

    start: int
    end: int
    word: str
    exact: str


@dataclass(frozen=True, slots=True)
class Terms:
    """What the keyword index stores of a text; no entry contains white space.

    `words` has every word in order. `stems` has, in no order, what finds words in other forms: stems that are not the
    word itself, parts of joined words, compounds without their signs, single characters of bigrams. `wholes` has
    compounds and identifiers as a whole, spellings with accents, and dates, times and percentages in canonical form.
    """

    words: list[str]
    stems: list[str]
    wholes: list[str]


class _Entry(NamedTuple):
    words: list[str]
    others: list[str]
    wholes: list[str]
    telling: int  # it may say something together with its neighbours: _TELLING, or _NUMBER as a piece of a long one


_TELLING, _NUMBER = 1, 2
_CACHED_STRETCHES = 16_384
_CACHED_LANGUAGES = 4
_LONGEST_CACHED = 32
_LONG_NUMBER = 8  # digits; it may be a date, or be dialled
# What does not change the words of a stretch when it stands around them; a full stop may begin .NET, a hyphen may break
# a word, and + # % _ may end one.
_BEFORE = "\"'([{“”„«»‘’¿¡<*"
_AFTER = "\"')]}“”«»‘’.,;:!?…>*"
_known: dict[str | None, BoundedCache[str, _Entry]] = {}


def tokens(text: str) -> list[Token]:
    """The words of a text in order; scripts without spaces as overlapping bigrams."""
    return [
        Token(offset + unit.start, offset + unit.end, unit.word, unit.exact)
        for offset, stretch in stretches(text)
        for unit in units(stretch)
    ]


def terms(text: str, language: str | None) -> Terms:
    """What the keyword index stores of a text; `language` is ISO 639-1, and chooses the stemmer."""
    cache = _known.get(language) or _new_cache(language)
    recent = cache.recent
    words: list[str] = []
    others: list[str] = []
    wholes: list[str] = []
    telling = 0
    found = text.split()
    for stretch in found:
        entry = recent.get(stretch)
        if entry is None:
            entry = _entry(stretch, language, cache)
            recent = cache.recent
        words += entry[0]
        if entry[1]:
            others += entry[1]
        if entry[2]:
            wholes += entry[2]
        if entry[3]:
            telling |= entry[3]
    if telling & _NUMBER:
        others += (form for _, _, form in long_numbers(text))
    if telling & _TELLING:
        places = [index for index, each in enumerate(found) if _entry(each, language, cache)[3] & _TELLING]
        for form in written(found, places, stored=True):
            (wholes if form.kind == "whole" else others).append(form.form)
    if "-\n" in text or "-\r" in text:
        for _, _, word in hyphenated(text):
            others += (word, *(forms(word, word, (language,)) if language else ()))
    return Terms(words, others, wholes)


def _new_cache(language: str | None) -> BoundedCache[str, _Entry]:
    if len(_known) >= _CACHED_LANGUAGES:
        _known.pop(next(iter(_known)), None)
    return _known.setdefault(language, BoundedCache(_CACHED_STRETCHES))


def _entry(stretch: str, language: str | None, cache: BoundedCache[str, _Entry]) -> _Entry:
    core = stretch.lstrip(_BEFORE).rstrip(_AFTER) or stretch
    found = cache.get(core)
    if found is None:
        found = _analysed(core, language)
        if len(core) <= _LONGEST_CACHED:
            cache.put(core, found)
    return found


def _analysed(stretch: str, language: str | None) -> _Entry:
    if stretch.isascii() and stretch.isalpha() and stretch[1:].islower():
        word = stretch.lower()
        return _Entry([word], list(forms(word, word, (language,))) if language else [], [], is_telling(word))
    if stretch.isascii() and stretch.isdecimal() and len(stretch) < _LONG_NUMBER:
        return _Entry([stretch], [], [], is_telling(stretch) | _NUMBER)
    words: list[str] = []
    others: list[str] = []
    wholes: list[str] = []
    for piece in pieces(stretch):
        if isinstance(piece, Run):
            words += map(add, piece.characters, piece.characters[1:])
            others += piece.characters
            continue
        words.append(piece.word)
        others += piece.others + piece.joined
        if language is not None:
            others += forms(piece.word, piece.exact, (language,))
        if piece.exact != piece.word:
            wholes.append(piece.exact)
        for whole in piece.wholes:
            wholes += (whole, *broader(whole)) if whole[0].isdecimal() else (whole,)
    return _Entry(words, others, list(dict.fromkeys(wholes)), _telling(stretch))


def _telling(stretch: str) -> int:
    may_be_piece = stretch[-1:].isdecimal() or stretch[-2:-1].isdecimal()
    return is_telling(stretch) * _TELLING + may_be_piece * _NUMBER
