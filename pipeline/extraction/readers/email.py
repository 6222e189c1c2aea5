"""E-mails, with what is attached to them: MIME files, those of Apple Mail, and those of Outlook.

Runs in the worker processes.
"""

from __future__ import annotations

import io
import itertools
import re
from collections.abc import Iterable

from pipeline.extraction import markdown
from pipeline.extraction.containers.mbox import MailboxReader
from pipeline.extraction.content import Attachment, Content, ExtractError
from pipeline.extraction.formats import Format
from pipeline.extraction.mail import cms, message, mime, outlook_file
from pipeline.extraction.mail_formats import field_names, is_known_field
from pipeline.extraction.part import ContainerLimits

_MAX_MESSAGES = 2000
_MAX_TEXT = 4_000_000  # characters
_HEADER = 1 << 14  # bytes that show whether a header begins
_LENGTH = re.compile(rb"\s*(\d{1,12})[ \t]*\r?\n")


class EmailReader:
    """The header and text of an e-mail as Markdown, and the files and e-mails attached to it."""

    def read(self, data: bytes, detected: Format) -> Content:
        return _read(data)


class AppleMailReader:
    """A message of Apple Mail: the number of its bytes, the e-mail, and a property list."""

    def read(self, data: bytes, detected: Format) -> Content:
        length = _LENGTH.match(data)
        if length is None:
            return _read(data)
        end = length.end() + int(length[1])
        return _read(data[length.end() : end])


class MailboxTextReader:
    """A mailbox where its messages cannot be documents of their own: compressed, or attached to a message."""

    def read(self, data: bytes, detected: Format) -> Content:
        mailbox, file = MailboxReader(), io.BytesIO(data)
        sections: list[str] = []
        attachments: list[Iterable[Attachment]] = []
        warnings: list[str] = []
        characters = 0
        for part in mailbox.parts(file, ContainerLimits(_MAX_MESSAGES, len(data))):
            if len(sections) >= _MAX_MESSAGES or characters >= _MAX_TEXT:
                warnings.append(f"Only the first {len(sections)} messages are read.")
                break
            content = _read(mailbox.read(file, part.locator, len(data)))
            sections.append(f"# {content.title or part.name}\n\n{markdown.demoted(content.text)}")
            attachments.append(content.attachments)
            warnings += [each for each in content.warnings if each not in warnings]
            characters += len(sections[-1])
        if not sections:
            raise ExtractError("empty", "There is no message in this mailbox.", skipped=True)
        every = itertools.chain.from_iterable(attachments)
        return Content("\n\n".join(sections), markdown=True, attachments=every, warnings=tuple(warnings))


class SignedFileReader:
    """A file inside its signature, like contract.pdf.p7m, or a signed e-mail without its header."""

    def read(self, data: bytes, detected: Format) -> Content:
        content = cms.signed_content(data)
        if content is not None:
            part = mime.parse(content)
            if part.header("content-type"):
                return message.read(part)
            return Content("", markdown=True, attachments=(Attachment("signed file", content),))
        if cms.is_encrypted(data):
            raise ExtractError("corrupt", "The file is encrypted and cannot be read without its key.")
        raise ExtractError("empty", "This is a signature; what it signs is in another file.", skipped=True)


class OutlookReader:
    """A message that Outlook saved."""

    def read(self, data: bytes, detected: Format) -> Content:
        return outlook_file.read(data)


def _read(data: bytes) -> Content:
    found = mime.parse(_repaired(data))
    if not found.fields and not data.strip():
        raise ExtractError("empty", "The e-mail is empty.", skipped=True)
    return message.read(found)


def _repaired(data: bytes) -> bytes:
    """A message without blank lines above its header, and with line feeds where it has carriage returns alone."""
    if b"\r" in data and b"\n" not in data:
        data = data.replace(b"\r", b"\n")
    if data[:1] in (b"\r", b"\n"):
        rest = data.lstrip(b"\r\n")
        if any(map(is_known_field, field_names(rest[:_HEADER]))):
            return rest
    return data
