"""Calendars and contacts. Runs in the worker processes."""

from __future__ import annotations

from pipeline.extraction import encoding
from pipeline.extraction.content import Content, ExtractError
from pipeline.extraction.formats import Format
from pipeline.extraction.personal import calendar, contacts


class CalendarReader:
    """Events, tasks and journal entries, each below its name, as Markdown."""

    def read(self, data: bytes, detected: Format) -> Content:
        return _unless_empty(calendar.read(data), data, "There is no entry in this calendar.")


class ContactReader:
    """Contacts, each below its name, as Markdown."""

    def read(self, data: bytes, detected: Format) -> Content:
        return _unless_empty(contacts.read(data), data, "There is no card in this contact file.")


def _unless_empty(content: Content, data: bytes, message: str) -> Content:
    """The content; a file without any component is another text with this suffix."""
    if content.text:
        return content
    text = encoding.decode(data)
    if "BEGIN:" in text.upper():
        raise ExtractError("empty", message, skipped=True)
    return Content(text)
