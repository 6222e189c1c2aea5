"""Cuts a document's text into passages that the model can read whole. Pure; runs in the worker processes.

Knows nothing of files or models: the tokenizer comes in, passages with their offsets, pages and headings go out.
"""

from __future__ import annotations

import bisect
import math
import re
from collections.abc import Iterator
from typing import Any

from semantic_text_splitter import MarkdownSplitter, TextSplitter

from pipeline.batch import TextChunk
from pipeline.extract import Extracted

WINDOW = 32_768  # characters split at a time: the splitter's time grows faster than its text
FILL = 0.85  # of the allowed tokens; what still turns out too long is split once more
MAX_CHARS_PER_TOKEN = 10  # a word that the tokenizer does not know is one token, however long it is

_MARK = re.compile(
    r"^ {0,3}(?:(?P<fence>`{3,}|~{3,})(?P<info>.*)"
    r"|(?P<level>#{1,6})[ \t]+(?P<title>.+)"
    r"|(?P<above>\S.{0,200})\n {0,3}(?P<under>=+|-{3,})[ \t]*$)",
    re.MULTILINE,
)
# Text without its margins and its deserts of whitespace, in which the Markdown splitter would lose minutes.
_DENSE = re.compile(r"\S+(?:\s{1,200}\S+)*")
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")


def cut(
    extracted: Extracted, tokenizer: Any, chunk_size: int, chunk_overlap: int, room: int
) -> tuple[TextChunk, ...]:
    """Passages of at most `min(chunk_size, room)` tokens, in order; whitespace alone makes none.

    `tokenizer` must not truncate. Neighbours share up to `chunk_overlap` tokens, and between two that share nothing
    there is only whitespace. Offsets are characters of `extracted.text`; the time is linear in its length.
    """
    text = extracted.text
    size = max(1, min(chunk_size, room))
    overlap = min(chunk_overlap, size - 1)
    splitter = MarkdownSplitter if extracted.markdown else TextSplitter
    outline = Outline(text) if extracted.markdown else None
    page_starts = [start for _, start in extracted.pages]
    chunks = []
    for offset, window in _windows(text):
        tokens = _count(tokenizer, [window])[0]
        for at, piece in _split(window, tokens, size, overlap, splitter, tokenizer):
            start, end = offset + at, offset + at + len(piece)
            page = bisect.bisect_right(page_starts, start) - 1
            chunks.append(
                TextChunk(
                    piece,
                    start,
                    end,
                    extracted.pages[page][0] if page >= 0 else None,
                    outline.path(start, end) if outline else None,
                )
            )
    return tuple(chunks)


def _windows(text: str) -> Iterator[tuple[int, str]]:
    start = 0
    while start < len(text):
        end = start + WINDOW
        if end < len(text):
            borders = (text.rfind(mark, start + WINDOW // 2, end) + len(mark) for mark in ("\n\n", "\n", " "))
            end = next((border for border in borders if border > start + WINDOW // 2), end)
        for part in _DENSE.finditer(text, start, end):
            yield part.start(), part[0]
        start = end


def _split(
    text: str, tokens: int, size: int, overlap: int, splitter: Any, tokenizer: Any
) -> Iterator[tuple[int, str]]:
    """Offsets and pieces of `text`, which has `tokens`. The splitter counts characters, which is ten times as fast
    as having it count tokens: the capacity comes from the text's own ratio, and every piece is counted after."""
    parts = max(1, math.ceil(tokens / (size * FILL)))
    capacity = min(math.ceil(len(text) / parts * 1.1), size * MAX_CHARS_PER_TOKEN)
    shared = capacity * overlap // size
    pieces = [
        (at + len(piece) - len(piece.lstrip()), piece.strip())
        for at, piece in splitter(capacity, shared).chunk_indices(text)
        if piece.strip()
    ]
    counts = _count(tokenizer, [piece for _, piece in pieces])
    for (at, piece), count in zip(pieces, counts, strict=True):
        if count <= size or len(piece) == 1:
            yield at, piece
        else:
            for inner, part in _split(piece, count, size, overlap, splitter, tokenizer):
                yield at + inner, part


def _count(tokenizer: Any, texts: list[str]) -> list[int]:
    return [len(encoding) for encoding in tokenizer.encode_batch_fast(texts, add_special_tokens=False)]


class Outline:
    """The Markdown headings of a text, those inside fenced code left out."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._paths: list[str] = []
        trail: list[tuple[int, str]] = []
        for start, end, level, title in _headings(text):
            while trail and trail[-1][0] >= level:
                trail.pop()
            trail.append((level, title))
            self._starts.append(start)
            self._ends.append(end)
            self._paths.append(" › ".join(name for _, name in trail))

    def path(self, start: int, end: int) -> str | None:
        """The headings above `start`, like "Guide › Install"; those that the passage opens with count too."""
        here = bisect.bisect_right(self._starts, start) - 1
        if here < 0:
            return None
        while (
            start <= self._ends[here]
            and here + 1 < len(self._starts)
            and self._starts[here + 1] < end
            and not self._text[self._ends[here] : self._starts[here + 1]].strip()
        ):
            here += 1
            start = self._starts[here]
        return self._paths[here]


def _headings(text: str) -> Iterator[tuple[int, int, int, str]]:
    """(start, end, level, title) of each heading."""
    fence = ""
    for mark in _MARK.finditer(text):
        if mark["fence"]:
            if not fence:
                fence = mark["fence"]
            elif mark["fence"].startswith(fence) and not mark["info"].strip():
                fence = ""
        elif not fence:
            if mark["level"]:
                level, title = len(mark["level"]), mark["title"].strip().rstrip("#")
            else:
                level, title = (1 if mark["under"][0] == "=" else 2), mark["above"]
            title = _LINK.sub(r"\1", title).replace("`", "").replace("**", "").strip()
            if title:
                yield mark.start(), mark.end(), level, title
