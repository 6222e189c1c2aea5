"""The texts of an iWork document: paragraphs with their notes, and what stands in or over them. Pure."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator

from pipeline.extraction import markdown
from pipeline.extraction.iwork import tables
from pipeline.extraction.iwork.messages import Message
from pipeline.extraction.iwork.objects import Objects
from pipeline.extraction.presentations.slide import description

STORAGE = 2001
COMMENT = 3056
_PICTURE, _GROUP = 3005, 3008
_CONTENTS = 7  # the kind of text that repeats the headings
_PARAGRAPH_STYLES, _ATTACHED, _NOTES = 5, 9, 16  # fields of a text: what stands at which of its characters
_MAX_DEPTH = 20  # levels of groups, text boxes and styles
# Line ends and the ends of pages, columns and sections, each one character.
_ENDS = str.maketrans({"\u2029": "\n", "\x04": "\n", "\x05": "\n", "\x0b": "\n", "\x0c": "\n", "\r": "\n"})
_PLACES = re.compile("[\x00-\x08\x0e-\x1f\ufffc]")  # of notes, pictures and fields
_HEADING = re.compile(r"(?:Heading|Überschrift|Titre|Título|Titolo|Kop)(?: (\d))?\Z")
_TITLES = frozenset(("Title", "Titel"))


class Texts:
    """Reads the texts of one document, each once."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._read: set[int] = set()
        self._notes = 0

    def storage(self, number: int, depth: int = 0) -> Iterator[str]:
        """A text as blocks of Markdown; its notes, tables and text boxes follow the paragraph that they stand in."""
        if depth > _MAX_DEPTH or number in self._read or self._objects.kind(number) != STORAGE:
            return
        self._read.add(number)
        source = self._objects[number]
        if source.number(1) == _CONTENTS:
            return
        styles, attached, notes = (_places(source, field) for field in (_PARAGRAPH_STYLES, _ATTACHED, _NOTES))
        start = 0
        for paragraph in source.text(3).translate(_ENDS).split("\n"):
            end = start + _units(paragraph)
            text, below = self._with_notes(
                paragraph, [each for each in notes if start <= each[0] <= end], start
            )
            if text := _PLACES.sub("", text).replace("\u2028", "\n").strip():
                at = bisect_right(styles, (start, 1 << 62)) - 1
                level = self._level(styles[at][1]) if at >= 0 and "\n" not in text else 0
                yield f"{'#' * level} {text}" if level else "\n".join([markdown.literal(text), *below])
                if level and below:
                    yield "\n".join(below)
            for at, reference in attached:
                if start <= at <= end:
                    for drawable in self._objects[reference].references(1):
                        yield from self.drawable(drawable, depth + 1)
            start = end + 1

    def drawable(self, number: int, depth: int = 0) -> Iterator[str]:
        """What stands in a text box, a shape, a table, or a group of them."""
        if depth > _MAX_DEPTH or number in self._read:
            return
        self._read.add(number)
        if self._objects.kind(number) == _GROUP:
            for each in self._objects[number].references(2):
                yield from self.drawable(each, depth + 1)
            return
        part = self._objects[number]
        if self._objects.kind(number) == _PICTURE and (about := description(part.message(1).text(8))):
            yield markdown.literal(about)
        for _ in range(4):  # a shape, and the kinds of drawings that it is
            for reference in self._references(part):
                if self._objects.kind(reference) == STORAGE:
                    yield from self.storage(reference, depth + 1)
                elif self._objects.kind(reference) == tables.MODEL and reference not in self._read:
                    self._read.add(reference)
                    yield from tables.table_blocks(self._objects, reference)
            try:
                part = part.message(1)
            except (IndexError, ValueError):
                return

    def comments(self) -> Iterator[str]:
        """The comments with their authors."""
        for number in self._objects.of_kind(COMMENT):
            comment = self._objects[number]
            authors = [self._objects[each].text(1) for each in comment.references(3)]
            if text := " ".join(comment.text(1).split()):
                yield markdown.literal(": ".join([*filter(None, authors[:1]), text]))

    def _references(self, part: Message) -> Iterator[int]:
        """The texts and the table of a drawing: of its own, or as older versions have it."""
        for field in (4, 2):
            try:
                yield from part.references(field)
            except (IndexError, ValueError):
                continue  # the field is no reference in this kind of drawing

    def _with_notes(self, paragraph: str, notes: list[tuple[int, int]], start: int) -> tuple[str, list[str]]:
        """The paragraph with the marks of its notes, and the notes as they stand below it."""
        units = paragraph.encode("utf-16-le", "surrogatepass")
        pieces: list[bytes] = []
        below: list[str] = []
        done = 0
        for at, reference in notes:
            for storage in self._objects[reference].references(2):
                if text := " ".join(" ".join(self.storage(storage, 1)).split()):
                    self._notes += 1
                    cut = 2 * (at - start)
                    pieces += [units[done:cut], f"[^{self._notes}]".encode("utf-16-le")]
                    below.append(f"[^{self._notes}]: {text}")
                    done = cut
        return b"".join([*pieces, units[done:]]).decode("utf-16-le", "replace"), below

    def _level(self, style: int) -> int:
        """The level of the heading that a style of paragraphs makes; 0 for any other style."""
        for _ in range(_MAX_DEPTH):
            about = self._objects[style].message(1)
            name = about.text(1)
            if name in _TITLES:
                return 1
            if found := _HEADING.match(name):
                return min(6, int(found[1] or 1) + 1)
            parents = about.references(3)
            if name or not parents:
                return 0
            style = parents[0]
        return 0


def _places(source: Message, field: int) -> list[tuple[int, int]]:
    """The objects that belong to places in a text, as offsets in units of UTF-16."""
    return sorted(
        (entry.number(1), reference)
        for table in source.messages(field)
        for entry in table.messages(1)
        for reference in entry.references(2)
    )


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
