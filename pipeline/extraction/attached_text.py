"""The files that are attached to a file, as text that stands below its own. Pure; runs in the worker processes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pipeline.extraction import formats, markdown
from pipeline.extraction.content import Attachment, Content, ExtractError
from pipeline.extraction.formats import Format

_MAX_ATTACHMENTS = 50  # those that follow are named only
_MAX_TEXT = 4_000_000  # characters; once there are so many, the attachments that follow are named only

Read = Callable[[bytes, Format, str], Content]
"""Reads the bytes of a format; the last argument is the suffix of the name. Raises ExtractError."""


def attached_text(content: Content, read: Read) -> tuple[str, tuple[str, ...]]:
    """The attachments as Markdown, each below its name, and warnings; empty where there are none.

    Whatever is wrong with an attachment, the file keeps the rest of its text.
    """
    sections: list[str] = []
    warnings: list[str] = []
    characters = named_only = 0
    try:
        for attachment in content.attachments:
            text = ""
            if len(sections) >= _MAX_ATTACHMENTS or characters >= _MAX_TEXT:
                named_only += 1
            elif attachment.data:
                text = _text(attachment, read, warnings)
            characters += len(text)
            sections.append(f"# Attachment: {attachment.name}\n\n{text}".rstrip())
    except MemoryError:
        raise
    except Exception as error:  # also what the parser of an e-mail raises for some
        warnings.append(f"Some attachments cannot be read ({type(error).__name__}).")
    if named_only:
        warnings.append(f"The last {named_only} attachments are found by their names only.")
    return "\n\n".join(sections), tuple(warnings)


def _text(attachment: Attachment, read: Read, warnings: list[str]) -> str:
    """An attachment's text as Markdown, empty where it gives none; what is attached to it is not read."""
    suffix = Path(attachment.name).suffix.lower()
    try:
        content = read(attachment.data, formats.detect(attachment.data, suffix), suffix)
    except ExtractError as error:  # the attachment's name is part of the text all the same
        if not error.skipped:
            warnings.append(f"The attachment {attachment.name} is not read: {error.message}")
        return ""
    warnings += [f"{attachment.name}: {warning}" for warning in content.warnings]
    if content.pages_without_text:
        warnings.append(f"Text in pictures of the attachment {attachment.name} is not read.")
    return markdown.demoted(content.text) if content.markdown else markdown.literal(content.text)
