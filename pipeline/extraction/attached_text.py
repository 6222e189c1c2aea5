"""The files that are attached to a file, as text that stands below its own. Pure; runs in the worker processes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pipeline.extraction import formats, markdown
from pipeline.extraction.content import Attachment, Content, ExtractError
from pipeline.extraction.formats import Format

_MAX_ATTACHMENTS = 50  # files; those that follow are named only
_MAX_MESSAGES = 500  # messages inside messages, as a digest has them
_MAX_TEXT = 4_000_000  # characters; once there are so many, the attachments that follow are named only
_MAX_DEPTH = 4  # attachments of attachments

Read = Callable[[bytes, Format, str], Content]
"""Reads the bytes of a format; the last argument is the suffix of the name. Raises ExtractError."""


def attached_text(content: Content, read: Read) -> tuple[str, tuple[str, ...]]:
    """The attachments as Markdown, each below its name, and warnings; empty where there are none.

    What is attached to them stands below headings of the next level. Whatever is wrong with an attachment, the file
    keeps the rest of its text.
    """
    reading = _Reading(read)
    text = reading.sections(content, 1)
    if reading.named_only:
        reading.warnings.append(f"The last {reading.named_only} attachments are found by their names only.")
    return text, tuple(reading.warnings)


class _Reading:
    """Counts what is read, over all levels."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self._files = self._messages = self._characters = 0
        self.named_only = 0
        self.warnings: list[str] = []

    def sections(self, content: Content, depth: int) -> str:
        """The attachments of a content, each below its name."""
        sections: list[str] = []
        try:
            for attachment in content.attachments:
                text = self._text(attachment, depth)
                sections.append(f"# Attachment: {attachment.name}\n\n{text}".rstrip())
        except MemoryError:
            raise
        except ExtractError as error:
            self.warnings.append(f"Some attachments cannot be read: {error.message}")
        except Exception as error:  # also what the reader of an outer file raises at some
            self.warnings.append(f"Some attachments cannot be read ({type(error).__name__}).")
        return "\n\n".join(sections)

    def _text(self, attachment: Attachment, depth: int) -> str:
        """An attachment's text as Markdown, with that of its own attachments; empty where it gives none."""
        if not attachment.data and attachment.content is None:
            return ""
        if self._is_too_much(attachment, depth):
            self.named_only += 1
            return ""
        content = attachment.content or self._content(attachment)
        if content is None:
            return ""
        self.warnings += [f"{attachment.name}: {warning}" for warning in content.warnings]
        if content.pages_without_text:
            self.warnings.append(f"Text in pictures of the attachment {attachment.name} is not read.")
        text = markdown.demoted(content.text) if content.markdown else markdown.literal(content.text)
        self._characters += len(text)
        inner = self.sections(content, depth + 1)
        return "\n\n".join(part for part in (text, markdown.demoted(inner)) if part)

    def _is_too_much(self, attachment: Attachment, depth: int) -> bool:
        if attachment.content is None:
            self._files += 1
        else:
            self._messages += 1
        return (
            depth > _MAX_DEPTH
            or self._files > _MAX_ATTACHMENTS
            or self._messages > _MAX_MESSAGES
            or self._characters >= _MAX_TEXT
        )

    def _content(self, attachment: Attachment) -> Content | None:
        suffix = Path(attachment.name).suffix.lower()
        try:
            return self._read(attachment.data, formats.detect(attachment.data, suffix), suffix)
        except ExtractError as error:  # the attachment's name is part of the text all the same
            if not error.skipped:
                self.warnings.append(f"The attachment {attachment.name} is not read: {error.message}")
            return None
