"""Reads one file once and makes text of it. Runs in the worker processes.

Knows nothing of models, chunks or the server; the only module that imports kreuzberg, and only when a file needs it.
"""

from __future__ import annotations

import contextlib
import errno
import gzip
import html
import io
import os
import re
import stat
import zlib
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pipeline.extraction import encoding, formats, html_nesting, mail, markdown, slides
from pipeline.extraction.formats import Format, Kind
from pipeline.scanning.walker import may_be_read
from semantik.core.models import FailureCategory


@dataclass(frozen=True)
class Extracted:
    """A file's text. `pages` holds (page number, offset where it starts in `text`) where the format has pages."""

    text: str
    mime: str
    title: str | None
    markdown: bool
    pages: tuple[tuple[int, int], ...]


class ExtractError(Exception):
    """A file that gives no text: `category` and `skipped` as in ReadFailure, `message` one sentence for a person."""

    def __init__(self, category: FailureCategory, message: str, skipped: bool = False) -> None:
        super().__init__(message)
        self.category, self.message, self.skipped = category, message, skipped


@dataclass(frozen=True)
class _Content:
    text: str
    title: str | None = None
    pages: tuple[tuple[int, int], ...] = ()


WORD = re.compile(
    r"[^\W_]"
)  # a letter or a digit of any script; a text without says nothing, nor do emoji alone
_PAGE = "\n\n\ue000{page_num}\ue001\n\n"  # private use: the characters survive the extractor's escaping
_PAGE_FOUND = re.compile("\\s*\ue000(\\d+)\ue001\\s*")
_CHARSET = re.compile(rb"(?i)(<meta[^>]{0,200})charset(?:\s*=\s*[\"']?([\w.:-]+))?")
_UNTITLED = {"", "untitled", "(anonymous)", "(unspecified)", "unknown"}


@dataclass(frozen=True)
class Places:
    """Where files may lie: below `roots`, and not below `forbidden`."""

    roots: tuple[str, ...]
    forbidden: tuple[str, ...]


def extract(path: str, data: bytes, size_limit: int) -> Extracted:
    """The text of the file at `path`, whose bytes are `data`, of which packed ones may have `size_limit` unpacked.

    Raises ExtractError.
    """
    suffix = Path(path).suffix.lower()
    if formats.detect(data, suffix).kind is Kind.GZIP:
        data = _unpack(data, size_limit)
        suffix = Path(Path(path).stem).suffix.lower() if suffix == ".gz" else suffix
    found = formats.detect(data, suffix)
    content = _content(data, found, suffix)
    if not WORD.search(content.text):
        raise ExtractError("empty", "There is no text in this file; pictures and scans are not read.", True)
    return Extracted(
        content.text,
        found.mime,
        content.title,
        _is_markdown(found),
        content.pages,
    )


def read(path: str, size_limit: int, places: Places) -> bytes:
    """The bytes of a file, once; it is refused beyond `size_limit` of them. Raises ExtractError."""
    # Without O_NONBLOCK a FIFO that took the file's place would wait for a writer, perhaps for ever.
    try:
        with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise ExtractError("unsupported", "This is not a regular file.")
            real = Path(f"/proc/self/fd/{file.fileno()}").readlink()
            data = file.read(size_limit + 1) if status.st_size <= size_limit else b""
    except FileNotFoundError as error:
        raise ExtractError("unreadable", "The file is no longer there.") from error
    except PermissionError as error:
        raise ExtractError("unreadable", "The server has no permission to read this file.") from error
    except OSError as error:
        if error.errno in (errno.ENXIO, errno.EISDIR):  # a socket, a folder
            raise ExtractError("unsupported", "This is not a regular file.") from error
        raise ExtractError("unreadable", f"The file cannot be read: {error.strerror}.") from error
    if status.st_size > size_limit or len(data) > size_limit:
        size = max(status.st_size, len(data))
        raise ExtractError(
            "too_large",
            f"The file has {size:,} bytes, and at most {size_limit:,} are read (documents.max_file_bytes).",
        )
    # A link may have been put in the file's place, or in a folder's, since the scan.
    if not may_be_read(real, places.roots, places.forbidden):
        raise ExtractError("unreadable", "The file leads out of the folders that may be read.")
    if not data:
        raise ExtractError("empty", "The file is empty.", skipped=True)
    return data


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


