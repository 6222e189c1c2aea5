"""Where the words of a query stand in a text. Pure; fast enough to run on the loop for the hits of a page.

It takes words as `semantik.analysis` does, so that what is marked is what the keyword index has found.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple

from semantik.analysis import query_words, stems
from semantik.analysis.folding import folded
from semantik.query import ParsedQuery
from semantik.search.text_forms import Form, forms_across, forms_across_lines, forms_in

_MAX_TEXT = 20_000  # characters of a chunk that are looked at
_MAX_WORDS = 64
_PREFIX = 3  # the forms of a word hardly ever differ before their fourth letter
# Letters that fold to one other. A text of these and of punctuation is searched for beginnings of the query's words
# before anything of it is taken apart; of another one each stretch is.
_LETTERS = {
    code: plain
    for code in (*range(0x41, 0x250), *range(0x370, 0x530))
    if len(plain := folded(chr(code))) == 1
}
_OTHER = re.compile("[^\x00-\u024f\u0370-\u052f\u2000-\u206f€]")
# Within a compound that a query may have without its signs, or a letter that it may have as two.
_SIGN = re.compile(r"[-'’‐‑.,:/@&_](?<=\w.)(?=\w)|[æœþÆŒÞ]")
_WITHOUT_SIGNS = dict.fromkeys(map(ord, "-'’‐‑.,:/@&_")) | {
    ord(letter): folded(letter) for letter in "æœþÆŒÞ"
}
_BEFORE = '([{<"“”„«»‘€$£¥'
_CANONICAL = re.compile(
    r"-*\d+[-:]\d|\d.*%"
)  # dates, times and percentages: texts have them in other forms, too
# What a text may have in several pieces, among them no year.
_ACROSS = re.compile(rf"^(?:{_CANONICAL.pattern}|\d+\.\d|(?![12]\d{{3}}$)\d{{4}})|\d{{5}}")
_STRETCH = re.compile(r"\S+")


@dataclass(frozen=True, slots=True)
class QueryForms:
    """A word of the query: as it was typed, and the forms under which a text may have it; `wholes` of them are those of
    what it is part of, and say nothing of how frequent it is.

    `alone`: it counts wherever it stands, and not only in a phrase.
    """

    typed: str
    word: str
    forms: frozenset[str]
    prefix: bool = False
    alone: bool = True
    wholes: frozenset[str] = frozenset()


class Match(NamedTuple):
    """The characters `start` to `end` of a text are the query's word of this `number`."""

    start: int
    end: int
    number: int


@dataclass(frozen=True)
class QueryWords:
    """The words of a query, each once, and its phrases as the numbers of their words."""

    words: tuple[QueryForms, ...]
    phrases: tuple[tuple[int, ...], ...]
    languages: tuple[str, ...]


def words_of(parsed: ParsedQuery, languages: Sequence[str]) -> QueryWords:
    """The words that are searched for, not those that are excluded; the first of very many."""
    words: dict[tuple[str, bool], QueryForms] = {}
    phrases: list[list[tuple[str, bool]]] = []
    for clause in parsed.scored:
        found = query_words(clause.text, () if clause.phrase else languages)[: _MAX_WORDS - len(words)]
        is_phrase = clause.phrase and len(found) > 1
        keys = [(each.word, clause.prefix) for each in found]
        for key, each in zip(keys, found, strict=True):
            forms = frozenset(term.term for term in each.terms if not term.adds)
            if not is_phrase:
                forms = forms.union(each.wholes)
            typed = clause.text[each.start : each.end]
            made = QueryForms(typed, each.word, forms, clause.prefix, not is_phrase, frozenset(each.wholes))
            known = words.setdefault(key, made)
            if not is_phrase and not (known.alone and forms <= known.forms):
                words[key] = replace(known, forms=known.forms | forms, alone=True)
        if is_phrase:
            phrases.append(keys)
    numbers = {key: index for index, key in enumerate(words)}
    return QueryWords(
        tuple(words.values()),
        tuple(tuple(numbers[key] for key in keys) for keys in phrases),
        tuple(languages),
    )


@dataclass(frozen=True)
class WordWorth:
    """What each of a query's words is worth: the more, the rarer it is. Those below `least` are too common to tell."""

    values: Sequence[float]
    least: float


def words_in(text: str) -> set[str]:
    """All forms of the words of a text that the matcher of any query may find in it."""
    text = text[:_MAX_TEXT]
    found = {each.form for stretch in set(text.split()) for each in forms_in(stretch)}
    found.update(each.form for each in forms_across(text))
    found.update(each.form for each in forms_across_lines(text))
    return found


def stems_of(word: str, languages: tuple[str, ...]) -> frozenset[str]:
    """The stems under which a word of a text is found by a query of these languages."""
    return _stems(word, languages)


