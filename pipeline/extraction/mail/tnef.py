"""Outlook's winmail.dat (TNEF, MS-OXTNEF): the text and the files in it. Runs in the worker processes."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from pipeline.extraction.content import Attachment, Content
from pipeline.extraction.mail import mapi
from pipeline.extraction.mail.mapi import Properties

_SIGNATURE = 0x223E9F78
_CODE_PAGE, _SUBJECT, _BODY = 0x9007, 0x8004, 0x800C
_MESSAGE_PROPERTIES, _ATTACHMENT, _NEW_ATTACHMENT, _TITLE, _DATA = 0x9003, 0x9005, 0x9002, 0x8010, 0x800F
_FIXED = {2: 2, 3: 4, 4: 4, 5: 8, 6: 8, 7: 8, 0x0A: 4, 0x0B: 2, 0x14: 8, 0x40: 8, 0x48: 16}
_BY_LENGTH = {0x1E, 0x1F, 0x102, 0x0D}
_MESSAGE_ID = bytes.fromhex("0703020000000000c000000000000046")  # IID_IMessage
_MAX_DEPTH = 4


def read(data: bytes, depth: int = 0) -> Content:
    """The text as Markdown, and the files. Raises ValueError for what is damaged."""
    try:
        return _read(data, depth)
    except (struct.error, IndexError) as error:
        raise ValueError("damaged") from error


def _read(data: bytes, depth: int) -> Content:
    if len(data) < 6 or struct.unpack_from("<L", data)[0] != _SIGNATURE:
        raise ValueError("not TNEF")
    charset: str | None = None
    message: dict[int, tuple[int, bytes]] = {}
    files: list[dict[int, tuple[int, bytes]]] = []
    for kind, value in _attributes(data):
        if kind == _CODE_PAGE and len(value) >= 4:
            charset = mapi.code_page(struct.unpack_from("<L", value)[0])
        elif kind == _SUBJECT:
            message.setdefault(mapi.SUBJECT, (mapi.STRING8, value))
        elif kind == _BODY:
            message.setdefault(mapi.BODY, (mapi.STRING8, value))
        elif kind == _MESSAGE_PROPERTIES:
            message.update(_properties(value))
        elif kind == _NEW_ATTACHMENT:
            files.append({})
        elif files and kind == _TITLE:
            files[-1].setdefault(mapi.SHORT_NAME, (mapi.STRING8, value))
        elif files and kind == _DATA:
            files[-1].setdefault(mapi.DATA, (mapi.BINARY, value))
        elif files and kind == _ATTACHMENT:
            files[-1].update(_properties(value))
    properties = Properties(message, charset)
    described = [Properties(each, properties.charset) for each in files]
    attachments = tuple(_file(each, depth) for each in described if not mapi.is_picture_of_text(each))
    return Content(
        mapi.body(properties), properties.line(mapi.SUBJECT) or None, markdown=True, attachments=attachments
    )


def _attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    position = 6
    while position + 9 <= len(data):
        _, kind, _, length = struct.unpack_from("<BHHL", data, position)
        position += 9
        if length > len(data) - position:
            raise ValueError("cut off")
        yield kind, data[position : position + length]
        position += length + 2


def _properties(data: bytes) -> dict[int, tuple[int, bytes]]:
    """id -> (type, value) of a list of MAPI properties; of several values the first."""
    found: dict[int, tuple[int, bytes]] = {}
    count, position = struct.unpack_from("<L", data)[0], 4
    for _ in range(min(count, 10_000)):
        kind, key = struct.unpack_from("<HH", data, position)
        position += 4
        if key >= 0x8000:
            position = _after_name(data, position)
        base = kind & 0x0FFF
        values = 1
        if kind & 0x1000 or base in _BY_LENGTH:
            values = struct.unpack_from("<L", data, position)[0]
            position += 4
        for number in range(min(values, 100_000)):
            value, position = _value(data, position, base)
            if number == 0:
                found[key] = base, value
    return found


def _after_name(data: bytes, position: int) -> int:
    kind = struct.unpack_from("<L", data, position + 16)[0]
    if kind == 0:
        return position + 24
    length = struct.unpack_from("<L", data, position + 20)[0]
    return position + 24 + _padded(length)


def _value(data: bytes, position: int, kind: int) -> tuple[bytes, int]:
    if kind in _BY_LENGTH:
        length = struct.unpack_from("<L", data, position)[0]
        position += 4
    elif kind in _FIXED:
        length = _FIXED[kind]
    else:
        raise ValueError("unknown type of property")
    if length > len(data) - position:
        raise ValueError("cut off")
    return data[position : position + length], position + _padded(length)


def _padded(length: int) -> int:
    return (length + 3) & ~3


def _file(properties: Properties, depth: int) -> Attachment:
    name = mapi.file_name(properties)
    data = properties.raw(mapi.DATA)
    if data.startswith(_MESSAGE_ID) and depth < _MAX_DEPTH:
        try:
            return Attachment(name, content=read(data[16:], depth + 1))
        except ValueError:
            return Attachment(name, b"")
    return Attachment(name, data)
