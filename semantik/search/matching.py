"""Where the words of a query stand in a text. Pure; fast enough to run on the loop for the hits of a page.

It takes words as `semantik.analysis` does, so that what is marked is what the keyword index has found.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple

from semantik.analysis import query_words, stems, tokens
from semantik.analysis.folding import folded
from semantik.query import ParsedQuery

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
_PARTS = re.compile(r"[A-Z]?[a-z]{2,}|[A-Z]{2,}(?![a-z])")
_STRETCH = re.compile(r"\S+")


@dataclass(frozen=True, slots=True)
class QueryForms:
    """A word of the query: as it was typed, and the forms under which a text may have it.

    `alone`: it counts wherever it stands, and not only in a phrase.
    """

    typed: str
    word: str
    forms: frozenset[str]
    prefix: bool = False
    alone: bool = True

    def fits(self, word: str, languages: tuple[str, ...]) -> bool:
        if self.prefix:
            return word.startswith(self.word)
        return word in self.forms or not self.forms.isdisjoint(_stems(word, languages))


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
    for clause in (*(each for group in parsed.required for each in group), *parsed.optional):
        found = query_words(clause.text, () if clause.phrase else languages)
        if len(words) + len(found) > _MAX_WORDS:
            break
        is_phrase = clause.phrase and len(found) > 1
        keys = [(each.word, clause.prefix) for each in found]
        for key, each in zip(keys, found, strict=True):
            forms = frozenset(term.term for term in each.terms if not term.adds)
            typed = clause.text[each.start : each.end]
            known = words.setdefault(key, QueryForms(typed, each.word, forms, clause.prefix, not is_phrase))
            if not is_phrase and not known.alone:
                words[key] = replace(known, alone=True)
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
    """All words of a text that the matcher of any query may find in it."""
    return {word for stretch in set(text[:_MAX_TEXT].split()) for _, _, word in _tokens(stretch)}


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
        self._beginnings = _Beginnings([query.words[index] for index in self.looked_for])
        self._known: dict[str, list[Match]] = {}

    def find(self, text: str) -> list[Match]:
        """All matches, in order."""
        if not self.looked_for:
            return []
        found = [
            Match(start + match.start, start + match.end, match.number)
            for start, stretch in self._stretches(text[:_MAX_TEXT])
            for match in self._in_stretch(stretch)
        ]
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
            known = self._known[stretch] = [
                Match(start, end, index)
                for start, end, word in _tokens(stretch)
                for index in self.looked_for
                if self.words[index].fits(word, self._languages)
            ]
        return known


class _Beginnings:
    """Where words may begin in a text in lower case and without accents, also after a letter in another case.

    To compile a pattern for one query takes longer than to search a page of hits for each of its words.
    """

    def __init__(self, words: Sequence[QueryForms]) -> None:
        forms = {form for each in words for form in (each.word, *each.forms) if form}
        self._within = {form[: _PREFIX + (len(form) > 5)] for form in forms if len(form) >= _PREFIX}
        self._whole = {form for form in forms if len(form) < _PREFIX}

    def places(self, plain: str) -> list[int]:
        """In order; where several words may begin, more than once."""
        found: list[int] = []
        for form in self._within:
            at = plain.find(form)
            while at >= 0:
                found.append(at)
                at = plain.find(form, at + 1)
        for form in self._whole:
            at = plain.find(form)
            while at >= 0:
                end = at + len(form)
                if not (plain[at - 1 : at].isalnum() or plain[end : end + 1].isalnum()):
                    found.append(at)
                at = plain.find(form, at + 1)
        found.sort()
        return found


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
def _tokens(stretch: str) -> tuple[tuple[int, int, str], ...]:
    found = [(each.start, each.end, each.word) for each in tokens(stretch)]
    if not stretch[1:].islower():  # joined words are found by their parts, too
        parts = list(_PARTS.finditer(stretch))
        found += [(each.start(), each.end(), each[0].lower()) for each in parts if len(parts) > 1]
    return tuple(found)


@lru_cache(maxsize=20_000)
def _stems(word: str, languages: tuple[str, ...]) -> frozenset[str]:
    return frozenset(stems(word, languages))
