"""Makes text of the bytes of one file: detects the format, calls its reader, and adds the text of attachments.

Knows nothing of models, chunks or the server, and of the formats only the table of readers. Runs in the worker
processes.
"""

from __future__ import annotations

import gzip
import io
import logging
import zlib
from dataclasses import dataclass
from pathlib import Path

from pipeline.extraction import formats, markdown
from pipeline.extraction.content import WORD, Attachment, Content, ExtractError
from pipeline.extraction.file_access import Places, read
from pipeline.extraction.format_reader import READERS
from pipeline.extraction.formats import Condition, Format

__all__ = ["WORD", "ExtractError", "Extracted", "Places", "extract", "read"]

_MAX_ATTACHMENTS = 50  # those that follow are named only
_MAX_ATTACHED_TEXT = (
    4_000_000  # characters; once there are so many, the attachments that follow are named only
)
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Extracted:
    """A file's text. `pages` holds (page number, offset where it starts in `text`) where the format has pages."""

    text: str
    mime: str
    title: str | None
    markdown: bool
    pages: tuple[tuple[int, int], ...]


def extract(path: str, data: bytes, size_limit: int) -> Extracted:
    """The text of the file at `path`, whose bytes are `data`; a gzip file may have `size_limit` bytes unpacked.

    Raises ExtractError.
    """
    suffix = Path(path).suffix.lower()
    detected = formats.detect(data, suffix)
    if detected == formats.GZIP:
        data = _unpack(data, size_limit)
        suffix = Path(Path(path).stem).suffix.lower() if suffix == ".gz" else suffix
        detected = formats.detect(data, suffix)
    content = _read(path, data, detected, suffix)
    text = content.text
    if attached := _attached_text(path, content):
        text = f"{text}\n\n{attached}"
    if not WORD.search(text):
        raise ExtractError("empty", "There is no text in this file; pictures and scans are not read.", True)
    return Extracted(text, detected.mime, content.title, content.markdown, content.pages)


def _unpack(data: bytes, size_limit: int) -> bytes:
    try:
        unpacked = gzip.GzipFile(fileobj=io.BytesIO(data)).read(size_limit + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise ExtractError("corrupt", "The gzip file is damaged and cannot be unpacked.") from error
    if len(unpacked) > size_limit:
        raise ExtractError(
            "too_large", f"The file unpacks to more than {size_limit:,} bytes (documents.max_file_bytes)."
        )
    if not unpacked:
        raise ExtractError("empty", "The gzip file holds nothing.", skipped=True)
    return unpacked


def _read(path: str, data: bytes, detected: Format, suffix: str) -> Content:
    if detected.condition is Condition.LOCKED:
        raise ExtractError("corrupt", f"This is {detected.name}, which cannot be read without its password.")
    if detected.condition is Condition.DAMAGED:
        raise ExtractError("corrupt", f"The file is damaged, or not {detected.name} at all.")
    reader = READERS.get(detected.mime)
    if reader is None:
        raise _no_reader(detected, formats.expected_name(suffix))
    content = reader.read(data, detected)
    for warning in content.warnings:
        _log.info("%s: %s", path, warning)
    return content


def _no_reader(detected: Format, expected: str | None) -> ExtractError:
    if detected.is_picture and expected is None:
        return ExtractError("empty", f"This is {detected.name}; text in pictures is not read.", skipped=True)
    instead = "" if expected in (None, detected.name) else f", not {expected}"
    return ExtractError("unsupported", f"This is {detected.name}{instead}, and no text can be read from it.")


def _attached_text(path: str, content: Content) -> str:
    """The attachments as Markdown, each below its name; empty where there are none.

    Whatever is wrong with an attachment, the file keeps the rest of its text.
    """
    sections: list[str] = []
    characters = 0
    try:
        for attachment in content.attachments:
            text = ""
            if attachment.data and len(sections) < _MAX_ATTACHMENTS and characters < _MAX_ATTACHED_TEXT:
                text = _attachment_text(path, attachment)
            characters += len(text)
            sections.append(f"# Attachment: {attachment.name}\n\n{text}".rstrip())
    except MemoryError:
        raise
    except Exception as error:  # also what the parser of an e-mail raises for some
        _log.info("%s: the attachments that follow cannot be read: %r", path, error)
    return "\n\n".join(sections)


def _attachment_text(path: str, attachment: Attachment) -> str:
    """An attachment's text as Markdown, empty where it gives none; what is attached to it is not read."""
    suffix = Path(attachment.name).suffix.lower()
    try:
        content = _read(path, attachment.data, formats.detect(attachment.data, suffix), suffix)
    except ExtractError:  # the attachment's name is part of the text all the same
        return ""
    return markdown.demoted(content.text) if content.markdown else markdown.literal(content.text)