def _content(data: bytes, found: Format, suffix: str) -> _Content:
    if found.kind is Kind.LOCKED:
        raise ExtractError("corrupt", f"This is {found.name}, which cannot be read without its password.")
    if found.kind is Kind.DAMAGED:
        raise ExtractError("corrupt", f"The file is damaged, or not {found.name} at all.")
    promised = formats.claim(suffix)
    if found.kind is Kind.PICTURE and not promised:
        raise ExtractError("empty", f"This is {found.name}; text in pictures is not read.", skipped=True)
    if found.kind in (Kind.PICTURE, Kind.BINARY, Kind.GZIP):
        rather = f", not {promised}" if promised not in (None, found.name) else ""
        raise ExtractError("unsupported", f"This is {found.name}{rather}, and no text can be read from it.")
    if found.mime == "application/pdf":
        return _pdf(data)
    if found.mime == "message/rfc822":
        letter = _document(data, found)
        return replace(letter, text=f"{letter.text}\n\n{mail.attached(data, _attachment)}".rstrip())
    if _by_extractor(found):
        return _document(data, found)
    text = _decode(data)
    return _Content(text, markdown.title(text) if found.kind is Kind.MARKDOWN else None)


def _by_extractor(found: Format) -> bool:
    return found.kind in (Kind.DOCUMENT, Kind.PAGES, Kind.HTML)


def _is_markdown(found: Format) -> bool:
    return found.kind is Kind.MARKDOWN or (_by_extractor(found) and found.mime != "application/pdf")


def _attachment(attachment: mail.Attachment) -> str:
    """An attachment's text as Markdown, or nothing where it gives none; those of an attached e-mail are not read."""
    suffix = Path(attachment.name).suffix.lower()
    found = formats.detect(attachment.data, suffix)
    try:
        nested = found.mime == "message/rfc822"
        content = _document(attachment.data, found) if nested else _content(attachment.data, found, suffix)
    except ExtractError:  # it is found by its name
        return ""
    return markdown.below(content.text) if _is_markdown(found) else markdown.literal(content.text)


def _decode(data: bytes) -> str:
    try:
        return encoding.decode(data)
    except encoding.Undecodable as error:
        raise ExtractError(error.category, str(error)) from error


def _pdf(data: bytes) -> _Content:
    """Page by page as plain text: as Markdown, the extractor loses and changes characters of a PDF."""
    text, metadata = _extractor(data, "application/pdf", "a PDF document", output="plain", pages=True)
    pieces = _PAGE_FOUND.split(text.replace("\r\n", "\n"))
    bodies = _without_running_lines([body.strip().split("\n") for body in pieces[2::2]])
    return _paged([int(number) for number in pieces[1::2]], bodies, _title(metadata))


def _document(data: bytes, found: Format) -> _Content:
    if found.kind is Kind.HTML:
        # In UTF-8 and without its own declaration, so that the encoding is decided in one place.
        data = _CHARSET.sub(rb"\1data-was", html_nesting.flatten(_html(data)).encode())
    paged = found.kind is Kind.PAGES
    text, metadata = _extractor(data, found.mime, found.name, output="markdown", pages=paged)
    if found.kind is Kind.HTML:
        text = markdown.without_front_matter(text)
    if paged:
        pieces = _PAGE_FOUND.split(text)
        bodies = [markdown.readable(body) for body in pieces[2::2]]
        return _paged(*_shown(slides.read(data), pieces[1::2], bodies), _title(metadata))
    text = markdown.readable(text)
    return _Content(text, _title(metadata) or markdown.title(text))


