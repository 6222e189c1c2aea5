"""Where the notes, comments and text boxes of an old Word file are marked in its text, and where they stand. Pure."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from pipeline.extraction import list_numbers
from pipeline.extraction.doc import file_information as places
from pipeline.extraction.doc.file_information import FileInformation
from pipeline.extraction.doc.runs import Runs, plc

FOOTNOTES, HEADERS, COMMENTS, ENDNOTES, TEXT_BOXES = 1, 2, 4, 5, 6  # the numbers of stories
_FORMATS = ("decimal", "upperRoman", "lowerRoman", "upperLetter", "lowerLetter", "ordinal")
_SEPARATORS = 6  # stories before the headers of the first section: lines above notes


@dataclass(frozen=True)
class Span:
    """The positions of a text that stands apart; `mark` is the number of a note, `author` that of a comment."""

    start: int
    end: int
    mark: str = ""
    author: str = ""


class Marks:
    """The notes, comments and text boxes by the positions of their marks."""

    def __init__(self, runs: Runs, information: FileInformation) -> None:
        self._runs = runs
        self._information = information
        self.notes: dict[int, Span] = {}
        self.comments: dict[int, Span] = {}
        self.boxes: dict[int, Span] = {}
        self.loose_boxes: list[Span] = []
        settings = runs.part(places.SETTINGS)
        footnote_start, endnote_start, formats = 1, 1, 2 << 6
        if len(settings) >= 56:
            footnote_start = struct.unpack_from("<H", settings, 2)[0] >> 2
            endnote_start = struct.unpack_from("<H", settings, 52)[0] >> 2
            formats = struct.unpack_from("<H", settings, 54)[0] if information.word97 else 0
        self._notes(places.FOOTNOTE_MARKS, places.FOOTNOTES, FOOTNOTES, footnote_start, formats >> 2 & 15)
        self._notes(places.ENDNOTE_MARKS, places.ENDNOTES, ENDNOTES, endnote_start, formats >> 6 & 15)
        self._comments()
        self._boxes()

    def headers(self) -> tuple[list[Span], list[Span]]:
        """The headers and the footers of all sections; a section without its own has those of the one before."""
        limits, _ = plc(self._runs.part(places.HEADERS), 0)
        base = self._information.start_of(HEADERS)
        headers: list[Span] = []
        footers: list[Span] = []
        for index in range(_SEPARATORS, len(limits) - 1):
            if limits[index] < limits[index + 1]:
                span = Span(base + limits[index], base + limits[index + 1])
                (headers if (index - _SEPARATORS) % 6 in (0, 1, 4) else footers).append(span)
        return headers, footers

    def _notes(self, marks: int, texts: int, story: int, start: int, number_format: int) -> None:
        positions, kinds = plc(self._runs.part(marks), 2)
        limits, _ = plc(self._runs.part(texts), 0)
        base = self._information.start_of(story)
        number = max(start, 1)
        style = _FORMATS[number_format] if number_format < len(_FORMATS) else "decimal"
        for index, kind in enumerate(kinds):
            if index + 1 >= len(limits) or positions[index] >= self._information.counts[0]:
                break  # a mark outside of the text could stand in its own note
            mark = ""
            if kind != b"\0\0":
                mark = list_numbers.shown(number, style)
                number += 1
            self.notes[positions[index]] = Span(base + limits[index], base + limits[index + 1], mark)

    def _comments(self) -> None:
        size = 30 if self._information.word97 else 20
        positions, values = plc(self._runs.part(places.COMMENT_MARKS), size)
        limits, _ = plc(self._runs.part(places.COMMENTS), 0)
        authors = self._authors()
        base = self._information.start_of(COMMENTS)
        for index, value in enumerate(values):
            if index + 1 >= len(limits) or positions[index] >= self._information.counts[0]:
                break
            at = struct.unpack_from("<H", value, 20)[0] if self._information.word97 else len(authors)
            author = authors[at] if at < len(authors) else ""
            self.comments[positions[index]] = Span(
                base + limits[index], base + limits[index + 1], author=author
            )

    def _authors(self) -> list[str]:
        data = self._runs.part(places.AUTHORS) if self._information.word97 else b""
        at, found = 0, []
        while at + 2 <= len(data):
            length = struct.unpack_from("<H", data, at)[0]
            found.append(data[at + 2 : at + 2 + 2 * length].decode("utf-16-le", "replace"))
            at += 2 + 2 * length
        return found

    def _boxes(self) -> None:
        limits, values = plc(self._runs.part(places.TEXT_BOXES), 22)
        positions, shapes = plc(self._runs.part(places.SHAPES), 26)
        at_shape = {
            struct.unpack_from("<I", shape)[0]: at for at, shape in zip(positions, shapes, strict=False)
        }
        base = self._information.start_of(TEXT_BOXES)
        for index, value in enumerate(values):
            reusable, shape = struct.unpack_from("<H", value, 8)[0], struct.unpack_from("<I", value, 14)[0]
            if reusable or limits[index] >= limits[index + 1]:
                continue
            span = Span(base + limits[index], base + limits[index + 1])
            position = at_shape.get(shape)
            if position is None or position in self.boxes or position >= self._information.counts[0]:
                self.loose_boxes.append(span)
            else:
                self.boxes[position] = span
