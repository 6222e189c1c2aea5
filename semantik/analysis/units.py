"""The words of a stretch without white space: parts and wholes of compounds, bigrams where no spaces are. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from itertools import pairwise
from typing import NamedTuple

import regex

from semantik.analysis.cache import BoundedCache
from semantik.analysis.dates import dates_of, dates_within, ideographic_dates
from semantik.analysis.folding import Aligned, exact, folded
from semantik.analysis.numbers import clock_time, dialled, ordinal, percentage, readings


class Unit(NamedTuple):
    """One word of a stretch: where it is, and the forms under which it is stored and looked up.

    `others` are forms that find it: `parts` of a joined word, other readings of a number. Of a compound, its first word
    has what it is as a whole, up to `whole_end`: `joined`, without its signs, and `wholes`, with them and in canonical
    form.
    """

    start: int
    end: int
    word: str
    exact: str
    others: tuple[str, ...] = ()
    wholes: tuple[str, ...] = ()
    joined: tuple[str, ...] = ()
    whole_end: int = 0
    parts: tuple[str, ...] = ()


class Run(NamedTuple):
    """Two or more characters of a script without spaces, folded, of which each pair is a word; marks go with a letter.

    `lengths` are those of the characters before folding; the run begins at `offset` of `aligned`.
    """

    characters: tuple[str, ...]
    lengths: tuple[int, ...]
    aligned: Aligned
    offset: int


_STRETCH = re.compile(r"\S+")
_BIGRAM_SCRIPTS = r"\p{Han}\p{Hiragana}\p{Katakana}ー\p{Hangul}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
_BIGRAM_CHARACTER = regex.compile(rf"[{_BIGRAM_SCRIPTS}]")
_BIGRAM_RUN = regex.compile(rf"[{_BIGRAM_SCRIPTS}]++")
_RUN = regex.compile(rf"[{_BIGRAM_SCRIPTS}\p{{M}}]++")
_SIGNS = "-_'’‐&@/:."
# What is typed for an apostrophe; in Ukrainian it is a letter to Unicode.
_APOSTROPHE = re.compile("[ʼʹ′‘`]")
_WORD = r"[\p{L}\p{M}\p{N}]"
# Words that signs join without a space between; a comma joins only digits. Signs at the end belong to C++ and 5 %.
_COMPOUND_OF = (
    r"(?:(?<![{w}.])[.](?=[{l}]))?(?:(?<![{w}])_{{1,2}})?[{w}]++"
    r"(?:(?:[-_'’‐&@/:+#.]{{1,3}}|(?<=[0-9]),(?=[0-9]){h})[{w}]++)*+"
    r"(?:\+\+|[#+%](?![{w}])|__?(?![{w}]))?+"
)
_IN_HEBREW = r"|(?<=\p{Hebrew})[\"״](?=\p{Hebrew}\b)"  # before the last letter of an abbreviation
_COMPOUND = regex.compile(_COMPOUND_OF.format(w=r"\p{L}\p{M}\p{N}", l=r"\p{L}", h=_IN_HEBREW))
_ASCII_COMPOUND = re.compile(
    _COMPOUND_OF.format(w="A-Za-z0-9", l="A-Za-z", h="")
)  # a third of the time of the other
_PART = regex.compile(
    rf"(?P<run>(?:(?=[{_BIGRAM_SCRIPTS}])\p{{L}}\p{{M}}*+)++)|(?:(?![{_BIGRAM_SCRIPTS}]){_WORD}|\p{{Nd}})++|\p{{M}}++"
)
_ASCII_PART = re.compile(r"[A-Za-z0-9]+")
_NUMBER = re.compile(r"(?<![A-Za-z0-9])[0-9]+(?:[.,'][0-9]+)+(?![0-9])")
_NEXT_TO_NO_NUMBER = {*"._,'"}
_CLUSTER = regex.compile(r"\P{M}\p{M}*+|\p{M}++")
_INNER = regex.compile(r"\p{Lu}?[\p{Ll}\p{M}]++|\p{Lu}+(?!\p{Ll})|\p{Lu}|[\p{L}\p{M}]++|\p{N}++")
# What French and Italian put before a vowel: `l'eau` is two words, not a compound as `don't` or `O'Hara`.
_ELISION = regex.compile(
    r"(?:[cdjlmnst]|qu|jusqu|lorsqu|puisqu|un|all|dall|dell|nell|sull|quest|quell)'[^'.@/:]+"
)
_NAME_AFTER_SIGN = regex.compile(r"['’]\p{Lu}\p{Ll}")  # D'Angelo
_VERSION = regex.compile(r"v(\d+(?:\.\d+)+\S*)")
_SCHEME = regex.compile(r"^(?:(?:https?|ftp|file)://)?(?:www\.)?")
_SEPARATOR = regex.compile(r"[/@:]+")
# A URL or a path of many parts is not typed without its signs, a number of an account or a device is.
_JOINED_PARTS, _JOINED_CHARACTERS = 4, 40
_LONG_NUMBER = 8
_MOST_INNER = 4
_LONGEST = 64

_known: BoundedCache[str, tuple[Unit | Run, ...]] = BoundedCache(4096)


def stretches(text: str) -> Iterator[tuple[int, str]]:
    """The stretches of a text that white space separates, with their offsets."""
    return ((each.start(), each[0]) for each in _STRETCH.finditer(text))


def units(stretch: str) -> list[Unit]:
    """The words of a stretch of text without white space, in order; runs as bigrams."""
    found = _known.get(stretch)
    if found is None:
        found = tuple(pieces(stretch))
        if len(stretch) <= _LONGEST:
            _known.put(stretch, found)
    listed: list[Unit] = []
    for piece in found:
        if isinstance(piece, Unit):
            listed.append(piece)
        else:
            listed += _bigrams(piece)
    return listed


def pieces(stretch: str) -> list[Unit | Run]:
    """The words of a stretch of text without white space, in order, with runs in one piece."""
    aligned = Aligned(stretch)
    if _APOSTROPHE.search(aligned.text):
        aligned.text = _APOSTROPHE.sub("'", aligned.text)
    if aligned.text.isalpha():
        if not _BIGRAM_CHARACTER.search(aligned.text):
            return list(_word(aligned, 0, aligned.text))
        if _BIGRAM_RUN.fullmatch(aligned.text):
            return list(_run(aligned, 0, aligned.text))
    compounds = _ASCII_COMPOUND if aligned.text.isascii() else _COMPOUND
    return [
        piece
        for compound in compounds.finditer(aligned.text)
        for piece in _compound(aligned, compound.start(), compound[0])
    ]


def _compound(aligned: Aligned, offset: int, text: str) -> list[Unit | Run]:
    if text[0].isdecimal() and (numbers := readings(text)):
        start, end = aligned.span(offset, offset + len(text))
        return [Unit(start, end, numbers[0], text, numbers[1:])]
    found: list[Unit | Run] = []
    at = 0
    for number in filter(partial(_is_number, text), _NUMBER.finditer(text)):
        found += _parts(aligned, offset, text, at, number.start())
        start, at = number.span()
        first, *others = readings(number[0])
        found.append(Unit(*aligned.span(offset + start, offset + at), first, number[0], tuple(others)))
    found += _parts(aligned, offset, text, at, len(text))
    has_runs = any(isinstance(each, Run) for each in found)
    if has_runs and not text.isalnum():
        wholes = [whole for stretch in _RUN.split(text) for whole in _wholes(stretch.strip(_SIGNS))]
    else:
        wholes = _wholes(text)
    if wholes:
        _put_wholes(found, wholes, text, has_numbers=at > 0, end=aligned.span(offset, offset + len(text))[1])
    return found


def _is_number(text: str, found: re.Match[str]) -> bool:
    """Whether digits with signs, in a compound, are a number: no version, no part of a name or an address."""
    return (
        text[found.start() - 1 : found.start()] not in _NEXT_TO_NO_NUMBER
        and text[found.end() : found.end() + 1] not in _NEXT_TO_NO_NUMBER
        and bool(readings(found[0]))
    )


def _parts(aligned: Aligned, offset: int, text: str, start: int, end: int) -> Iterator[Unit | Run]:
    """The words and runs of a compound between two places of it."""
    if text.isascii():
        for part in _ASCII_PART.finditer(text, start, end):
            yield from _word(aligned, offset + part.start(), part[0])
        return
    for part in _PART.finditer(text, start, end):
        read = _run if part.start("run") >= 0 else _word
        yield from read(aligned, offset + part.start(), part[0])


def _wholes(text: str) -> list[str]:
    """What a compound is stored as besides its words: itself, the parts of a path or address, a date or time."""
    has_digits = any(map(str.isdecimal, text))
    if text.isalnum():
        time = clock_time(folded(text)) if has_digits else None
        if time or not has_digits:
            return [time] if time else []
        return [*dates_of(folded(text)), *ideographic_dates(text)]
    plain = folded(exact(text))
    if len(text) > _LONGEST or (
        "'" in plain and _ELISION.fullmatch(plain) and not _NAME_AFTER_SIGN.search(text)
    ):
        return []
    plain = _SCHEME.sub("", plain)
    found = [plain]
    if has_digits:
        found = [clock_time(plain) or percentage(plain) or plain, *dates_of(plain), *dates_within(plain)]
        if version := _VERSION.fullmatch(plain):
            found.append(version[1])
    if "/" in plain or "@" in plain:
        found += [each for each in _SEPARATOR.split(plain) if not each.isalnum()]
    return list(dict.fromkeys(filter(None, found)))


def _put_wholes(found: list[Unit | Run], wholes: list[str], text: str, has_numbers: bool, end: int) -> None:
    """Give the first word of a compound its wholes, and the form without signs."""
    words = [each for each in found if isinstance(each, Unit)]
    may_join = not has_numbers and not text.isalnum() and len(words) == len(found)
    joined = _joined([each.word for each in words]) if may_join else ()
    for index, first in enumerate(found):
        if isinstance(first, Unit):
            own = tuple(each for each in wholes if each != first.word)
            found[index] = first._replace(wholes=(*first.wholes, *own), joined=joined, whole_end=end)
            return


def _joined(words: list[str]) -> tuple[str, ...]:
    """A compound without its signs; nothing of one that nobody writes so."""
    joined = "".join(words)
    has_digits = not joined.isalpha() and any(map(str.isdecimal, joined))
    if len(words) < 2 or (
        len(words) > _JOINED_PARTS and not (has_digits and len(joined) <= _JOINED_CHARACTERS)
    ):
        return ()
    return (joined, *dialled(joined)) if joined.isdecimal() else (joined,)


def _word(aligned: Aligned, offset: int, text: str) -> Iterator[Unit]:
    start, end = aligned.span(offset, offset + len(text))
    word = folded(text)
    others: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    if not text.isalpha() or text[1:] != text[1:].lower():
        inner = [folded(each) for each in _INNER.findall(text)]
        if text.isdecimal():
            others = dialled(word, abroad=aligned.text[offset - 1 : offset] == "+")
        elif number := ordinal(word):
            others = (number,)
        elif len(inner) > _MOST_INNER and 2 * sum(map(str.isdecimal, inner)) >= len(inner) - 1:
            pass  # a number to the base of 16
        elif len(inner) > 1:
            # Two letters before a long number are the country of an account, and say little.
            least = 2 if any(len(each) >= _LONG_NUMBER and each.isdecimal() for each in inner) else 1
            others = tuple(
                each for each in inner if len(each) > least or (each.isdecimal() and len(word) > 2)
            )
            parts = tuple(inner)
    yield Unit(start, end, word, word if text.isascii() else exact(text), others, parts=parts)


def _run(aligned: Aligned, offset: int, text: str) -> Iterator[Unit | Run]:
    clusters = text if text.isalpha() else [each[0] for each in _CLUSTER.finditer(text)]
    if len(clusters) == 1:
        word = folded(text)
        yield Unit(*aligned.span(offset, offset + len(text)), word, word)
    else:
        yield Run(tuple(clusters), tuple(map(len, clusters)), aligned, offset)


def _bigrams(run: Run) -> Iterator[Unit]:
    start = run.offset
    for (first, second), (length, other) in zip(pairwise(run.characters), pairwise(run.lengths), strict=True):
        yield Unit(*run.aligned.span(start, start + length + other), first + second, first + second)
        start += length
