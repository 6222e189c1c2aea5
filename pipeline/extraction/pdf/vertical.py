"""Tells which words of a PDF page are parts of vertical writing, which runs from top to bottom. Pure.

PDFium gives its characters upright, each below the other, as words of their own or several as one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from pipeline.extraction.pdf.words import SOLID, Word

Box = tuple[float, float, float, float]  # left, bottom, right, top

_DOWN = 3  # the direction of text that runs from top to bottom
_LEAST = 4  # characters of a column: fewer may be the cells of a table
_NEAR = 0.3  # of the width of a character, that one may reach into the next
_PITCH = (0.6, 1.4)  # of the width of a character, from one to the next


def with_columns(words: Sequence[Word], boxes: Sequence[Box]) -> list[Word]:
    """The words, where those that stand below one another run downwards; `boxes` are their places."""
    if not any(SOLID.match(word.text) for word in words):
        return list(words)
    result: list[Word] = []
    at = 0
    for size in _runs(words, boxes):
        run = words[at : at + size]
        places = boxes[at : at + size]
        result += _turned(run, places) if _is_column(run, places) else run
        at += size
    return result


def _turned(run: Sequence[Word], boxes: Sequence[Box]) -> Iterator[Word]:
    left, right = min(box[0] for box in boxes), max(box[2] for box in boxes)
    height = max(right - left, 1.0)
    end = boxes[0][3] + height
    for word, (_, bottom, _, top) in zip(run, boxes, strict=True):
        spaced = word.spaced and end - top > 0.05 * height
        # Letters that are turned to run downwards have their base line at this distance from the left.
        y = left + 0.12 * height
        yield replace(word, x0=-top, x1=-bottom, y=y, height=height, direction=_DOWN, spaced=spaced)
        end = bottom


def _runs(words: Sequence[Word], boxes: Sequence[Box]) -> Iterator[int]:
    """The numbers of words that follow one another downwards."""
    size = 0
    stands = [_may_stand(word, box) for word, box in zip(words, boxes, strict=True)]
    for at in range(len(words)):
        if size and not (stands[at - 1] and stands[at] and _is_below(boxes[at], boxes[at - 1])):
            yield size
            size = 0
        size += 1
    if size:
        yield size


def _may_stand(word: Word, box: Box) -> bool:
    """Whether a word is a character of a column, several of them, or a short number in the place of one."""
    if word.direction != 0:
        return False
    if len(word.text) == 1 or box[3] - box[1] > 0.8 * (box[2] - box[0]):
        return SOLID.search(word.text) is not None
    return len(word.text) <= 3 and word.text.isdecimal()


def _is_below(box: Box, before: Box) -> bool:
    widths = box[2] - box[0], before[2] - before[0]
    common = min(box[2], before[2]) - max(box[0], before[0])
    gap = before[1] - box[3]
    return common > 0.8 * min(widths) and -_NEAR * max(widths) < gap < max(widths)


def _is_column(run: Sequence[Word], boxes: Sequence[Box]) -> bool:
    """Whether a run is a column of upright characters that are written so, as high as it has characters."""
    characters = sum(len(word.text) for word in run)
    width = max(box[2] - box[0] for box in boxes)
    high = boxes[0][3] - boxes[-1][1]
    solid = sum(len(SOLID.findall(word.text)) for word in run)
    low, most = (pitch * characters * width for pitch in _PITCH)
    return 2 * solid >= characters >= _LEAST and low < high < most
