"""Pages that a browser saved with their pictures as one MIME file (MHTML). Runs in the worker processes."""

from __future__ import annotations

import email
import email.policy
from email.message import Message

from pipeline.extraction import html
from pipeline.extraction.content import Content, ExtractError
from pipeline.extraction.formats import Format
from pipeline.extraction.html import charset

_MAX_PARTS = 5000
_MAX_FRAMES = 50
_PAGES = ("text/html", "application/xhtml+xml", "application/vnd.wap.xhtml+xml")


class WebArchiveReader:
    """The page that was saved, and below it the texts of its frames."""

    def read(self, data: bytes, detected: Format) -> Content:
        try:
            message = email.message_from_bytes(data, policy=email.policy.compat32)
            parts = [part for part in message.walk() if not part.is_multipart()][:_MAX_PARTS]
        except Exception as error:  # the parser's promise to raise nothing does not hold for every file
            raise ExtractError("corrupt", f"This is {detected.name} that is damaged.") from error
        root = _root(message, parts)
        if root is None:
            raise ExtractError("corrupt", f"This is {detected.name} without a page in it.")
        page = html.html_to_markdown(_decoded(root))
        texts = [page.text]
        for part in parts:
            if part is not root and part.get_content_type() in _PAGES and len(texts) <= _MAX_FRAMES:
                text = html.html_to_markdown(_decoded(part)).text
                texts += [text] if text and text not in texts else []
        title = page.title or _subject(message)
        text = "\n\n".join(text for text in texts if text)
        return Content(text, title, markdown=True, author=page.author, date=page.date, tags=page.tags)


def _root(message: Message, parts: list[Message]) -> Message | None:
    """The part that is the page: the one that the header names, else the first page, else the first text."""
    start = str(message.get_param("start") or "").strip()
    place = str(message.get("Snapshot-Content-Location") or message.get("Content-Location") or "").strip()
    pages = [part for part in parts if part.get_content_type() in _PAGES]
    for part in pages:
        if start and str(part.get("Content-ID") or "").strip() == start:
            return part
    for part in pages:
        if place and str(part.get("Content-Location") or "").strip() == place:
            return part
    texts = [part for part in parts if part.get_content_type() == "text/plain"]
    return next(iter(pages or texts), None)


def _decoded(part: Message) -> str:
    payload = part.get_payload(decode=True)
    data = payload if isinstance(payload, bytes) else b""
    label = part.get_content_charset()
    return charset.decode(data, label)


def _subject(message: Message) -> str | None:
    from email.header import decode_header, make_header

    try:
        return " ".join(str(make_header(decode_header(str(message.get("Subject", ""))))).split()) or None
    except (LookupError, ValueError, email.errors.MessageError):
        return None
