"""Splits a document's text into chunks that the model can read whole. Pure; runs in the worker processes.

Knows nothing of files or models: the tokenizer is an argument, and chunks with their offsets, pages and headings are
the result.
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
from pipeline.extraction import no_language
from pipeline.extraction.chunk_context import ChunkContext
from pipeline.extraction.content import WORD
from pipeline.extraction.extract import Extracted
from pipeline.extraction.outline import Outline
from pipeline.extraction.sections import Section, sections
from pipeline.extraction.title_lines import first_line_title, is_title
from semantik.core.normalization import normalized

WINDOW = 32_768  # characters split at a time: the splitter's time grows faster than its text
FILL = 0.85  # of the allowed tokens; a part that is still too long is split once more
MAX_CHARS_PER_TOKEN = 10  # a word that the tokenizer does not know is one token, however long it is

# Text without whitespace at its ends and without long runs of it, in which the Markdown splitter would lose minutes.
_NO_LONG_GAPS = re.compile(r"\S+(?:\s{1,200}\S+)*")


@dataclass(frozen=True)
class _Span:
    """`text` starts at `start`, in `section`, and has no whitespace at its ends."""

    text: str
    start: int
    section: Section

    @property
    def end(self) -> int:
        return self.start + len(self.text)


@dataclass(frozen=True)
class Split:
    """The chunks of a text, and the number of characters in passages without language, which are in no chunk."""

    chunks: tuple[TextChunk, ...]
    left_out: int


def split(
    extracted: Extracted, tokenizer: Any, chunk_size: int, chunk_overlap: int, max_tokens: int
) -> Split:
    """Chunks of at most `min(chunk_size, max_tokens)` tokens, in order; each has a letter or a digit.

    No chunk crosses the boundary of a page, or the start of a heading that follows text; so its page and
    heading are those of all its text. A title is no chunk of its own, if anything stands beside it: it may be that of
    the page before (see `sections.py`). Neighbours on the same side of a boundary share up to `chunk_overlap` tokens.
    Between two that share nothing there is no letter or digit, only whitespace, or a rule that did not fit into either;
    or a passage without language (see `no_language.py`).

    Where a document has a title or headings, a chunk and its context have at most `max_tokens`.

    `tokenizer` must not truncate; `max_tokens` is what the model reads, of the normalized text. Offsets are characters
    of `extracted.text`. The time is linear in its length.
    """
    text = extracted.text
    page_starts = [start for _, start in extracted.pages]
    outline = _outline(extracted, page_starts)
    boundaries = sorted({*page_starts, *(outline.boundaries() if outline else ())})
    passages = no_language.passages(text)
    title = extracted.title or ("" if outline or page_starts else first_line_title(text))
    context = ChunkContext(title, tokenizer, max_tokens) if title or outline else None
    size = max(1, min(chunk_size, max_tokens - (context.max_tokens if context else 0)))
    library_splitter = MarkdownSplitter if extracted.markdown else TextSplitter
    splitter = _Splitter(tokenizer, library_splitter, size, min(chunk_overlap, size - 1))
    has_text = outline.has_text if outline else _unknown
    # A chunk is of recognised text or of another, so it ends with its page where there is any.
    parts = sections(text, boundaries, passages, page_starts, has_text, over_pages=not extracted.recognised)
    chunks = []
    for windows in _batches(_windows(text, parts)):
        for span in splitter.merge_wordless(text, splitter.split_to_size(windows)):
            place = span.section.place_of(span.start)
            page = bisect.bisect_right(page_starts, place) - 1
            heading = outline.heading_path(place, span.end) if outline else None
            own_title = context.title(heading, span.text) if context else None
            chunks.append(
                TextChunk(
                    span.text,
                    span.start,
                    span.end,
                    extracted.pages[page][0] if page >= 0 else None,
                    heading,
                    title=own_title,
                    context=context.text(own_title, heading, span.text) if context else None,
                )
            )
    return Split(tuple(chunks), sum(end - start for start, end in passages))


def _outline(extracted: Extracted, page_starts: Sequence[int]) -> Outline | None:
    if extracted.markdown:
        return Outline(extracted.text, page_starts)
    return Outline(extracted.text, page_starts, extracted.outline) if extracted.outline else None


def _unknown(start: int, end: int) -> None:
    """Of a text without an outline nobody knows what is a heading."""


def _windows(text: str, parts: Iterable[Section]) -> Iterator[_Span]:
    """Parts of at most WINDOW characters of a section, each split on its own."""
    for section in parts:
        start = section.start
        while start < section.end:
            end = min(start + WINDOW, section.end)
            if end < section.end:
                half = start + WINDOW // 2
                breaks = (text.rfind(mark, half, end) + len(mark) for mark in ("\n\n", "\n", " "))
                end = next((each for each in breaks if each > half), end)
            for part in _NO_LONG_GAPS.finditer(text, start, end):
                yield _Span(part[0], part.start(), section)
            start = end


def _batches(windows: Iterable[_Span]) -> Iterator[list[_Span]]:
    """Small windows together, so that the tokenizer is not called for each of them."""
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


def _join_titles(text: str, parts: Sequence[tuple[int, int]], capacity: int) -> list[tuple[int, int]]:
    """The parts, of which a title is joined with what follows, or at the end with what precedes."""
    joined: list[tuple[int, int]] = []
    title: tuple[int, int] | None = None
    for start, end in parts:
        if title is not None:
            start = min(start, title[0])
        if (end - start) * 3 <= capacity and is_title(text[start:end]):
            title = start, end
        else:
            joined.append((start, end))
            title = None
    if title is not None:
        joined.append((joined.pop()[0], title[1]) if joined else title)
    return joined


@dataclass(frozen=True)
class _Splitter:
    """Splits spans to at most `size` tokens, of which neighbours share up to `overlap`."""

    tokenizer: Any
    library_splitter: Any  # the class of semantic_text_splitter
    size: int
    overlap: int

    def split_to_size(self, spans: Sequence[_Span]) -> list[_Span]:
        """The spans in order, split until each fits."""
        measured = list(zip(spans, self._count(spans), strict=True))
        while not all(self._fits(span, tokens) for span, tokens in measured):
            parts: list[tuple[_Span, int | None]] = []
            for span, tokens in measured:
                if self._fits(span, tokens):
                    parts.append((span, tokens))
                else:
                    parts += [(part, None) for part in self._split(span, tokens)]
            counts = iter(self._count([part for part, tokens in parts if tokens is None]))
            measured = [(part, next(counts) if tokens is None else tokens) for part, tokens in parts]
        return [span for span, _ in measured]

    def merge_wordless(self, text: str, spans: Sequence[_Span]) -> list[_Span]:
        """The spans, where one without a word is merged with a neighbour of its section if both fit, else dropped."""
        has_word = [WORD.search(span.text) is not None for span in spans]
        if all(has_word):
            return list(spans)
        pairs = {}
        for at, (one, other) in enumerate(itertools.pairwise(spans)):
            if has_word[at] != has_word[at + 1] and one.section == other.section:
                pairs[at] = _Span(text[one.start : other.end], one.start, one.section)
        counts = self._count(list(pairs.values()))
        fitting = {at for at, tokens in zip(pairs, counts, strict=True) if self._fits(pairs[at], tokens)}
        result, at = [], 0
        while at < len(spans):
            if at in fitting:
                result.append(pairs[at])
                at += 2
            else:
                result += [spans[at]] if has_word[at] else []
                at += 1
        return result

    def _fits(self, span: _Span, tokens: int) -> bool:
        length = len(span.text)
        return length == 1 or (tokens <= self.size and length <= self.size * MAX_CHARS_PER_TOKEN)

    def _split(self, span: _Span, tokens: int) -> Iterator[_Span]:
        """Split one span by the library, which counts characters: that is ten times as fast as counting tokens.

        The capacity comes from the span's own ratio of characters to tokens; the caller counts the tokens of each part.
        """
        length = len(span.text)
        count = max(1, math.ceil(tokens / (self.size * FILL)))
        capacity = min(math.ceil(length / count * 1.1), self.size * MAX_CHARS_PER_TOKEN, length - 1)
        parts = self._library_parts(span.text, 0, length, capacity)
        joined = _join_titles(span.text, parts, capacity)
        if len(joined) == 1:  # two parts, one of which is a title: the other one is split instead
            start, end = max(parts, key=lambda part: part[1] - part[0])
            rest = self._library_parts(span.text, start, end, max(1, (end - start) * 6 // 10))
            others = [part for part in parts if part != (start, end)]
            joined = _join_titles(span.text, sorted([*others, *rest]), capacity)
        for start, end in joined if len(joined) > 1 else parts:
            yield _Span(span.text[start:end], span.start + start, span.section)

    def _library_parts(self, text: str, start: int, end: int, capacity: int) -> list[tuple[int, int]]:
        """Parts of at most `capacity` characters, as (start, end) without white space at their ends."""
        splitter = self.library_splitter(capacity, capacity * self.overlap // self.size)
        parts = []
        for at, part in splitter.chunk_indices(text[start:end]):
            if stripped := part.strip():
                begin = start + at + len(part) - len(part.lstrip())
                parts.append((begin, begin + len(stripped)))
        return parts

    def _count(self, spans: Sequence[_Span]) -> list[int]:
        """The number of tokens of each span; 0 of one that fits, as it has no more characters than a chunk tokens."""
        counted = [not (span.text.isascii() and len(span.text) < self.size) for span in spans]
        texts = [normalized(span.text) for span, is_counted in zip(spans, counted, strict=True) if is_counted]
        found = iter(self.tokenizer.encode_batch_fast(texts, add_special_tokens=False) if texts else ())
        return [len(next(found)) if is_counted else 0 for is_counted in counted]
