"""The terms under which the words of a question are looked up, with the weight of each. Pure.

Texts are stored in three fields (see `Terms`). A word of a question is looked up in `words` as itself, in `stems` as
itself and by its stem in each language, and its compounds in `wholes`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from semantik.analysis.stemming import has_stem, query_forms
from semantik.analysis.units import Unit, is_bigram, stretches, units
from semantik.analysis.written import is_telling, written

Field = Literal["words", "stems", "wholes"]

# What a match is worth in each field. The BM25 scores of all terms are added: a word of letters is in `words` and, by
# its stem, in `stems`.
WORD_WEIGHT = 0.3
STEM_WEIGHT = 0.7
ALONE_WEIGHT = 1.0  # of what is only in `words`
OTHER_WEIGHT = 0.5
EXACT_WEIGHT = 0.05
WHOLE_WEIGHT = 0.25


@dataclass(frozen=True, slots=True)
class QueryTerm:
    """A term to look up in a field; its BM25 is multiplied by `weight`."""

    field: Field
    term: str
    weight: float


@dataclass(frozen=True, slots=True)
class QueryWord:
    """A word of a question, at `start` to `end` of it, and all terms that it is found under."""

    start: int
    end: int
    word: str
    terms: tuple[QueryTerm, ...]


def query_words(text: str, languages: Sequence[str]) -> list[QueryWord]:
    """The words of a question in order; `languages` (ISO 639-1) choose the stemmers."""
    found = list(stretches(text))
    together = _written([stretch for _, stretch in found])
    words: list[QueryWord] = []
    for index, (offset, stretch) in enumerate(found):
        extra = together.get(index, ())
        for unit in units(stretch):
            terms = (*_terms(unit, languages), *extra)
            words.append(QueryWord(offset + unit.start, offset + unit.end, unit.word, terms))
            extra = ()
    return words


def _written(found: Sequence[str]) -> dict[int, tuple[QueryTerm, ...]]:
    """What stretches say together, by the index of the first."""
    terms: dict[int, tuple[QueryTerm, ...]] = {}
    telling = [index for index, stretch in enumerate(found) if is_telling(stretch)]
    for index, kind, form in written(found, telling, stored=False):
        added: tuple[QueryTerm, ...]
        if kind == "whole":
            added = (QueryTerm("wholes", form, WHOLE_WEIGHT),)
        else:
            added = (
                QueryTerm("words", form, WORD_WEIGHT),
                QueryTerm("stems", form, STEM_WEIGHT),
            )
        terms[index] = terms.get(index, ()) + added
    return terms


def _terms(unit: Unit, languages: Sequence[str]) -> tuple[QueryTerm, ...]:
    # A bigram is not stored in `stems`, nor is a word with digits.
    stemmed = has_stem(unit.word) and not is_bigram(unit.word)
    others = dict.fromkeys(
        [unit.word, *(query_forms(unit.word, unit.exact, tuple(languages)) if stemmed else ()), *unit.others]
    )
    spelled = (QueryTerm("wholes", unit.exact, EXACT_WEIGHT),) if unit.exact != unit.word else ()
    return (
        QueryTerm("words", unit.word, WORD_WEIGHT if stemmed else ALONE_WEIGHT),
        *(QueryTerm("stems", other, STEM_WEIGHT) for other in others),
        *(QueryTerm("words", other, OTHER_WEIGHT) for other in unit.others),
        *spelled,
        *(QueryTerm("wholes", whole, WHOLE_WEIGHT) for whole in unit.wholes),
    )
