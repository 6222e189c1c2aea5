"""A text as its words with their places, and as what the keyword index stores of it. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from semantik.analysis.stemming import forms
from semantik.analysis.units import Unit, stretches, units


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

    `words` has every word in order. `stems` has, in no order, other forms that find it: stems, parts of joined words,
    joined parts of compounds. `wholes` has compounds and identifiers as a whole, spellings with accents, and dates in
    their canonical form.
    """

    words: list[str]
    stems: list[str]
    wholes: list[str]


_LONGEST_CACHED = 40
_CACHED_STRETCHES = 20_000
_Entry = tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]
_cache: dict[str | None, dict[str, _Entry]] = {}


def tokens(text: str) -> list[Token]:
    """The words of a text in order; scripts without spaces as overlapping bigrams."""
    return [
        Token(offset + unit.start, offset + unit.end, unit.word, unit.exact)
        for offset, stretch in stretches(text)
        for unit in units(stretch)
    ]


def terms(text: str, language: str | None) -> Terms:
    """What the keyword index stores of a text; `language` is ISO 639-1, and chooses the stemmer."""
    known = _cache.setdefault(language, {})
    words: list[str] = []
    others: list[str] = []
    wholes: list[str] = []
    for stretch in text.split():
        entry = known.get(stretch)
        if entry is None:
            entry = _entry(units(stretch), language)
            if len(stretch) <= _LONGEST_CACHED:
                if len(known) >= _CACHED_STRETCHES:
                    known.clear()
                known[stretch] = entry
        words += entry[0]
        if entry[1]:
            others += entry[1]
        if entry[2]:
            wholes += entry[2]
    return Terms(words, others, wholes)


def _entry(found: list[Unit], language: str | None) -> _Entry:
    others: list[str] = []
    wholes: list[str] = []
    for unit in found:
        others += (*unit.others, *unit.singles)
        if language is not None:
            others += forms(unit.word, unit.exact, (language,))
        if unit.exact != unit.word:
            wholes.append(unit.exact)
        wholes += unit.wholes
    return tuple(unit.word for unit in found), tuple(others), tuple(dict.fromkeys(wholes))
