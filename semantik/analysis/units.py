"""The words of a stretch without white space: parts and wholes of compounds, bigrams where no spaces are. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import regex

from semantik.analysis.folding import Aligned, exact, folded
from semantik.analysis.numbers import readings


class Unit(NamedTuple):
    """One word of a stretch: where it is, and the forms under which it is stored and looked up.

    `others` are forms that find it: parts of a joined word, compounds without their signs. `singles` are stored only:
    the characters of a bigram. `wholes` are compounds that begin with this word.
    """

    start: int
    end: int
    word: str
    exact: str
    others: tuple[str, ...] = ()
    singles: tuple[str, ...] = ()
    wholes: tuple[str, ...] = ()


_STRETCH = re.compile(r"\S+")
_BIGRAM_SCRIPTS = r"\p{Han}\p{Hiragana}\p{Katakana}ー\p{Hangul}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
_WORD = r"[\p{L}\p{M}\p{N}]"
_COMPOUND = regex.compile(
    rf"\.?{_WORD}++(?:(?:[-_'’‐&@/:+#.]{{1,3}}|(?<=\d),(?=\d)){_WORD}++)*+(?:\+\+|[#+](?!{_WORD}))?+"
)
_PART = regex.compile(
    rf"(?P<bigrams>(?:(?=[{_BIGRAM_SCRIPTS}])[\p{{L}}\p{{M}}])++)|(?:(?![{_BIGRAM_SCRIPTS}]){_WORD})++"
)
_CLUSTER = regex.compile(r"\P{M}\p{M}*+|\p{M}++")
_KATAKANA = regex.compile(r"[\p{Katakana}ー]{3,}")
_INNER = regex.compile(r"\p{Lu}?\p{Ll}[\p{Ll}\p{M}]*+|\p{Lu}++(?!\p{Ll})|\p{Lu}|\p{L}[\p{L}\p{M}]*+|\p{N}++")
_LONGEST = 64


def stretches(text: str) -> Iterator[tuple[int, str]]:
    """The stretches of a text that white space separates, with their offsets."""
    return ((each.start(), each[0]) for each in _STRETCH.finditer(text))


def units(stretch: str) -> list[Unit]:
    """The words of a stretch of text without white space, in order."""
    if stretch.isascii() and stretch.isalpha() and (stretch[1:].islower() or stretch.isupper()):
        word = stretch.lower()
        return [Unit(0, len(stretch), word, word)]
    aligned = Aligned(stretch)
    found: list[Unit] = []
    for compound in _COMPOUND.finditer(aligned.text):
        found += _compound(aligned, compound.start(), compound[0])
    return found


def _compound(aligned: Aligned, offset: int, text: str) -> list[Unit]:
    if numbers := readings(text):
        start, end = aligned.span(offset, offset + len(text))
        return [Unit(start, end, numbers[0], text, others=numbers[1:], wholes=(text,))]
    found: list[Unit] = []
    for part in _PART.finditer(text):
        make = _bigrams if part["bigrams"] else _word
        found += make(aligned, offset + part.start(), part[0])
    if not text.isalnum() and len(text) <= _LONGEST and found:
        whole = folded(exact(text))
        first = found[0]
        if whole != first.word:
            joined = ("".join(unit.word for unit in found),) if len(found) > 1 and not first.wholes else ()
            found[0] = first._replace(wholes=(*first.wholes, whole), others=(*first.others, *joined))
    return found


def _word(aligned: Aligned, offset: int, text: str) -> list[Unit]:
    start, end = aligned.span(offset, offset + len(text))
    inner = _INNER.findall(text)
    others = tuple(folded(each) for each in inner if len(each) > 1) if len(inner) > 1 else ()
    return [Unit(start, end, folded(text), exact(text), others=others)]


def _bigrams(aligned: Aligned, offset: int, text: str) -> list[Unit]:
    clusters = [(each.start(), each.end(), each[0]) for each in _CLUSTER.finditer(text)]
    if len(clusters) == 1:
        word = folded(text)
        return [Unit(*aligned.span(offset, offset + len(text)), word, word)]
    found: list[Unit] = []
    for first, second in pairwise(clusters):
        start, end = aligned.span(offset + first[0], offset + second[1])
        pair = folded(text[first[0] : second[1]])
        singles = (first[2], second[2]) if second is clusters[-1] else (first[2],)
        found.append(Unit(start, end, pair, pair, singles=tuple(folded(each) for each in singles)))
    found[0] = found[0]._replace(wholes=tuple(each[0] for each in _KATAKANA.finditer(text)))
    return found
