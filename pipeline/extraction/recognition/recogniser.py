"""Recognises the text of the picture of one page, however it is turned. Runs in the worker processes.

The lines' direction is measured first; which of their two ends is the beginning, the better of two attempts tells. A
page that lies straight needs one run of tesseract.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from PIL import Image, ImageStat

from pipeline.extraction.recognition.skew import line_direction
from pipeline.extraction.recognition.tesseract import Word, recognise

_PAGE_LAYOUT, _SPARSE_LAYOUT = 3, 11  # tesseract's page segmentation: a page of text; single words anywhere
_GOOD_CONFIDENCE = 75.0  # mean of a page's words from which no other orientation is tried
_WORD_CONFIDENCE = 20.0  # a word below it is left out, also in a line that is text
# Mean of a line's words, and its letters and digits, below which the line is noise. Sparse words are found in every
# photograph: they have to be surer.
_MIN_CONFIDENCE = {_PAGE_LAYOUT: 55.0, _SPARSE_LAYOUT: 80.0}
_MIN_LINE_LETTERS = {_PAGE_LAYOUT: 1, _SPARSE_LAYOUT: 3}
_MIN_PAGE_LETTERS = {_PAGE_LAYOUT: 3, _SPARSE_LAYOUT: 5}
_LONG_TEXT = 60  # letters and digits; a page with fewer must have the confidence of good text
_SURE_CONFIDENCE = 90.0  # a page whose lines all have fewer than 3 letters must have it, as the sign "B4"
_MIN_SKEW = 0.2  # degrees
_BROKEN_WORD = re.compile(r"(?<=[^\W\d_])-\n(?=[^\W\d_])")


@dataclass(frozen=True)
class RecognisedText:
    """`text` is empty where the picture shows none; `confidence` is the mean of the words', 0 to 100.

    `turned` are the degrees counter-clockwise by which the picture was turned to read it, `skew` included.
    """

    text: str
    confidence: float = 0.0
    turned: float = 0.0


def recognise_picture(picture: Image.Image, languages: str, deadline: float) -> RecognisedText:
    """The text of a grey picture with dark text; for the other arguments and errors see `tesseract.recognise`."""
    best, best_score = RecognisedText(""), 0.0
    for degrees, layout in _attempts(picture):
        if layout == _SPARSE_LAYOUT and best.text:
            break
        words = recognise(_turned(picture, degrees), languages, layout=layout, deadline=deadline)
        kept = _without_noise(words, layout)
        confidence = _mean(kept)
        score = confidence * sum(len(word.text) for word in kept)
        if score > best_score:
            best, best_score = RecognisedText(_text(kept), round(confidence, 1), degrees), score
        if confidence >= _GOOD_CONFIDENCE and 2 * len(kept) > len(words):
            break
    return best


def _attempts(picture: Image.Image) -> Iterator[tuple[float, int]]:
    """(degrees to turn the picture counter-clockwise, page segmentation), the likeliest first."""
    direction = line_direction(picture)
    skew = direction.degrees if abs(direction.degrees) >= _MIN_SKEW else 0.0
    quarter = 90.0 if direction.vertical else 0.0
    yield quarter + skew, _PAGE_LAYOUT
    yield quarter + skew + 180, _PAGE_LAYOUT
    yield 0.0, _SPARSE_LAYOUT


def _turned(picture: Image.Image, degrees: float) -> Image.Image:
    quarters, rest = round(degrees / 90) % 4, degrees - 90 * round(degrees / 90)
    if quarters:
        turn = (Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_180, Image.Transpose.ROTATE_270)
        picture = picture.transpose(turn[quarters - 1])
    if rest:
        picture = picture.rotate(rest, Image.Resampling.BICUBIC, expand=True, fillcolor=_paper(picture))
    return picture


def _paper(picture: Image.Image) -> int:
    """The grey of the paper, the median: what is uncovered by turning the page must not look like an edge."""
    return round(ImageStat.Stat(picture).median[0])


def _without_noise(words: Sequence[Word], layout: int) -> list[Word]:
    """The words of the lines that are text by their confidence; none if the page as a whole is not text."""
    lines = [list(line) for _, line in groupby(words, key=lambda word: word.line)]
    lines = [
        line
        for line in lines
        if _mean(line) >= _MIN_CONFIDENCE[layout] and _letters(line) >= _MIN_LINE_LETTERS[layout]
    ]
    kept = [word for line in lines for word in line if word.confidence >= _WORD_CONFIDENCE]
    letters = _letters(kept)
    has_word = any(_letters(line) >= _MIN_LINE_LETTERS[_SPARSE_LAYOUT] for line in lines)
    least = _SURE_CONFIDENCE if not has_word else _GOOD_CONFIDENCE if letters < _LONG_TEXT else 0.0
    enough = letters >= _MIN_PAGE_LETTERS[layout] or not has_word
    return kept if enough and _mean(kept) >= least else []


def _letters(words: Sequence[Word]) -> int:
    return sum(sum(map(str.isalnum, word.text)) for word in words)


def _mean(words: Sequence[Word]) -> float:
    """The mean confidence, by letters."""
    length = sum(len(word.text) for word in words)
    return sum(word.confidence * len(word.text) for word in words) / length if length else 0.0


def _text(words: Sequence[Word]) -> str:
    """Lines as lines, paragraphs apart, words that are broken at the end of a line joined."""
    paragraphs = []
    for _, paragraph in groupby(words, key=lambda word: word.line[:2]):
        lines = [" ".join(word.text for word in line) for _, line in groupby(paragraph, key=lambda w: w.line)]
        paragraphs.append(_BROKEN_WORD.sub("", "\n".join(lines)))
    return "\n\n".join(paragraphs)
