"""The terms under which the words of a question are looked up, with the weight of each. Pure.

Texts are stored in three fields (see `Terms`). A word of a question is looked up as itself and under its other forms in
both `words` and `stems`, since a text holds a form in `stems` only where it is not the word itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from semantik.analysis.stemming import forms
from semantik.analysis.units import Unit, stretches, units
from semantik.analysis.written import is_telling, written

Field = Literal["words", "stems", "wholes"]

# What a match is worth in each field.
WORD_WEIGHT = 1.0
FORM_WEIGHT = 0.8
FORMS_TIE = 0.1  # of the forms of a word that are not the best
EXACT_WEIGHT = 1.05
WHOLE_WEIGHT = 0.25
DIGITS_WEIGHT = 1.0  # of a whole with digits: a date, a time, an order number

# One search takes the words of its query several times, and queries have many words in common.
_CACHED_TEXTS = 1024
_LONGEST_CACHED = 200


@dataclass(frozen=True, slots=True)
class QueryTerm:
    """A term to look up in a field; its BM25 is multiplied by `weight`, and adds to that of the word if `adds`."""

    field: Field
    term: str
    weight: float
    adds: bool = False


@dataclass(frozen=True, slots=True)
class QueryWord:
    """A word of a question, at `start` to `end` of it, and all terms that it is found under.

    Its score is the best of its terms (they are forms of one word), plus those that add: compounds as a whole.
    """

    start: int
    end: int
    word: str
    terms: tuple[QueryTerm, ...]


def query_words(text: str, languages: Sequence[str]) -> tuple[QueryWord, ...]:
    """The words of a question in order; `languages` (ISO 639-1) choose the stemmers."""
    read = _cached_words if len(text) <= _LONGEST_CACHED else _words
    return read(text, tuple(languages))


def _words(text: str, languages: tuple[str, ...]) -> tuple[QueryWord, ...]:
    found = list(stretches(text))
    together = _written([stretch for _, stretch in found])
    words: list[QueryWord] = []
    for index, (offset, stretch) in enumerate(found):
        extra = together.get(index, ())
        for unit in units(stretch):
            terms = (*_terms(unit, languages), *extra)
            words.append(QueryWord(offset + unit.start, offset + unit.end, unit.word, terms))
            extra = ()
    return tuple(words)


_cached_words = lru_cache(_CACHED_TEXTS)(_words)


def _written(found: Sequence[str]) -> dict[int, tuple[QueryTerm, ...]]:
    """What stretches say together, by the index of the first."""
    terms: dict[int, tuple[QueryTerm, ...]] = {}
    telling = [index for index, stretch in enumerate(found) if is_telling(stretch)]
    for index, kind, form in written(found, telling, stored=False):
        added: tuple[QueryTerm, ...]
        if kind == "whole":
            added = (_whole(form),)
        else:
            added = (
                QueryTerm("words", form, WORD_WEIGHT, adds=True),
                QueryTerm("stems", form, FORM_WEIGHT, adds=True),
            )
        terms[index] = terms.get(index, ()) + added
    return terms


def _terms(unit: Unit, languages: Sequence[str]) -> tuple[QueryTerm, ...]:
    found = dict.fromkeys([*forms(unit.word, unit.exact, tuple(languages)), *unit.others])
    spelled = (QueryTerm("wholes", unit.exact, EXACT_WEIGHT),) if unit.exact != unit.word else ()
    return (
        QueryTerm("words", unit.word, WORD_WEIGHT),
        QueryTerm("stems", unit.word, FORM_WEIGHT),
        *(QueryTerm("words", form, FORM_WEIGHT) for form in found),
        *(QueryTerm("stems", form, FORM_WEIGHT) for form in found),
        *spelled,
        *(_whole(whole) for whole in unit.wholes),
    )


def _whole(whole: str) -> QueryTerm:
    has_digits = any(each.isdecimal() for each in whole)
    return QueryTerm("wholes", whole, DIGITS_WEIGHT if has_digits else WHOLE_WEIGHT, adds=True)
