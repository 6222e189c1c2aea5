"""Writes small documents of Pages, Numbers and Keynote for tests: objects as messages, in blocks of Snappy."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Mapping, Sequence

Value = int | str | bytes
Fields = Sequence[tuple[int, Value]]

ROOT, SHOW, SHEET, NODE, SLIDE, PLACEHOLDER, NOTE = 1, 2, 2, 4, 5, 7, 15
STORAGE, ATTACHMENT, FOOTNOTE, SHAPE, STYLE = 2001, 2003, 2008, 2011, 2022
PICTURE, GROUP, COMMENT, AUTHOR = 3005, 3008, 3056, 212
TABLE, MODEL, TILE, LIST = 6000, 6001, 6002, 6005
PAGES, FLOATING, SECTION, MASTER = 10000, 10010, 10011, 10143
_BLOCK = 60


def message(*fields: tuple[int, Value]) -> bytes:
    """The fields as a message of protocol buffers."""
    out = b""
    for number, value in fields:
        if isinstance(value, int):
            out += varint(number << 3) + varint(value)
        else:
            data = value.encode() if isinstance(value, str) else value
            out += varint(number << 3 | 2) + varint(len(data)) + data
    return out


def varint(value: int) -> bytes:
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def reference(number: int) -> bytes:
    return message((1, number))


def storage(text: str, kind: int = 3, **places: Mapping[int, int]) -> bytes:
    """A text, with the objects at its characters: `styles`, `attached` and `notes`."""
    fields = {"styles": 5, "attached": 9, "notes": 16}
    tables: list[tuple[int, Value]] = []
    for name, at in places.items():
        entries = [(1, message((1, index), (2, reference(number)))) for index, number in at.items()]
        tables.append((fields[name], message(*entries)))
    return message((1, kind), (3, text), *tables)


def shape(text: int) -> bytes:
    """A shape or a text box with a text."""
    return message((1, message((1, b""))), (4, reference(text)))


def cell(kind: int, flags: int = 0, values: bytes = b"") -> bytes:
    return bytes([5, kind]) + bytes(6) + struct.pack("<I", flags) + values


def decimal(digits: int, exponent: int = 0) -> bytes:
    return (digits | (exponent + 0x1820) << 113).to_bytes(16, "little")


def row(number: int, cells: Sequence[bytes | None]) -> bytes:
    data, offsets = b"", b""
    for each in cells:
        offsets += struct.pack("<h", -1 if each is None else len(data) // 4)
        data += (each or b"").ljust((len(each or b"") + 3) // 4 * 4, b"\0")
    return message((1, number), (2, len(cells)), (6, data), (7, offsets), (8, 1))


def document(objects: Mapping[int, tuple[int, bytes]], **others: bytes) -> bytes:
    """A document with these objects, by their numbers, each with its kind and message."""
    data = b""
    for number, (kind, body) in objects.items():
        header = message((1, number), (2, message((1, kind), (3, len(body)))))
        data += varint(len(header)) + header + body
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("Index/Document.iwa", blocks(data))
        for name, content in others.items():
            archive.writestr(name, content)
    return out.getvalue()


def lone_text(text: str) -> bytes:
    """A document of nothing but a text."""
    return document({1: (PAGES, message((4, reference(2)))), 2: (STORAGE, storage(text, 0))})


def blocks(data: bytes) -> bytes:
    """The data in blocks of Snappy that hold it as it is."""
    pieces = [data[at : at + _BLOCK] for at in range(0, len(data), _BLOCK)]
    return b"".join(block(varint(len(piece)) + bytes([len(piece) - 1 << 2]) + piece) for piece in pieces)


def block(packed: bytes) -> bytes:
    return b"\0" + len(packed).to_bytes(3, "little") + packed
