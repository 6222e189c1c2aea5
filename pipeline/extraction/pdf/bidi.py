"""Words of right-to-left scripts in the order in which they are read. Pure; runs in the worker processes."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from pipeline.extraction.pdf.words import Word


def logical(words: Sequence[Word], rtl: bool) -> list[Word]:
    """The words of a line, which has a word of a right-to-left script, in logical order.

    `rtl` is the direction of the line. Words of the other direction, and numbers between them, keep their own order.
    Within a word the letters are in logical order already.
    """
    visual = sorted(words, key=lambda word: (word.x0 + word.x1) / 2)
    if rtl:
        visual.reverse()
    result: list[Word] = []
    run: list[Word] = []
    for word in visual:
        if _against(word, rtl):
            run.append(word)
            continue
        if run and not _has_letter(word) and not _has_digit(word):
            run.append(word)  # a sign between: it belongs to the run if the run goes on after it
            continue
        result += _turned(run, rtl)
        run = []
        result.append(word)
    return result + _turned(run, rtl)


def _turned(run: list[Word], rtl: bool) -> list[Word]:
    """The run in its own order; signs at its end belong to the line. Numbers alone follow the line's direction."""
    if rtl and not any(map(_has_letter, run)):
        return run
    end = len(run)
    while end and not _against(run[end - 1], rtl):
        end -= 1
    return run[:end][::-1] + run[end:]


def _against(word: Word, rtl: bool) -> bool:
    """Whether the word is read against the direction of the line."""
    if rtl:
        return not word.rtl and (_has_letter(word) or _has_digit(word))
    return word.rtl


def _has_letter(word: Word) -> bool:
    return any(unicodedata.bidirectional(character) in ("L", "R", "AL") for character in word.text)


def _has_digit(word: Word) -> bool:
    return any(character.isdigit() for character in word.text)
