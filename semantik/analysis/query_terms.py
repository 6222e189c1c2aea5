"""The terms under which the words of a question are looked up, with the weight of each. Pure.

Texts are stored in three fields (see `Terms`). A word of a question is looked up as itself and under its other forms in
both `words` and `stems`, since a text holds a form in `stems` only where it is not the word itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from semantik.analysis.stemming import forms
from semantik.analysis.units import Unit, stretches, units

Field = Literal["words", "stems", "wholes"]

# What a match is worth in each field.
WORD_WEIGHT = 1.0
FORM_WEIGHT = 0.8
EXACT_WEIGHT = 1.05
WHOLE_WEIGHT = 0.25


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


def query_words(text: str, languages: Sequence[str]) -> list[QueryWord]:
    """The words of a question in order; `languages` (ISO 639-1) choose the stemmers."""
    return [
        QueryWord(offset + unit.start, offset + unit.end, unit.word, _terms(unit, languages))
        for offset, stretch in stretches(text)
        for unit in units(stretch)
    ]


def _terms(unit: Unit, languages: Sequence[str]) -> tuple[QueryTerm, ...]:
    found = dict.fromkeys([*forms(unit.word, unit.exact, tuple(languages)), *unit.others])
    spelled = (QueryTerm("wholes", unit.exact, EXACT_WEIGHT),) if unit.exact != unit.word else ()
    return (
        QueryTerm("words", unit.word, WORD_WEIGHT),
        QueryTerm("stems", unit.word, FORM_WEIGHT),
        *(QueryTerm("words", form, FORM_WEIGHT) for form in found),
        *(QueryTerm("stems", form, FORM_WEIGHT) for form in found),
        *spelled,
        *(QueryTerm("wholes", whole, WHOLE_WEIGHT, adds=True) for whole in unit.wholes),
    )
