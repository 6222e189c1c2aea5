"""The characters of an old Word file with their properties: pieces of text, and pages of properties. Pure.

Positions count characters from the beginning of the text through all its stories; offsets count bytes in the
WordDocument stream.
"""

from __future__ import annotations

import bisect
import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from pipeline.extraction.content import ExtractError
from pipeline.extraction.doc import file_information as places
from pipeline.extraction.doc import properties
from pipeline.extraction.doc.file_information import FileInformation
from pipeline.extraction.doc.properties import Characters, Paragraph

_PAGE = 512
_MAX_PIECES = 1_000_000


@dataclass(frozen=True)
class Piece:
    """Characters from `start` to `end`, which stand at `offset` with `width` bytes each."""

    start: int
    end: int
    offset: int
    width: int


@dataclass(frozen=True)
class Run:
    """Bytes of characters with the same properties; `width` is 1 or 2."""

    start: int
    data: bytes
    width: int
    characters: Characters


class Runs:
    """Reads runs of characters, and the properties of paragraphs."""

    def __init__(self, stream: bytes, table: bytes, extra: bytes, information: FileInformation) -> None:
        """`extra` is the Data stream. Raises ExtractError."""
        self._stream = stream
        self._table = table
        self._extra = extra
        self._information = information
        self._pieces = self._read_pieces()
        self._starts = [piece.start for piece in self._pieces]
        self._character_pages = self._pages(places.CHARACTERS)
        self._paragraph_pages = self._pages(places.PARAGRAPHS)

    def part(self, number: int) -> bytes:
        """A part of the table stream; empty if there is none."""
        offset, length = self._information.place(number)
        return self._table[offset : offset + length]

    def runs(self, start: int, end: int) -> Iterator[Run]:
        """The runs of the characters between two positions."""
        at = max(0, bisect.bisect_right(self._starts, start) - 1)
        for piece in self._pieces[at:]:
            if piece.start >= end:
                return
            first, last = max(start, piece.start), min(end, piece.end)
            while first < last:
                offset = piece.offset + (first - piece.start) * piece.width
                until, found = self._characters_at(offset)
                stop = max(first + 1, min(last, piece.start + (until - piece.offset) // piece.width))
                data = self._stream[offset : offset + (stop - first) * piece.width]
                yield Run(first, data, piece.width, found)
                first = stop

    def paragraph_at(self, position: int) -> Paragraph:
        """The properties of the paragraph that ends at a position, which is that of its mark."""
        at = bisect.bisect_right(self._starts, position) - 1
        if at < 0:
            return Paragraph()
        piece = self._pieces[at]
        offset = piece.offset + (position - piece.start) * piece.width
        page = self._page_of(self._paragraph_pages, offset)
        if page is None:
            return Paragraph()
        limits, found = self._paragraph_page(page)
        index = bisect.bisect_right(limits, offset) - 1
        return found[index] if 0 <= index < len(found) else Paragraph()

    def _characters_at(self, offset: int) -> tuple[int, Characters]:
        """(the offset where they change, the properties)."""
        page = self._page_of(self._character_pages, offset)
        if page is None:
            return 1 << 31, Characters()
        limits, found = self._character_page(page)
        index = bisect.bisect_right(limits, offset) - 1
        if 0 <= index < len(found):
            return limits[index + 1], found[index]
        return (limits[0] if limits and offset < limits[0] else 1 << 31), Characters()

    @staticmethod
    def _page_of(pages: tuple[list[int], list[int]], offset: int) -> int | None:
        limits, numbers = pages
        index = bisect.bisect_right(limits, offset) - 1
        return numbers[index] if 0 <= index < len(numbers) else None

    @lru_cache(maxsize=8)  # noqa: B019 - the object lives as long as the reading of one file
    def _character_page(self, number: int) -> tuple[list[int], list[Characters]]:
        page, limits = self._limits(number)
        found = []
        for index in range(len(limits) - 1):
            at = 2 * page[4 * len(limits) + index]
            data = page[at + 1 : at + 1 + page[at]] if at else b""
            found.append(properties.characters(data, self._information.word97))
        return limits, found

    @lru_cache(maxsize=8)  # noqa: B019
    def _paragraph_page(self, number: int) -> tuple[list[int], list[Paragraph]]:
        page, limits = self._limits(number)
        size = 13 if self._information.word97 else 7
        found = []
        for index in range(len(limits) - 1):
            at = 2 * page[4 * len(limits) + size * index]
            if not 0 < at < _PAGE - 2:
                found.append(Paragraph())
                continue
            length = 2 * page[at] - (1 if self._information.word97 else 0)
            if page[at] == 0 and self._information.word97:
                at, length = at + 1, 2 * page[at + 1]
            data = page[at + 1 : at + 1 + max(length, 0)]
            style = (
                int.from_bytes(data[:2], "little") if self._information.word97 else (data[0] if data else 0)
            )
            rest = data[2:]
            found.append(self._with_huge(properties.paragraph(style, rest, self._information.word97)))
        return limits, found

    def _with_huge(self, found: Paragraph) -> Paragraph:
        """With the properties that do not fit into a page, those of the rows of wide tables."""
        if found.huge is None or found.huge + 2 > len(self._extra):
            return found
        size = struct.unpack_from("<H", self._extra, found.huge)[0]
        data = self._extra[found.huge + 2 : found.huge + 2 + size]
        more = properties.paragraph(found.style, data, True)
        return replace(
            more, in_table=more.in_table or found.in_table, row_end=more.row_end or found.row_end,
            depth=more.depth or found.depth, inner_row_end=more.inner_row_end or found.inner_row_end,
        )  # fmt: skip

    def _limits(self, number: int) -> tuple[bytes, list[int]]:
        """A page, and the offsets between which its properties hold."""
        page = self._stream[number * _PAGE : (number + 1) * _PAGE]
        if len(page) < _PAGE:
            return bytes(_PAGE), []
        count = page[_PAGE - 1]
        if 4 * (count + 1) > _PAGE - 1 or not count:
            return page, []
        return page, list(struct.unpack_from(f"<{count + 1}I", page))

    def _pages(self, part: int) -> tuple[list[int], list[int]]:
        size = 4 if self._information.word97 else 2
        limits, values = plc(self.part(part), size)
        return limits, [int.from_bytes(value, "little") & 0x3FFFFF for value in values]

    def _read_pieces(self) -> list[Piece]:
        information = self._information
        data = self.part(places.PIECES)
        if not information.word97 and not information.complex:
            return [Piece(0, sum(information.counts), information.first, 1)]
        at = 0
        while at + 3 <= len(data) and data[at] == 1:
            at += 3 + struct.unpack_from("<H", data, at + 1)[0]
        if at + 5 > len(data) or data[at] != 2:
            raise ExtractError("corrupt", "This is an old Word document that is damaged and cannot be read.")
        size = struct.unpack_from("<I", data, at + 1)[0]
        limits, values = plc(data[at + 5 : at + 5 + size], 8)
        pieces = []
        for index, value in enumerate(values[:_MAX_PIECES]):
            offset = struct.unpack_from("<I", value, 2)[0]
            narrow = bool(offset & 0x40000000) or not information.word97
            offset = (
                (offset & 0x3FFFFFFF) // 2
                if offset & 0x40000000 and information.word97
                else offset & 0x3FFFFFFF
            )
            if limits[index] < limits[index + 1]:
                pieces.append(Piece(limits[index], limits[index + 1], offset, 1 if narrow else 2))
        if sum((piece.end - piece.start) * piece.width for piece in pieces) > 2 * len(self._stream):
            raise ExtractError("corrupt", "This is an old Word document that is damaged and cannot be read.")
        return pieces


def plc(data: bytes, size: int) -> tuple[list[int], list[bytes]]:
    """A list of Word: n + 1 ascending numbers, and n values of `size` bytes; empty where it is damaged."""
    count = (len(data) - 4) // (4 + size)
    if count < 1:
        return [], []
    numbers = list(struct.unpack_from(f"<{count + 1}I", data))
    if numbers != sorted(numbers):
        return [], []  # damaged; texts that overlap could be read again and again
    base = 4 * (count + 1)
    return numbers, [data[base + size * index : base + size * (index + 1)] for index in range(count)]
