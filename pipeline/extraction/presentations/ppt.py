"""PowerPoint presentations of before 2007 (PPT) slide by slide, with notes and comments. In the worker processes."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from pipeline.extraction.compound_file import CompoundFile
from pipeline.extraction.content import Content
from pipeline.extraction.presentations import ppt_records as records
from pipeline.extraction.presentations import slide
from pipeline.extraction.presentations.ppt_records import Record, Stream
from pipeline.extraction.presentations.slide import MAX_SLIDES, Box, Shape, Slide, items
from pipeline.extraction.table_text import simple_table

_TITLES, _LISTS, _NOTES = (0, 6), (1, 7, 8), 2  # types of texts
_MAX_DEPTH = 40  # groups in groups
_TABLE, _DESCRIPTION = 0x039F, 0x0381  # properties of shapes


@dataclass(frozen=True)
class _Text:
    kind: int
    text: str


@dataclass
class _Listed:
    """A slide as the document lists it: where it is stored, its id, and the texts of its outline."""

    offset: int
    slide_id: int
    texts: list[_Text] = field(default_factory=list)


def read(data: bytes) -> Content:
    """The text of a presentation. Raises ExtractError."""
    file = CompoundFile(data)
    stream = Stream(file.stream("PowerPoint Document"))
    document, offsets = records.persisted(stream, file.stream("Current User"))
    lists = {each.instance: each for each in stream.children(document) if each.kind == records.SLIDE_LIST}
    listed = list(_listed(stream, lists[0], offsets))[:MAX_SLIDES] if 0 in lists else []
    notes = dict(_notes(stream, _listed(stream, lists[2], offsets))) if 2 in lists else {}
    slides, warnings = [], []
    for number, each in enumerate(listed, 1):
        record = stream.record(each.offset)
        if record is None or record.kind != records.SLIDE:
            warnings.append(f"Slide {number} is damaged and not read.")
            slides.append(Slide())
            continue
        reader = _SlideReader(stream, each.texts)
        found = reader.read(record)
        found.notes = notes.get(each.slide_id, "")
        slides.append(found)
        if reader.objects:
            many = f"{reader.objects} embedded objects are" if reader.objects > 1 else "An embedded object is"
            warnings.append(f"Slide {number}: {many} not read.")
    return slide.content(slides, file.properties(), warnings)


def _listed(stream: Stream, source: Record, offsets: dict[int, int]) -> Iterator[_Listed]:
    current: _Listed | None = None
    kind = 4
    for record in stream.children(source):
        if record.kind == records.SLIDE_PERSIST:
            if current is not None:
                yield current
            current = _Listed(offsets.get(stream.number(record, 0), -1), stream.number(record, 12))
        elif current is not None:
            if record.kind == records.TEXT_HEADER:
                kind = stream.number(record, 0)
                current.texts.append(_Text(kind, ""))
            elif record.kind in (records.TEXT_CHARS, records.TEXT_BYTES) and current.texts:
                current.texts[-1] = _Text(kind, _string(stream, record))
    if current is not None:
        yield current


def _notes(stream: Stream, listed: Iterator[_Listed]) -> Iterator[tuple[int, str]]:
    """(slide id, text) of the pages of notes."""
    for each in listed:
        record = stream.record(each.offset)
        if record is None or record.kind != records.NOTES:
            continue
        atom = stream.child(record, records.NOTES_ATOM)
        texts = []
        for box in stream.descendants(record, records.TEXT_BOX):
            found = _text(stream, box, each.texts)
            if found and found.kind == _NOTES and found.text.strip():
                texts.append("\n\n".join(line.strip() for line in found.text.split("\r") if line.strip()))
        if atom is not None and texts:
            yield stream.number(atom, 0), "\n\n".join(texts).replace("\v", "\n")


class _SlideReader:
    def __init__(self, stream: Stream, outline: list[_Text]) -> None:
        self._stream = stream
        self._outline = outline
        self._slide = Slide()
        self.objects = 0

    def read(self, record: Record) -> Slide:
        show = self._stream.child(record, records.SHOW_INFO)
        if show is not None:
            self._slide.hidden = bool(self._stream.number(show, 8) >> 16 & 4)
        drawing = self._stream.child(record, records.DRAWING)
        if drawing is not None:
            for each in self._stream.descendants(drawing, records.GROUP):
                self._group(each, None, 0)
        for comment in self._stream.descendants(record, records.COMMENT):
            strings = {
                each.instance: " ".join(_string(self._stream, each).split())
                for each in self._stream.children(comment)
                if each.kind == records.STRING
            }
            if strings.get(1):
                by = f" by {strings[0]}" if strings.get(0) else ""
                self._slide.comments.append(f"Comment{by}: {strings[1]}")
        return self._slide

    def _group(self, group: Record, inside: Box | None, depth: int) -> None:
        """The shapes of a group, the first of which is the group itself."""
        children = list(self._stream.children(group))
        first = next((each for each in children if each.kind == records.SHAPE), None)
        box = inside or (_anchor(self._stream, first) if first is not None and depth else None)
        if first is not None and _TABLE in dict(_properties(self._stream, first)):
            self._table(children, box)
            return
        for each in children:
            if each.kind == records.SHAPE:
                self._shape(each, box)
            elif each.kind == records.GROUP and depth < _MAX_DEPTH:
                self._group(each, box, depth + 1)

    def _shape(self, shape: Record, inside: Box | None) -> None:
        box = inside or _anchor(self._stream, shape)
        data = self._stream.child(shape, records.CLIENT_DATA)
        if data is not None and self._stream.child(data, records.OBJECT_REFERENCE) is not None:
            self.objects += 1
        textbox = self._stream.child(shape, records.TEXT_BOX)
        found = None if textbox is None else _text(self._stream, textbox, self._outline)
        if found is None or not found.text.strip():
            words = (
                dict(_properties(self._stream, shape)).get(_DESCRIPTION, b"").decode("utf-16-le", "replace")
            )
            self._add(slide.description(words.rstrip("\0")), box)
        elif found.kind in _TITLES and not self._slide.title:
            self._slide.title = found.text.replace("\v", " ").replace("\r", " ")
        else:
            mark = "- " if found.kind in _LISTS else ""
            lines = found.text.replace("\v", "\n").split("\r")
            self._add(items((mark, line) for line in lines), box)

    def _table(self, children: list[Record], box: Box | None) -> None:
        """A table is a group of shapes, a shape a cell; where they stand tells rows and columns."""
        cells: list[tuple[Box, str]] = []
        for shape in children[1:]:
            textbox = self._stream.child(shape, records.TEXT_BOX)
            place = _anchor(self._stream, shape)
            found = None if textbox is None else _text(self._stream, textbox, self._outline)
            if found is not None and place is not None:
                cells.append((place, found.text.replace("\r", " ").replace("\v", " ")))
        tops = sorted({place.top for place, _ in cells})
        lefts = sorted({place.left for place, _ in cells})
        rows = [[""] * len(lefts) for _ in tops]
        for place, text in cells:
            rows[tops.index(place.top)][lefts.index(place.left)] = text
        self._add(simple_table(rows), box)

    def _add(self, text: str, box: Box | None) -> None:
        if text:
            self._slide.shapes.append(Shape(text, box))


def _text(stream: Stream, textbox: Record, outline: list[_Text]) -> _Text | None:
    """The text of a shape, or the one of the outline that it refers to; None for a number or date of its own."""
    kind, text, is_field = 4, "", False
    for record in stream.children(textbox):
        if record.kind == records.TEXT_HEADER:
            kind = stream.number(record, 0)
        elif record.kind in (records.TEXT_CHARS, records.TEXT_BYTES):
            text = _string(stream, record)
        elif record.kind == records.OUTLINE_REFERENCE:
            index = stream.number(record, 0)
            return outline[index] if index < len(outline) else None
        elif record.kind in records.FIELDS:
            is_field = True
    return None if is_field and text.strip() in ("", "*") else _Text(kind, text)


def _string(stream: Stream, record: Record) -> str:
    encoding = "latin-1" if record.kind == records.TEXT_BYTES else "utf-16-le"
    return stream.content(record).decode(encoding, "replace")


def _anchor(stream: Stream, shape: Record) -> Box | None:
    for record in stream.children(shape):
        content = stream.content(record)
        if record.kind == records.ANCHOR and len(content) in (8, 16):
            top, left, right, bottom = struct.unpack("<4h" if len(content) == 8 else "<4i", content)
            return Box(left, top, right, bottom)
        if record.kind == records.CHILD_ANCHOR and len(content) == 16:
            return Box(*struct.unpack("<4i", content))
    return None


def _properties(stream: Stream, shape: Record) -> Iterator[tuple[int, bytes]]:
    """(number, value) of a shape's properties; the value of a long one is its data."""
    for record in stream.children(shape):
        if record.kind not in records.PROPERTIES:
            continue
        content = stream.content(record)
        at = 6 * record.instance
        for place in range(0, min(at, len(content) - 5), 6):
            number, value = struct.unpack_from("<HI", content, place)
            if number & 0x8000:
                yield number & 0x3FFF, content[at : at + value]
                at += value
            else:
                yield number & 0x3FFF, content[place + 2 : place + 6]
