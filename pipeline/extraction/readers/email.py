"""E-mails, with what is attached to them: MIME files, those of Apple Mail, and those of Outlook.

Runs in the worker processes.
"""

from __future__ import annotations

import re

from pipeline.extraction.content import Content, ExtractError
from pipeline.extraction.formats import Format
from pipeline.extraction.mail import message, mime, outlook_file

_LENGTH = re.compile(rb"\s*(\d{1,12})[ \t]*\r?\n")


class EmailReader:
    """The header and text of an e-mail as Markdown, and the files and e-mails attached to it."""

    name = "email"
    version = 2
    libraries: tuple[str, ...] = ()

    def read(self, data: bytes, detected: Format) -> Content:
        return _read(data)


class AppleMailReader:
    """A message of Apple Mail: the number of its bytes, the e-mail, and a property list."""

    name = "emlx"
    version = 1
    libraries: tuple[str, ...] = ()

    def read(self, data: bytes, detected: Format) -> Content:
        length = _LENGTH.match(data)
        if length is None:
            return _read(data)
        end = length.end() + int(length[1])
        return _read(data[length.end() : end])


class OutlookReader:
    """A message that Outlook saved."""

    name = "outlook"
    version = 1
    libraries = ("olefile",)

    def read(self, data: bytes, detected: Format) -> Content:
        return outlook_file.read(data)


def _read(data: bytes) -> Content:
    found = mime.parse(data)
    if not found.fields and not data.strip():
        raise ExtractError("empty", "The e-mail is empty.", skipped=True)
    return message.read(found)
