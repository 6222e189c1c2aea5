"""The records of a PowerPoint presentation of before 2007 (MS-PPT, MS-ODRAW), and which of them count. Pure.

Knows nothing of what is shown; runs in the worker processes.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from pipeline.extraction.content import ExtractError

DOCUMENT, SLIDE, NOTES = 0x03E8, 0x03EE, 0x03F0
SLIDE_ATOM, NOTES_ATOM, SLIDE_PERSIST, SHOW_INFO = 0x03EF, 0x03F1, 0x03F3, 0x03F9
SLIDE_LIST, DRAWING, OBJECT_REFERENCE, PLACEHOLDER = 0x0FF0, 0x040C, 0x0BC1, 0x0BC3
OUTLINE_REFERENCE, TEXT_HEADER, TEXT_CHARS, TEXT_BYTES, STRING = 0x0F9E, 0x0F9F, 0x0FA0, 0x0FA8, 0x0FBA
FIELDS = (
    0x0FD8,
    0x0FF7,
    0x0FF8,
    0x0FF9,
    0x0FFA,
    0x1015,
)  # a slide's number, dates, header and footer in a text
COMMENT = 0x2EE0
GROUP, SHAPE, TEXT_BOX, CHILD_ANCHOR, ANCHOR, CLIENT_DATA = 0xF003, 0xF004, 0xF00D, 0xF00F, 0xF010, 0xF011
PROPERTIES = (0xF00B, 0xF121, 0xF122)
_USER_EDIT, _PERSIST_DIRECTORY, _TAG_DATA = 0x0FF5, 0x1772, 0x138B
_ENCRYPTED = 0xF3D1C4DF
_MAX_DEPTH = 60
_MAX_RECORDS = 2_000_000
_MAX_EDITS = 10_000


class Record(NamedTuple):
    """`start` and `end` are those of its content in the stream."""

    kind: int
    instance: int
    is_container: bool
    start: int
    end: int


class Stream:
    """The stream "PowerPoint Document"."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self._left = _MAX_RECORDS

    def record(self, offset: int, limit: int | None = None) -> Record | None:
        """The record at an offset; None if there is none."""
        limit = len(self.data) if limit is None else limit
        if not 0 <= offset <= limit - 8:
            return None
        self._left -= 1
        if self._left < 0:
            raise ExtractError("too_large", f"The presentation has more than {_MAX_RECORDS:,} records.")
        head, kind, length = struct.unpack_from("<HHI", self.data, offset)
        is_container = head & 0xF == 0xF or kind == _TAG_DATA
        return Record(kind, head >> 4, is_container, offset + 8, min(offset + 8 + length, limit))

    def children(self, parent: Record) -> Iterator[Record]:
        offset = parent.start
        while (found := self.record(offset, parent.end)) is not None:
            yield found
            offset = found.end

    def descendants(self, parent: Record, kind: int, depth: int = 0) -> Iterator[Record]:
        """The records of a kind inside another one, at any depth."""
        for child in self.children(parent):
            if child.kind == kind:
                yield child
            elif child.is_container and depth < _MAX_DEPTH:
                yield from self.descendants(child, kind, depth + 1)

    def child(self, parent: Record, kind: int) -> Record | None:
        return next((each for each in self.children(parent) if each.kind == kind), None)

    def content(self, record: Record) -> bytes:
        return self.data[record.start : record.end]

    def number(self, record: Record, offset: int) -> int:
        """The 32 bits at an offset of a record; 0 beyond its end."""
        content = self.data[record.start + offset : min(record.start + offset + 4, record.end)]
        return int.from_bytes(content, "little") if len(content) == 4 else 0


def persisted(stream: Stream, current_user: bytes) -> tuple[Record, dict[int, int]]:
    """The document's record, and the offsets of what is stored by number. Raises ExtractError."""
    if len(current_user) < 20:
        raise ExtractError("corrupt", "This is an old PowerPoint presentation that is damaged.")
    token, offset = struct.unpack_from("<II", current_user, 12)
    if token == _ENCRYPTED:
        raise ExtractError(
            "corrupt", "This is an old PowerPoint presentation that cannot be read without its password."
        )
    offsets: dict[int, int] = {}
    document_id = 0
    seen: set[int] = set()
    while offset not in seen and len(seen) < _MAX_EDITS:
        seen.add(offset)
        edit = stream.record(offset)
        if edit is None or edit.kind != _USER_EDIT:
            break
        document_id = document_id or stream.number(edit, 16)
        directory = stream.record(stream.number(edit, 12))
        if directory is not None and directory.kind == _PERSIST_DIRECTORY:
            for number, place in _entries(stream, directory):
                offsets.setdefault(number, place)  # the last edit comes first
        offset = stream.number(edit, 8)
        if not offset:
            break
    document = stream.record(offsets.get(document_id, -1))
    if document is None or document.kind != DOCUMENT:
        raise ExtractError("corrupt", "This is an old PowerPoint presentation that is damaged.")
    return document, offsets


def _entries(stream: Stream, directory: Record) -> Iterator[tuple[int, int]]:
    at = 0
    size = directory.end - directory.start
    while at + 4 <= size:
        head = stream.number(directory, at)
        first, count = head & 0xFFFFF, head >> 20
        at += 4
        for number in range(count):
            if at + 4 > size:
                return
            yield first + number, stream.number(directory, at)
            at += 4
