"""The words of a stretch without white space: parts and wholes of compounds, bigrams where no spaces are. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

import regex

from semantik.analysis.folding import Aligned, exact, folded
from semantik.analysis.numbers import readings


class Unit(NamedTuple):
    """One word: offsets in its stretch, folded and exact form, other forms that find it, wholes that begin here."""

    start: int
    end: int
    word: str
    exact: str
    others: tuple[str, ...]
    wholes: tuple[str, ...]


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
        return [Unit(0, len(stretch), word, word, (), ())]
    aligned = Aligned(stretch)
    found: list[Unit] = []
    for compound in _COMPOUND.finditer(aligned.text):
        found += _compound(aligned, compound.start(), compound[0])
    return found


def _compound(aligned: Aligned, offset: int, text: str) -> list[Unit]:
    numbers = readings(text)
    if numbers:
        start, end = aligned.span(offset, offset + len(text))
        return [Unit(start, end, numbers[0], text, numbers[1:], (text,))]
    found: list[Unit] = []
    for part in _PART.finditer(text):
        if part["bigrams"]:
            found += _bigrams(aligned, offset + part.start(), part[0])
        else:
            found.append(_word(aligned, offset + part.start(), part[0]))
    if found and len(text) <= _LONGEST and not text.isalnum():
        whole = folded(exact(text))
        if whole != found[0].word:
            joined = "".join(unit.word for unit in found)
            others = (joined,) if len(found) > 1 and not found[0].wholes else ()
            first = found[0]
            found[0] = first._replace(wholes=(*first.wholes, whole), others=(*first.others, *others))
    return found


def _word(aligned: Aligned, offset: int, text: str) -> Unit:
    start, end = aligned.span(offset, offset + len(text))
    word, spelled = folded(text), exact(text)
    others: list[str] = []
    inner = [folded(each) for each in _INNER.findall(text)]
    if len(inner) > 1:
        others += [each for each in inner if len(each) > 1]
    return Unit(start, end, word, spelled, tuple(others), (spelled,) if spelled != word else ())


def _bigrams(aligned: Aligned, offset: int, text: str) -> list[Unit]:
    clusters = [(each.start(), each.end(), each[0]) for each in _CLUSTER.finditer(text)]
    wholes = tuple(each[0] for each in _KATAKANA.finditer(text))
    found: list[Unit] = []
    for first, second in zip(clusters, clusters[1:] or clusters, strict=False):
        start, end = aligned.span(offset + first[0], offset + second[1])
        pair = folded(text[first[0] : second[1]])
        singles = (
            ()
            if first is second
            else (folded(first[2]), *((folded(second[2]),) if second is clusters[-1] else ()))
        )
        found.append(Unit(start, end, pair, pair, singles, wholes if not found else ()))
    return found
