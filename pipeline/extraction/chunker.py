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
from semantik.core.normalization import normalized

WINDOW = 32_768  # characters split at a time: the splitter's time grows faster than its text
FILL = 0.85  # of the allowed tokens; a part that is still too long is split once more
MAX_CHARS_PER_TOKEN = 10  # a word that the tokenizer does not know is one token, however long it is

# Text without whitespace at its ends and without long runs of it, in which the Markdown splitter would lose minutes.
_NO_LONG_GAPS = re.compile(r"\S+(?:\s{1,200}\S+)*")


@dataclass(frozen=True)
class _Span:
    """`text` starts at `start`, in the section that starts at `section`, and has no whitespace at its ends."""

    text: str
    start: int
    section: int

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
    heading are those of all its text. Neighbours on the same side of a boundary share up to `chunk_overlap` tokens.
    Between two that share nothing there is no letter or digit, only whitespace, or a rule that did not fit into either;
    or a passage without language (see `no_language.py`).

    `tokenizer` must not truncate; `max_tokens` is what the model reads, of the normalized text. Offsets are characters
    of `extracted.text`. The time is linear in its length.
    """
    text = extracted.text
    page_starts = [start for _, start in extracted.pages]
    outline = _outline(extracted, page_starts)
    boundaries = sorted({*page_starts, *(outline.boundaries() if outline else ())})
    passages = no_language.passages(text)
    size = max(1, min(chunk_size, max_tokens))
    library_splitter = MarkdownSplitter if extracted.markdown else TextSplitter
    splitter = _Splitter(tokenizer, library_splitter, size, min(chunk_overlap, size - 1))
    context = ChunkContext(extracted.title)
    chunks = []
    for windows in _batches(_windows(text, boundaries, passages)):
        for span in splitter.merge_wordless(text, splitter.split_to_size(windows)):
            page = bisect.bisect_right(page_starts, span.start) - 1
            heading = outline.heading_path(span.start, span.end) if outline else None
            chunks.append(
                TextChunk(
                    span.text,
                    span.start,
                    span.end,
                    extracted.pages[page][0] if page >= 0 else None,
                    heading,
                    title=context.title(heading, span.text),
                )
            )
    return Split(tuple(chunks), sum(end - start for start, end in passages))


def _outline(extracted: Extracted, page_starts: Sequence[int]) -> Outline | None:
    if extracted.markdown:
        return Outline(extracted.text, page_starts)
    return Outline(extracted.text, page_starts, extracted.outline) if extracted.outline else None


def _windows(text: str, boundaries: Sequence[int], passages: Sequence[tuple[int, int]]) -> Iterator[_Span]:
    """Parts of at most WINDOW characters of a section, each split on its own; `passages` are in none of them."""
    ends = dict(passages)
    edges = sorted({0, *boundaries, *itertools.chain.from_iterable(passages), len(text)})
    at = 0  # the end of the last passage
    for section, limit in itertools.pairwise(edges):
        at = max(at, ends.get(section, 0))
        if section < at:
            continue
        start = section
        while start < limit:
            end = min(start + WINDOW, limit)
            if end < limit:
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
        overlap = capacity * self.overlap // self.size
        for at, part in self.library_splitter(capacity, overlap).chunk_indices(span.text):
            if stripped := part.strip():
                yield _Span(stripped, span.start + at + len(part) - len(part.lstrip()), span.section)

    def _count(self, spans: Sequence[_Span]) -> list[int]:
        """The number of tokens of each span."""
        texts = [normalized(span.text) for span in spans]
        return [len(each) for each in self.tokenizer.encode_batch_fast(texts, add_special_tokens=False)]
