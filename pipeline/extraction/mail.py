"""The files that came with an e-mail. Pure; runs in the worker processes.

Knows nothing of what the files hold. The text of the e-mail itself, and of those attached to it, is the extractor's.
"""

from __future__ import annotations

import contextlib
import email
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import Message

_MAX_NAME = 200  # characters
_SIGNATURES = ("application/pgp-signature", "application/pkcs7-signature", "application/x-pkcs7-signature")


_MOST_READ = 50
_MOST_TEXT = 4_000_000  # characters; once there are so many, the attachments that follow are named only
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Attachment:
    """`data` is empty for an attached e-mail, whose text the extractor has put below that of the first."""

    name: str
    data: bytes


def attached(data: bytes, read: Callable[[Attachment], str]) -> str:
    """The attachments of an e-mail as Markdown, each below its name; empty where there are none.

    `read` gives one's text as Markdown, or nothing. Whatever is wrong with an attachment, the e-mail keeps the rest.
    """
    sections: list[str] = []
    room = _MOST_TEXT
    try:
        for attachment in attachments(data):
            text = read(attachment) if len(sections) < _MOST_READ and room > 0 and attachment.data else ""
            room -= len(text)
            sections.append(f"# Attachment: {attachment.name}\n\n{text}".rstrip())
    except MemoryError:
        raise
    except Exception as error:  # the parser promises to raise nothing, and does for some
        _log.info("the attachments of an e-mail cannot be taken apart: %r", error)
    return "\n\n".join(sections)


def attachments(data: bytes) -> Iterator[Attachment]:
    """The attachments of an e-mail, in order; pictures inside its text and signatures are none."""
    for part in _parts(email.message_from_bytes(data)):
        name = _readable(part.get_filename() or "")
        if part.get_content_type() == "message/rfc822":
            inner = next((each for each in part.walk() if each is not part), part)
            yield Attachment(name or _readable(str(inner.get("Subject", ""))) or "e-mail", b"")
        else:
            content = part.get_payload(decode=True)
            yield Attachment(name or part.get_content_type(), content if isinstance(content, bytes) else b"")


def _parts(message: Message) -> Iterator[Message]:
    """The parts that are attachments; those of an attached e-mail are not looked at."""
    payload = message.get_payload()
    if message.get_content_maintype() == "multipart" and isinstance(payload, list):
        for part in payload:
            if isinstance(part, Message):
                yield from _parts(part)
    elif _is_attachment(message):
        yield message


def _is_attachment(part: Message) -> bool:
    if part.get_content_type() in _SIGNATURES:
        return False
    if part.get_content_type() == "message/rfc822" or part.get_content_disposition() == "attachment":
        return True
    inside = part.get_content_maintype() == "text" or part.get("Content-ID") is not None
    return part.get_filename() is not None and not inside


def _readable(header: str) -> str:
    with contextlib.suppress(MessageError, LookupError, ValueError):  # else it is shown as it was written
        header = str(make_header(decode_header(header)))
    return " ".join(header.split())[:_MAX_NAME]