def _shown(shown: list[slides.Slide], numbers: list[str], bodies: list[str]) -> tuple[list[int], list[str]]:
    """Numbers and texts of the slides in the order of the show, each with its speaker's notes."""
    if len(shown) != len(bodies):
        return [int(number) for number in numbers], bodies
    texts = {}
    for slide, body in zip(shown, bodies, strict=True):
        notes = f"Speaker notes: {markdown.literal(slide.notes)}" if slide.notes else ""
        texts[slide.number] = f"{body}\n\n{notes}".strip()
    order = sorted(texts)
    return order, [texts[number] for number in order]


def _html(data: bytes) -> str:
    """An HTML page's text in the encoding that it declares, when that fits."""
    declared = _CHARSET.search(data[:4096])
    if declared and declared[2]:
        with contextlib.suppress(LookupError, UnicodeError):
            return data.decode(declared[2].decode())
    return _decode(data)


def _extractor(data: bytes, mime: str, name: str, *, output: str, pages: bool) -> tuple[str, dict[str, Any]]:
    """The library's text and metadata. Raises ExtractError for whatever it cannot make sense of."""
    import kreuzberg

    config = kreuzberg.ExtractionConfig(
        use_cache=False,
        enable_quality_processing=False,
        output_format=output,
        concurrency=kreuzberg.ConcurrencyConfig(max_threads=1),
        pages=kreuzberg.PageConfig(insert_page_markers=True, marker_format=_PAGE) if pages else None,
        html_options={"preprocessing": {"enabled": True, "preset": "aggressive", "remove_navigation": True}},
    )
    config.max_archive_depth = 0  # attachments are read one by one, so that each fails alone
    try:
        result = kreuzberg.extract_bytes_sync(data, mime, config=config)
    except kreuzberg.OCRError as error:
        raise ExtractError("empty", f"This is {name} without text; scans are not read.", True) from error
    except kreuzberg.KreuzbergError as error:
        reason = str(error).lower()
        if "password" in reason or "encrypt" in reason:
            raise ExtractError(
                "corrupt", f"This is {name} that is encrypted and cannot be read without its password."
            ) from error
        if isinstance(error, kreuzberg.ValidationError):
            raise ExtractError("unsupported", f"This is {name}, which cannot be read.") from error
        if "security limit" in reason:
            raise ExtractError("too_large", f"This is {name} that unpacks to far too much data.") from error
        raise ExtractError("corrupt", f"This is {name} that is damaged and cannot be read.") from error
    except (MemoryError, KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # a panic of the library's Rust side is no Exception
        raise ExtractError(
            "internal", f"The extractor failed at this file ({type(error).__name__})."
        ) from error
    return result.content, dict(result.metadata)


def _paged(numbers: list[int], bodies: list[str], title: str | None) -> _Content:
    pages, parts, offset = [], [], 0
    for number, body in zip(numbers, bodies, strict=True):
        pages.append((number, offset))
        if body:
            parts.append(body)
            offset += len(body) + 2
    return _Content("\n\n".join(parts), title, tuple(pages))


def _without_running_lines(pages: list[list[str]]) -> list[str]:
    """Pages without the header and footer that more than a third of them share, page numbers aside."""
    for place in (0, -1):
        lines = [re.sub(r"\d+", "#", page[place].strip()) if page else "" for page in pages]
        often = {line for line, times in Counter(lines).items() if line and times > max(2, len(pages) / 3)}
        for page, line in zip(pages, lines, strict=True):
            if line in often:
                del page[place]
    return ["\n".join(page).strip() for page in pages]


def _title(metadata: dict[str, Any]) -> str | None:
    found = (
        metadata.get("title") or metadata.get("subject")
        if "from_email" in metadata
        else metadata.get("title")
    )
    title = " ".join(html.unescape(str(found or "")).split())
    return None if title.lower() in _UNTITLED else title