class QueryMatcher:
    """Finds the words of one query in many texts."""

    def __init__(self, query: QueryWords, worth: WordWorth) -> None:
        """Words that are too common are not looked for, unless they are part of a phrase."""
        self.words = query.words
        self.worth = worth.values
        self._phrases = query.phrases
        self._languages = query.languages
        in_phrases = {index for phrase in query.phrases for index in phrase}
        self._alone = {
            index for index, each in enumerate(query.words) if each.alone and self.worth[index] >= worth.least
        }
        self.looked_for = sorted(self._alone | in_phrases)
        self.total_worth = sum(self.worth[index] for index in self.looked_for)
        self._by_form: dict[str, list[int]] = {}
        self._prefixes = [
            (self.words[index].word, index) for index in self.looked_for if self.words[index].prefix
        ]
        for index in self.looked_for:
            for form in (
                () if self.words[index].prefix else {self.words[index].word, *self.words[index].forms}
            ):
                self._by_form.setdefault(form, []).append(index)
        self._may_be_across = any(map(_ACROSS.search, self._by_form))
        self._beginnings = _Beginnings([*self._by_form, *(word for word, _ in self._prefixes)])
        self._known: dict[str, list[Match]] = {}

    def find(self, text: str) -> list[Match]:
        """All matches, in order."""
        if not self.looked_for:
            return []
        text = text[:_MAX_TEXT]
        found = [
            Match(start + match.start, start + match.end, match.number)
            for start, stretch in self._stretches(text)
            for match in self._in_stretch(stretch)
        ]
        found += self._matches(forms_across_lines(text))
        if self._may_be_across:
            found += self._matches(forms_across(text))
        if not self._phrases:
            return sorted(set(found))
        alone = self._alone
        kept = {match for match in found if match.number in alone}
        for phrase in self._phrases:
            kept.update(_side_by_side(found, phrase, text))
        return sorted(kept)

    def _stretches(self, text: str) -> Iterator[tuple[int, str]]:
        """The stretches without white space that may have a match."""
        if _OTHER.search(text):
            yield from ((each.start(), each[0]) for each in _STRETCH.finditer(text))
            return
        plain = text.lower() if text.isascii() else text.translate(_LETTERS)
        end = -1
        for candidate in self._beginnings.places(plain):
            if candidate < end:
                continue
            start = max(plain.rfind(" ", 0, candidate), plain.rfind("\n", 0, candidate)) + 1
            stretch = _STRETCH.search(text, start)
            if stretch is not None:
                end = stretch.end()
                yield stretch.start(), stretch[0]

    def _in_stretch(self, stretch: str) -> list[Match]:
        known = self._known.get(stretch)
        if known is None:
            known = self._known[stretch] = list(self._matches(forms_in(stretch)))
        return known

    def _matches(self, forms: Iterable[Form]) -> Iterator[Match]:
        known = self._by_form.get
        for start, end, form in forms:
            numbers = {*known(form, ())}
            for stem in _stems(form, self._languages):
                numbers.update(known(stem, ()))
            numbers.update(number for prefix, number in self._prefixes if form.startswith(prefix))
            for number in numbers:
                yield Match(start, end, number)


class _Beginnings:
    """Where words may begin in a text in lower case and without accents, also after a letter in another case, and where
    compounds are that may be one of them.

    To compile a pattern for one query takes longer than to search a page of hits for each of its words.
    """

    def __init__(self, forms: Iterable[str]) -> None:
        plain = {folded(form) for form in forms if form}
        self._within = {form[: _PREFIX + (len(form) > 5)] for form in plain if len(form) >= _PREFIX}
        self._whole = {form for form in plain if len(form) < _PREFIX}
        joined = {form.translate(_WITHOUT_SIGNS) for form in plain}
        self._joined = {form[:_PREFIX] for form in joined if len(form) > 1}
        self._canonical = any(_CANONICAL.match(form) for form in plain)

    def places(self, plain: str) -> list[int]:
        """In order; where several words may begin, more than once."""
        found = [sign.start() for sign in _SIGN.finditer(plain) if self._is_compound(plain, sign.start())]
        for form in self._within:
            at = plain.find(form)
            while at >= 0:
                found.append(at)
                at = plain.find(form, at + 1)
        for form in self._whole:
            goes_on = str.isdecimal if form.isdecimal() else str.isalnum
            at = plain.find(form)
            while at >= 0:
                end = at + len(form)
                if not (goes_on(plain[at - 1 : at]) or goes_on(plain[end : end + 1])):
                    found.append(at)
                at = plain.find(form, at + 1)
        found.sort()
        return found

    def _is_compound(self, plain: str, at: int) -> bool:
        """Whether the stretch around this place may have a form, if its signs are left out."""
        start = plain.rfind(" ", 0, at) + 1
        end = plain.find(" ", at)
        stretch = plain[start : end if end >= 0 else None]
        if self._canonical and any(map(str.isdecimal, stretch)):
            return True
        return stretch.translate(_WITHOUT_SIGNS).lstrip(_BEFORE)[:_PREFIX] in self._joined


def _side_by_side(found: Sequence[Match], phrase: Sequence[int], text: str) -> Iterator[Match]:
    """The matches in which a phrase's words follow each other with no other word between them."""
    by_index: dict[int, list[Match]] = {}
    for match in found:
        by_index.setdefault(match.number, []).append(match)
    for first in by_index.get(phrase[0], ()):
        run = [first]
        for index in phrase[1:]:
            following = (
                each
                for each in by_index.get(index, ())
                if each.start > run[-1].start and not any(map(str.isalnum, text[run[-1].end : each.start]))
            )
            if (last := next(following, None)) is None:
                break
            run.append(last)
        else:
            yield from run


@lru_cache(maxsize=20_000)
def _stems(word: str, languages: tuple[str, ...]) -> frozenset[str]:
    return frozenset(stems(word, languages))
