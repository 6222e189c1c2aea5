"""Makes text of the bytes of one file: detects the format, calls its reader, and adds the text of attachments.

Knows nothing of models, chunks or the server, and of the formats only the table of readers. Runs in the worker
processes.
"""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.extraction import formats
from pipeline.extraction.attached_archive import MAX_FILE, archive_content
from pipeline.extraction.attached_text import attached_text
from pipeline.extraction.content import WORD, Content, ExtractError, Heading, NoText
from pipeline.extraction.data_uris import without_data_uris
from pipeline.extraction.file_access import Places, read, read_open
from pipeline.extraction.format_reader import READERS
from pipeline.extraction.formats import Condition, Format
from pipeline.extraction.reading_options import DEFAULTS, ReadingOptions, using
from pipeline.extraction.recognition.page_texts import Pictures, with_page_texts
from semantik.core.metadata import clean_tags, split_authors

__all__ = [
    "WORD",
    "ExtractError",
    "Extracted",
    "NoText",
    "Pictures",
    "Places",
    "extract",
    "read",
    "read_open",
]

_MAX_REASONS = 3  # pages of which a sentence says why they were not recognised


@dataclass(frozen=True)
class Extracted:
    """A file's text with the texts of its attachments, and what its reader says of it; see `Content` for the fields.

    `pages` holds (page number, offset where it starts in `text`) where the format has pages. `warnings` are those of
    the attachments, too. The text of the pages `recognised` was recognised, that of the pages `unrecognised` may be.
    """

    text: str
    mime: str
    title: str | None
    markdown: bool
    pages: tuple[tuple[int, int], ...]
    warnings: tuple[str, ...] = ()
    page_labels: Mapping[int, str] = field(default_factory=dict)
    pages_without_text: tuple[int, ...] = ()
    author: str | None = None
    date: str | None = None
    outline: tuple[Heading, ...] = ()
    recognised: tuple[int, ...] = ()
    unrecognised: tuple[int, ...] = ()
    authors: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    language: str | None = None


def extract(
    path: str,
    data: bytes,
    size_limit: int,
    options: ReadingOptions = DEFAULTS,
    pictures: Callable[[], Pictures] = Pictures,
) -> Extracted:
    """The text of the file at `path`, whose bytes are `data`; a gzip file may have `size_limit` bytes unpacked.

    `options` are for the readers of the file and of its attachments; `pictures` is asked where the file has pages
    without text. Raises ExtractError, and NoText for a file all of whose text is still to be recognised.
    """
    with using(options):
        return _extract(path, data, size_limit, pictures)


def _extract(path: str, data: bytes, size_limit: int, pictures: Callable[[], Pictures]) -> Extracted:
    suffix = Path(path).suffix.lower()
    detected = formats.detect(data, suffix)
    if detected == formats.GZIP:
        data = _unpack(data, size_limit)
        suffix = Path(Path(path).stem).suffix.lower() if suffix == ".gz" else suffix
        detected = formats.detect(data, suffix)
        pictures = Pictures
    content = read_content(data, detected, suffix)
    known = pictures() if content.pages_without_text else Pictures()
    merged = with_page_texts(content, known)
    # A page in a packed file cannot be drawn, as it is not in a file of its own.
    unrecognised = merged.untried if pictures is not Pictures else ()
    content = merged.content
    text = content.text
    attached, warnings = attached_text(content, _read_attached)
    if attached:
        text = f"{text}\n\n{attached}"
    if not WORD.search(text):
        raise _no_text(detected, content, known, unrecognised)
    if unrecognised:
        warnings = (f"{_named(unrecognised)} without text; {known.reason}.", *warnings)
    return Extracted(
        text,
        detected.mime,
        content.title,
        content.markdown,
        content.pages,
        (*content.warnings, *warnings),
        content.page_labels,
        content.pages_without_text,
        content.author,
        content.date,
        content.outline,
        merged.recognised,
        unrecognised,
        content.authors or split_authors(content.author),
        clean_tags(content.tags),
        content.language,
    )


def _no_text(
    detected: Format, content: Content, pictures: Pictures, unrecognised: tuple[int, ...]
) -> ExtractError:
    """Why a file has no text: it is still to be recognised, or there is none."""
    if not content.pages_without_text:
        return ExtractError("empty", "There is no text in this file.", skipped=True)
    what = detected.name if detected.is_picture else f"{detected.name} whose pages are pictures"
    if pictures.texts and pictures.warnings:
        message = " ".join([f"This is {what}.", *pictures.warnings[:_MAX_REASONS]])
    else:
        reason = "no text was recognised in it" if pictures.texts else pictures.reason
        message = f"This is {what}; {reason}."
    failed = pictures.required and bool(unrecognised)
    return NoText("unsupported" if failed else "empty", message, not failed, detected.mime, unrecognised)


def _named(pages: Sequence[int]) -> str:
    """The beginning of a sentence, such as "Page 3 is a picture"."""
    if len(pages) == 1:
        return f"Page {pages[0]} is a picture"
    return f"{len(pages):,} pages, the first of them page {pages[0]}, are pictures"


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


def _read_attached(data: bytes, detected: Format, suffix: str) -> Content:
    if detected == formats.GZIP:
        data = _unpack(data, MAX_FILE)
        detected = formats.detect(data, "")
    return archive_content(data, detected) or read_content(data, detected, suffix)


def read_content(data: bytes, detected: Format, suffix: str) -> Content:
    """What the reader of a format finds in `data`; `suffix` is that of its name. Raises ExtractError."""
    if detected.condition is Condition.LOCKED:
        raise ExtractError("corrupt", f"This is {detected.name}, which cannot be read without its password.")
    if detected.condition is Condition.DAMAGED:
        raise ExtractError("corrupt", f"The file is damaged, or not {detected.name} at all.")
    reader = READERS.get(detected.mime)
    if reader is None:
        raise _no_reader(detected, formats.expected_name(suffix))
    return without_data_uris(reader.read(data, detected))


def _no_reader(detected: Format, expected: str | None) -> ExtractError:
    if detected.is_picture and expected is None:
        return ExtractError("empty", f"This is {detected.name}; text in pictures is not read.", skipped=True)
    instead = "" if expected in (None, detected.name) else f", not {expected}"
    return ExtractError("unsupported", f"This is {detected.name}{instead}, and no text can be read from it.")
