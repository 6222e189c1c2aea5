"""Cuts a document's text into passages that the model can read whole. Pure; runs in the worker processes.

Knows nothing of files or models: the tokenizer comes in, passages with their offsets, pages and headings go out.
"""

from __future__ import annotations

import bisect
import itertools
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from semantic_text_splitter import MarkdownSplitter, TextSplitter

from pipeline.compute.messages import TextChunk
from pipeline.extraction.extract import WORD, Extracted
from pipeline.extraction.outline import Outline

WINDOW = 32_768  # characters split at a time: the splitter's time grows faster than its text
FILL = 0.85  # of the allowed tokens; what still turns out too long is split once more
MAX_CHARS_PER_TOKEN = 10  # a word that the tokenizer does not know is one token, however long it is

# Text without its margins and its deserts of whitespace, in which the Markdown splitter would lose minutes.
_DENSE = re.compile(r"\S+(?:\s{1,200}\S+)*")


@dataclass(frozen=True)
class _Span:
    """`text` begins at `start`, inside the section that begins at `section`; its margins are no whitespace."""

    text: str
    start: int
    section: int

    @property
    def end(self) -> int:
        return self.start + len(self.text)


def split(
    extracted: Extracted, tokenizer: Any, chunk_size: int, chunk_overlap: int, room: int
) -> tuple[TextChunk, ...]:
    """Passages of at most `min(chunk_size, room)` tokens, in order; each has a letter or a digit.

    None crosses the border of a page, or the beginning of a Markdown heading that stands below text; so the page and
    the heading are those of the whole passage. Neighbours on the same side of a border share up to `chunk_overlap`
    tokens. Between two that share nothing lies only what has no letter or digit: whitespace, or a rule that did not
    fit its neighbours. `tokenizer` must not truncate. Offsets are characters of `extracted.text`; the time is linear
    in its length.
    """
    text = extracted.text
    page_starts = [start for _, start in extracted.pages]
    outline = Outline(text, page_starts) if extracted.markdown else None
    borders = sorted({*page_starts, *(outline.borders() if outline else ())})
    size = max(1, min(chunk_size, room))
    splitter = MarkdownSplitter if extracted.markdown else TextSplitter
    cutter = _Splitter(tokenizer, splitter, size, min(chunk_overlap, size - 1))
    chunks = []
    for windows in _batches(_windows(text, borders)):
        for piece in cutter.joined(text, cutter.fitting(windows)):
            page = bisect.bisect_right(page_starts, piece.start) - 1
            chunks.append(
                TextChunk(
                    piece.text,
                    piece.start,
                    piece.end,
                    extracted.pages[page][0] if page >= 0 else None,
                    outline.path(piece.start, piece.end) if outline else None,
                )
            )
    return tuple(chunks)


def _windows(text: str, borders: Sequence[int]) -> Iterator[_Span]:
    """What can be split for itself: no more than WINDOW characters of a section."""
    for section, limit in itertools.pairwise([0, *borders, len(text)]):
        start = section
        while start < limit:
            end = min(start + WINDOW, limit)
            if end < limit:
                half = start + WINDOW // 2
                breaks = (text.rfind(mark, half, end) + len(mark) for mark in ("\n\n", "\n", " "))
                end = next((each for each in breaks if each > half), end)
            for part in _DENSE.finditer(text, start, end):
                yield _Span(part[0], part.start(), section)
            start = end


def _batches(windows: Iterable[_Span]) -> Iterator[list[_Span]]:
    """Small windows together, so that the tokenizer is not called for each."""
    batch: list[_Span] = []
    characters = 0
    for window in windows:
        batch.append(window)
        characters += len(window.text)
        if characters >= WINDOW // 2:
            yield batch
            batch, characters = [], 0
    if batch:
        yield batch


@dataclass(frozen=True)
class _Splitter:
    """Cuts pieces to `size` tokens, of which neighbours share `overlap`."""

    tokenizer: Any
    splitter: Any
    size: int
    overlap: int

    def fitting(self, pieces: Sequence[_Span]) -> list[_Span]:
        """The pieces in order, split until each fits."""
        measured = list(zip(pieces, self._count(pieces), strict=True))
        while not all(self._fits(piece, tokens) for piece, tokens in measured):
            parts: list[tuple[_Span, int | None]] = []
            for piece, tokens in measured:
                if self._fits(piece, tokens):
                    parts.append((piece, tokens))
                else:
                    parts += [(part, None) for part in self._split(piece, tokens)]
            counts = iter(self._count([part for part, tokens in parts if tokens is None]))
            measured = [(part, next(counts) if tokens is None else tokens) for part, tokens in parts]
        return [piece for piece, _ in measured]

    def joined(self, text: str, pieces: Sequence[_Span]) -> list[_Span]:
        """The pieces, of which one that says nothing joins a neighbour of its section if both fit, or is dropped."""
        says = [WORD.search(piece.text) is not None for piece in pieces]
        if all(says):
            return list(pieces)
        pairs = {}
        for at, (one, other) in enumerate(itertools.pairwise(pieces)):
            if says[at] != says[at + 1] and one.section == other.section:
                pairs[at] = _Span(text[one.start : other.end], one.start, one.section)
        counts = self._count(list(pairs.values()))
        fits = {at for at, tokens in zip(pairs, counts, strict=True) if self._fits(pairs[at], tokens)}
        result, at = [], 0
        while at < len(pieces):
            if at in fits:
                result.append(pairs[at])
                at += 2
            else:
                result += [pieces[at]] if says[at] else []
                at += 1
        return result

    def _fits(self, piece: _Span, tokens: int) -> bool:
        length = len(piece.text)
        return length == 1 or (tokens <= self.size and length <= self.size * MAX_CHARS_PER_TOKEN)

    def _split(self, piece: _Span, tokens: int) -> Iterator[_Span]:
        """The splitter counts characters, which is ten times as fast as having it count tokens: the capacity comes
        from the piece's own ratio, and every part is counted after."""
        length = len(piece.text)
        count = max(1, math.ceil(tokens / (self.size * FILL)))
        capacity = min(math.ceil(length / count * 1.1), self.size * MAX_CHARS_PER_TOKEN, length - 1)
        shared = capacity * self.overlap // self.size
        for at, part in self.splitter(capacity, shared).chunk_indices(piece.text):
            if dense := part.strip():
                yield _Span(dense, piece.start + at + len(part) - len(part.lstrip()), piece.section)

    def _count(self, pieces: Sequence[_Span]) -> list[int]:
        texts = [piece.text for piece in pieces]
        return [len(each) for each in self.tokenizer.encode_batch_fast(texts, add_special_tokens=False)]
