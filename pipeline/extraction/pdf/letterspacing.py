"""Joins the letters of letterspaced words of a PDF page, which PDFium takes for words each. Pure."""

from __future__ import annotations

import re
import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from pipeline.extraction.pdf.words import SKEWED, Glyph, Word

_LETTERS = 4  # of a run, each a word: fewer may be initials or signs of a formula
_LOOSE = 0.06  # of the height: letters that are closer are not spaced
_WIDEST = 0.6  # of the height: letters that are farther from one another are cells of a table
_TOUCHING = 0.05  # of the height: the least gap that may be a space
_NARROW = 0.18  # of the height: a space is seldom narrower
_SPACE = 0.14  # of the height, that a gap between words is wider than one between letters
_SHORT = 3  # characters that PDFium may still take for one word
_SPREAD = re.compile(rf"(?:m{{0,8}}s){{{_LETTERS}}}")  # single letters, with short words between them


def joined_letters(
    words: Sequence[Word], glyphs_of: Callable[[Word], Sequence[Glyph]], is_written: Callable[[Word], bool]
) -> list[Word]:
    """The words, with one in place of the letters of each letterspaced word.

    `is_written` tells whether the space before a word is a character of the page.
    """
    _join_parts(words, glyphs_of, is_written)
    kinds = "".join(map(_kind, words))
    if _SPREAD.search(kinds) is None:
        return list(words)
    result: list[Word] = []
    for run in _runs(words):
        letters = sum(len(word.text) == 1 and word.text.isalpha() for word in run)
        if letters < _LETTERS or _is_list(run):
            result += run
        else:
            result += _joined(run, glyphs_of, is_written)
    return result


def _join_parts(
    words: Sequence[Word], glyphs_of: Callable[[Word], Sequence[Glyph]], is_written: Callable[[Word], bool]
) -> None:
    """Take the spaces from parts of words that are hardly farther apart than the letters of one of them."""
    apart: float | None = None
    for before, word in pairwise(words):
        if not _may_be_parts(before, word):
            apart = None
            continue
        longer = before if len(before.text) > len(word.text) else word
        if len(longer.text) > 1:
            apart = statistics.median(_inner_gaps(longer, glyphs_of))
        near = apart is not None and word.x0 - before.x1 < apart + _TOUCHING * word.height
        if near and not is_written(word):
            word.spaced = False


def _may_be_parts(before: Word, word: Word) -> bool:
    return (
        word.spaced
        and _TOUCHING * word.height <= word.x0 - before.x1 < _NARROW * word.height
        and abs(word.y - before.y) < 0.05 * word.height
        and word.direction == before.direction
        and not (word.rtl or before.rtl)
    )


def _inner_gaps(word: Word, glyphs_of: Callable[[Word], Sequence[Glyph]]) -> list[float]:
    glyphs = sorted(glyphs_of(word), key=lambda glyph: glyph.x0)
    return [after.x0 - before.x1 for before, after in pairwise(glyphs)] or [0.0]


def _is_list(run: Sequence[Word]) -> bool:
    """Whether letters follow one another in the alphabet, or are the same: cells, labels or an index."""
    codes = [ord(word.text[0]) for word in run]
    steps = [after - before for before, after in pairwise(codes)]
    return sum(step in (0, 1) for step in steps) * 4 >= len(steps) * 3


def _kind(word: Word) -> str:
    text = word.text
    return "s" if len(text) == 1 and text.isalpha() else "m" if len(text) <= _SHORT else "l"


def _runs(words: Sequence[Word]) -> Iterator[list[Word]]:
    """Neighbours on a line that are short, and too far from one another to touch."""
    run: list[Word] = []
    for word in words:
        if run and not _may_follow(run[-1], word):
            yield run
            run = []
        run.append(word)
    if run:
        yield run


def _may_follow(before: Word, word: Word) -> bool:
    height = word.height
    return (
        len(before.text) <= _SHORT
        and len(word.text) <= _SHORT
        and word.direction == before.direction != SKEWED
        and not (word.rtl or before.rtl)
        and abs(word.y - before.y) < 0.05 * height
        and abs(before.height - height) < 0.05 * height
        and _LOOSE * height < word.x0 - before.x1 < 2 * height
    )


def _joined(
    run: list[Word], glyphs_of: Callable[[Word], Sequence[Glyph]], is_written: Callable[[Word], bool]
) -> list[Word]:
    height = run[0].height
    inner = [gap for word in run if len(word.text) > 1 for gap in _inner_gaps(word, glyphs_of)]
    between = [word.x0 - before.x1 for before, word in pairwise(run)]
    apart = statistics.median(between)
    if apart > _WIDEST * height or any(gap < _LOOSE * height for gap in inner):
        return run
    result = [run[0]]
    for gap, word in zip(between, run[1:], strict=True):
        if gap > apart + _SPACE * height or is_written(word):
            result.append(word)
        else:
            before = result[-1]
            result[-1] = replace(before, text=before.text + word.text, x1=word.x1, end=word.end)
    return result
