"""Writes PowerPoint presentations of before 2007 for tests."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from support.compound import compound

TITLE, BODY, NOTES, OTHER = 0, 1, 2, 4


@dataclass(frozen=True)
class OldSlide:
    """`boxes`: (type, text, top) of each; those with a top of None stand in the outline, and are referred to."""

    boxes: Sequence[tuple[int, str, int | None]]
    notes: str = ""
    hidden: bool = False
    comment: tuple[str, str] | None = None
    table: Sequence[Sequence[str]] = ()
    picture: str = ""
    has_object: bool = False


def record(kind: int, content: bytes, instance: int = 0, container: bool = False) -> bytes:
    return struct.pack("<HHI", instance << 4 | (0xF if container else 0), kind, len(content)) + content


def powerpoint(slides: Sequence[OldSlide], token: int = 0xE391C05F) -> bytes:
    """A presentation; its streams have what readers need, and nothing else."""
    stream, offsets = b"", {}
    lists: dict[int, bytes] = {0: b"", 2: b""}
    for number, slide in enumerate(slides):
        offsets[10 + number] = len(stream)
        stream += _slide(slide)
        outline = b"".join(_text(kind, text) for kind, text, top in slide.boxes if top is None)
        lists[0] += _persist(10 + number, 256 + number) + outline
        if slide.notes:
            offsets[500 + number] = len(stream)
            stream += _notes(slide.notes, 256 + number)
            lists[2] += _persist(500 + number, 900 + number)
    offsets[1] = len(stream)
    parts = b"".join(record(0x0FF0, content, instance, True) for instance, content in lists.items())
    stream += record(0x03E8, record(0x03E9, bytes(40)) + parts, container=True)
    directory = len(stream)
    stream += record(0x1772, b"".join(struct.pack("<II", 1 << 20 | key, at) for key, at in offsets.items()))
    edit = len(stream)
    stream += record(0x0FF5, struct.pack("<IIIIIII", 256, 0x03000000, 0, directory, 1, 600, 0))
    user = struct.pack("<HHIIIIHHBBH", 0, 0x0FF6, 24, 20, token, edit, 0, 0x03F4, 3, 0, 0)
    return compound({"Current User": user, "PowerPoint Document": stream})


def _persist(reference: int, slide_id: int) -> bytes:
    return record(0x03F3, struct.pack("<IIiII", reference, 0, 0, slide_id, 0))


def _text(kind: int, text: str) -> bytes:
    narrow = all(ord(letter) < 256 for letter in text)
    body = record(0x0FA8, text.encode("latin-1")) if narrow else record(0x0FA0, text.encode("utf-16-le"))
    return record(0x0F9F, struct.pack("<I", kind)) + body


def _shape(top: int, content: bytes, left: int = 100) -> bytes:
    anchor = record(0xF010, struct.pack("<4h", top, left, left + 2000, top + 400))
    return record(0xF004, record(0xF00A, bytes(8), 1) + anchor + content, container=True)


def _drawing(shapes: bytes) -> bytes:
    group = record(0xF004, record(0xF009, bytes(16)) + record(0xF00A, bytes(8)), container=True)
    tree = record(0xF003, group + shapes, container=True)
    return record(0x040C, record(0xF002, tree, container=True), container=True)


def _slide(slide: OldSlide) -> bytes:
    shapes, outlined = b"", 0
    for kind, text, top in slide.boxes:
        if top is None:
            inner, outlined = record(0x0F9E, struct.pack("<I", outlined)), outlined + 1
        else:
            inner = _text(kind, text)
        shapes += _shape(top or 0, record(0xF00D, inner, container=True))
    if slide.table:
        shapes += _table(slide.table)
    if slide.picture:
        words = (slide.picture + "\0").encode("utf-16-le")
        shapes += _shape(3000, record(0xF00B, struct.pack("<HI", 0xC381, len(words)) + words, 1))
    if slide.has_object:
        shapes += _shape(3500, record(0xF011, record(0x0BC1, struct.pack("<I", 1)), container=True))
    content = record(0x03EF, bytes(24), 2) + _drawing(shapes)
    content += record(0x03F9, struct.pack("<iIBBHI", 0, 0, 0, 0, 4 if slide.hidden else 0, 0))
    if slide.comment:
        strings = (
            record(0x0FBA, text.encode("utf-16-le"), number) for number, text in enumerate(slide.comment)
        )
        tag = record(0x138B, record(0x2EE0, b"".join(strings), container=True))
        content += record(0x1388, record(0x138A, tag, container=True), container=True)
    return record(0x03EE, content, container=True)


def _table(rows: Sequence[Sequence[str]]) -> bytes:
    marked = record(0xF122, struct.pack("<HI", 0x039F, 1), 1)
    cells = record(0xF004, marked + record(0xF010, struct.pack("<4h", 1500, 100, 900, 2500)), container=True)
    for down, row in enumerate(rows):
        for along, text in enumerate(row):
            place = struct.pack("<4i", along * 400, down * 300, along * 400 + 400, down * 300 + 300)
            box = record(0xF00D, _text(OTHER, text), container=True)
            cells += record(0xF004, record(0xF00F, place) + box, container=True)
    return record(0xF003, cells, container=True)


def _notes(text: str, slide_id: int) -> bytes:
    number = record(0x0F9F, struct.pack("<I", OTHER)) + record(0x0FA8, b"*") + record(0x0FD8, bytes(4))
    boxes = _shape(0, record(0xF00D, _text(NOTES, text), container=True))
    boxes += _shape(900, record(0xF00D, number, container=True))
    return record(0x03F0, record(0x03F1, struct.pack("<II", slide_id, 0)) + _drawing(boxes), container=True)
