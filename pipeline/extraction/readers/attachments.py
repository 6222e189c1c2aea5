"""The files that are attached to an e-mail. Pure; runs in the worker processes.

Knows nothing of what the files contain. The text of the e-mail itself, and of e-mails attached to it, is not read here.
"""

from __future__ import annotations

import contextlib
import email
from collections.abc import Iterator
from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import Message

from pipeline.extraction.content import Attachment

_MAX_NAME = 200  # characters
_SIGNATURES = ("application/pgp-signature", "application/pkcs7-signature", "application/x-pkcs7-signature")


def attachments(data: bytes) -> Iterator[Attachment]:
    """The attachments of an e-mail, in order, without signatures and the pictures inside its text.

    An attached e-mail has no data: its text is in that of the outer e-mail. The parser's promise to raise nothing does
    not hold for every e-mail, so the caller must expect any exception.
    """
    for part in _parts(email.message_from_bytes(data)):
        name = _readable(part.get_filename() or "")
        if part.get_content_type() == "message/rfc822":
            inner = next((each for each in part.walk() if each is not part), part)
            yield Attachment(name or _readable(str(inner.get("Subject", ""))) or "e-mail", b"")
        else:
            content = part.get_payload(decode=True)
            yield Attachment(name or part.get_content_type(), content if isinstance(content, bytes) else b"")


def _parts(message: Message) -> Iterator[Message]:
    """The parts that are attachments; those of an attached e-mail are left out."""
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
    with contextlib.suppress(
        MessageError, LookupError, ValueError
    ):  # then the header stays as it was written
        header = str(make_header(decode_header(header)))
    return " ".join(header.split())[:_MAX_NAME]
