"""Outlook's `.msg` files: the message, its recipients and its attachments. Runs in the worker processes."""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Iterator
from typing import TYPE_CHECKING

from pipeline.extraction.content import Attachment, Content, ExtractError
from pipeline.extraction.mail import cms, headers, mapi, message, mime
from pipeline.extraction.mail.mapi import Properties

if TYPE_CHECKING:
    import olefile

# What the library raises at damaged files.
_ERRORS = (
    OSError,
    ValueError,
    struct.error,
    LookupError,
    RecursionError,
    AttributeError,
    TypeError,
    OverflowError,
)
_MAX_DEPTH = 4  # messages inside messages
_MAX_ENTRIES = 20_000  # storages and streams of a file
_STREAM = re.compile(r"__substg1\.0_([0-9A-F]{4})([0-9A-F]{4})\Z", re.IGNORECASE)
_FIXED = {2, 3, 4, 5, 6, 7, 0x0A, 0x0B, 0x14, 0x40}
_RECIPIENT, _FILE = "__recip_version1.0_#", "__attach_version1.0_#"
_MESSAGE_INSIDE = "__substg1.0_3701000D"

_Path = tuple[str, ...]


def read(data: bytes) -> Content:
    """The content of a `.msg` file. Raises ExtractError."""
    import olefile

    try:
        with olefile.OleFileIO(io.BytesIO(data)) as ole:
            storage = _File(ole)
            if not storage.children(()):
                raise ExtractError("corrupt", "The Outlook message is damaged and cannot be read.")
            return _message(storage, (), 0)
    except ExtractError:
        raise
    except _ERRORS as error:
        raise ExtractError("corrupt", "The Outlook message is damaged and cannot be read.") from error


class _File:
    """The streams of a compound file, by their storage."""

    def __init__(self, ole: olefile.OleFileIO) -> None:
        self._ole = ole
        self._children: dict[_Path, list[str]] = {}
        for path in ole.listdir(streams=True, storages=True)[:_MAX_ENTRIES]:
            self._children.setdefault(tuple(path[:-1]), []).append(path[-1])

    def children(self, storage: _Path) -> list[str]:
        return self._children.get(storage, [])

    def stream(self, path: _Path) -> bytes:
        try:
            return bytes(self._ole.openstream(list(path)).read())
        except _ERRORS:  # the chain of its sectors is broken
            return b""

    def properties(self, storage: _Path, charset: str | None, header: int) -> Properties:
        """The properties of a storage, without the data of attachments; `header` bytes precede the fixed ones."""
        values: dict[int, tuple[int, bytes]] = {}
        fixed = self.stream((*storage, "__properties_version1.0"))[header:]
        for start in range(0, len(fixed) - 15, 16):
            kind, key, _, value = struct.unpack_from("<HHL8s", fixed, start)
            if kind in _FIXED:
                values[key] = kind, value
        for name in self.children(storage):
            found = _STREAM.match(name)
            if found and found[2].upper() in ("001E", "001F", "0102"):
                values[int(found[1], 16)] = int(found[2], 16), self.stream((*storage, name))
        return Properties(values, charset)


def _message(file: _File, storage: _Path, depth: int) -> Content:
    found = file.properties(storage, None, 24 if storage else 32)
    recipients = [
        file.properties((*storage, name), found.charset, 8)
        for name in file.children(storage)
        if name.startswith(_RECIPIENT)
    ]
    sent_header = mime.parse(found.text(mapi.HEADERS).encode("utf-8", "replace")).header("date")
    date = headers.date(sent_header) or found.date(mapi.SUBMITTED) or found.date(mapi.DELIVERED)
    fields = mapi.head(found, recipients, date)
    head = "\n\n".join(f"{label}: {value}" for label, value in fields)
    attachments = list(_attachments(file, storage, found, depth))
    body = mapi.body(found)
    warnings: tuple[str, ...] = ()
    if found.line(mapi.CLASS).upper().startswith("IPM.NOTE.SMIME") and len(attachments) == 1:
        inner = _protected(attachments[0].data)
        body, attachments, warnings = inner.text, list(inner.attachments), inner.warnings
    return Content(
        "\n\n".join(each for each in (head, body) if each),
        found.line(mapi.SUBJECT) or None,
        markdown=True,
        attachments=attachments,
        warnings=warnings,
        author=mapi.sender(found) or None,
        date=date,
    )


def _protected(data: bytes) -> Content:
    """What is in the only attachment of a signed message."""
    content = data if mime.parse(data.lstrip()).header("content-type") else cms.signed_content(data)
    if content is None:
        return Content("", warnings=(message.ENCRYPTED,))
    return message.read(mime.parse(content.lstrip()))


def _attachments(file: _File, storage: _Path, outer: Properties, depth: int) -> Iterator[Attachment]:
    """The attachments without the pictures of the text."""
    for name in file.children(storage):
        if not name.startswith(_FILE):
            continue
        path = (*storage, name)
        found = file.properties(path, outer.charset, 8)
        shown = mapi.file_name(found)
        if _MESSAGE_INSIDE in file.children(path):
            inside = (*path, _MESSAGE_INSIDE)
            is_message = "__properties_version1.0" in file.children(inside)
            content = _message(file, inside, depth + 1) if is_message and depth < _MAX_DEPTH else None
            yield Attachment(shown, content=content)
        elif not mapi.is_picture_of_text(found):
            yield Attachment(shown, found.raw(mapi.DATA))
