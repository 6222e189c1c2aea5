"""The terms under which the words of a question are looked up, with the weight of each. Pure.

Texts are stored in three fields (see `Terms`). A word of a question is looked up as itself and under its other forms in
both `words` and `stems`, since a text holds a form in `stems` only where it is not the word itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import Literal

from semantik.analysis.folding import folded
from semantik.analysis.function_words import is_function_word
from semantik.analysis.long_numbers import long_numbers
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

# Letters that people without them on their keyboard write as two: Mueller, Kjaergaard, Aase.
_TWO_LETTERS = (("ae", "äæ"), ("oe", "öø"), ("ue", "ü"), ("aa", "å"))
_AS_TWO = str.maketrans({letter: two for two, letters in _TWO_LETTERS for letter in letters})
_SHORTEST_JOINED = 3

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

    Its score is the best of its terms (they are forms of one word), plus those that add: compounds as a whole. `parts`
    are the words that a text may have side by side instead of it. `wholes` are forms that it is within.
    """

    start: int
    end: int
    word: str
    terms: tuple[QueryTerm, ...]
    parts: tuple[str, ...] = ()
    wholes: tuple[str, ...] = ()


def query_words(text: str, languages: Sequence[str]) -> tuple[QueryWord, ...]:
    """The words of a question in order; `languages` (ISO 639-1) choose the stemmers."""
    read = _cached_words if len(text) <= _LONGEST_CACHED else _words
    return read(text, tuple(languages))


class _Word:
    """A `QueryWord` that is being made."""

    __slots__ = ("end", "parts", "start", "terms", "wholes", "word")

    def __init__(self, offset: int, unit: Unit, terms: list[QueryTerm], wholes: tuple[str, ...]) -> None:
        self.start, self.end = offset + unit.start, offset + unit.end
        self.word, self.parts = unit.word, unit.parts
        self.terms, self.wholes = terms, wholes

    def made(self) -> QueryWord:
        return QueryWord(self.start, self.end, self.word, tuple(self.terms), self.parts, self.wholes)


def _words(text: str, languages: tuple[str, ...]) -> tuple[QueryWord, ...]:
    found = list(stretches(text))
    plain = [stretch for _, stretch in found]
    words: list[_Word] = []
    firsts: list[int] = []  # the number of the first word of each stretch
    last: _Word | None = None
    for offset, stretch in found:
        firsts.append(len(words))
        words += _in_stretch(offset, units(stretch), languages)
        alone = words[-1] if len(words) == firsts[-1] + 1 else None
        if alone and (alone.start, alone.end) != (offset, offset + len(stretch)):
            alone = None  # signs keep it from its neighbours
        if last and alone:
            _join(last, alone, languages)
        last = alone
    firsts.append(len(words))
    telling = [index for index, stretch in enumerate(plain) if is_telling(stretch)]
    for each in written(plain, telling, stored=False):
        _add(words[firsts[each.place] : firsts[each.last + 1]], each.kind, each.form)
    for start, end, form in long_numbers(text):
        _add([word for word in words if start <= word.start < end], "other", form)
    return tuple(each.made() for each in words)


_cached_words = lru_cache(_CACHED_TEXTS)(_words)


def _in_stretch(offset: int, found: Sequence[Unit], languages: tuple[str, ...]) -> Iterator[_Word]:
    """The words of a stretch. Each word of a compound is found by the compound, too."""
    end = 0
    joined: tuple[str, ...] = ()
    wholes: tuple[str, ...] = ()
    for unit in found:
        if unit.whole_end:
            end, joined, wholes = unit.whole_end, unit.joined, unit.wholes
        elif unit.start >= end:
            joined = wholes = ()
        elif len(unit.word) == 1 and unit.word.isalpha():  # as the s of "Anna's"
            yield _Word(offset, unit, _terms(unit, (), languages), ())
            continue
        terms = _terms(unit, joined, languages)
        terms += map(_in_whole, filter(_has_digit, wholes))
        yield _Word(offset, unit, terms, wholes)


def _join(left: _Word, right: _Word, languages: tuple[str, ...]) -> None:
    """Let two neighbours be found by the word that they are together: `heat pump` in "heatpump", `E 18` in "E18"."""
    joined = left.word + right.word
    numbers = left.word.isdecimal() + right.word.isdecimal()
    if numbers == 2 or len(joined) < _SHORTEST_JOINED - numbers:
        return
    if numbers or not (is_function_word(left.word, languages) or is_function_word(right.word, languages)):
        terms = _either_field(joined, WORD_WEIGHT)
        for word in (left, right):
            word.terms += terms
            word.wholes += (joined,)


def _add(words: Sequence[_Word], kind: str, form: str) -> None:
    """Let words be found by what they say together; as a whole it adds to the first."""
    terms = _either_field(form, WORD_WEIGHT) if kind == "other" else (_in_whole(form),)
    for index, word in enumerate(words):
        word.terms += terms
        word.wholes += (form,)
        if kind == "whole" and not index:
            word.terms.append(_whole(form))


def _terms(unit: Unit, joined: tuple[str, ...], languages: tuple[str, ...]) -> list[QueryTerm]:
    terms = [QueryTerm("words", unit.word, WORD_WEIGHT), QueryTerm("stems", unit.word, FORM_WEIGHT)]
    inflected = forms(unit.word, unit.exact, languages)
    for form in dict.fromkeys([*inflected, *unit.others, *joined, *_in_two_letters(unit.exact)]):
        terms += _either_field(form)
    if unit.exact != unit.word or not unit.exact.isalnum():  # a number has its signs only among the wholes
        terms.append(QueryTerm("wholes", unit.exact, EXACT_WEIGHT))
    terms += map(_in_whole, _in_one_letter(unit.word))
    terms += map(_whole, unit.wholes)
    return terms


def _either_field(form: str, weight: float = FORM_WEIGHT) -> tuple[QueryTerm, ...]:
    return QueryTerm("words", form, weight), QueryTerm("stems", form, FORM_WEIGHT)


def _in_whole(whole: str) -> QueryTerm:
    return QueryTerm("wholes", whole, FORM_WEIGHT)


def _in_two_letters(exact: str) -> tuple[str, ...]:
    """`müller` as `mueller`."""
    if exact.isascii() or (other := exact.translate(_AS_TWO)) == exact:
        return ()
    return (folded(other),)


def _in_one_letter(word: str) -> list[str]:
    """`mueller` as `müller`: as texts are spelled that have it, since `poet` is not pöt."""
    choices = [[(two, letter) for letter in letters] for two, letters in _TWO_LETTERS if two in word]
    found = []
    for choice in product(*choices) if choices else ():
        spelled = word
        for two, letter in choice:
            spelled = spelled.replace(two, letter)
        found.append(spelled)
    return found


def _whole(whole: str) -> QueryTerm:
    return QueryTerm("wholes", whole, DIGITS_WEIGHT if _has_digit(whole) else WHOLE_WEIGHT, adds=True)


def _has_digit(text: str) -> bool:
    return any(map(str.isdecimal, text))
