"""What a format reader returns, and the error it raises. Pure; knows no format. Runs in the worker processes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from semantik.core.models import FailureCategory

# A letter or a digit of any script. A text without one has nothing to be found by; emoji alone do not count.
WORD = re.compile(r"[^\W_]")


class ExtractError(Exception):
    """A file that gives no text: `category` and `skipped` as in ReadFailure, `message` one sentence for a person."""

    def __init__(self, category: FailureCategory, message: str, skipped: bool = False) -> None:
        super().__init__(message)
        self.category: FailureCategory = category
        self.message = message
        self.skipped = skipped


class NoText(ExtractError):
    """A file all of whose pages are pictures; the text of the pages `unrecognised` is still to be recognised."""

    def __init__(
        self, category: FailureCategory, message: str, skipped: bool, mime: str, unrecognised: tuple[int, ...]
    ) -> None:
        super().__init__(category, message, skipped)
        self.mime = mime
        self.unrecognised = unrecognised


@dataclass(frozen=True)
class Attachment:
    """A file inside a file.

    data: its bytes; empty where there are none, or its text is already in that of the outer file.
    content: what it holds, where the outer file's reader has read it: it has no bytes of its own then.
    """

    name: str
    data: bytes = b""
    content: Content | None = None


@dataclass(frozen=True)
class Heading:
    """What stands from `start` on has this title, up to the next heading of its level or a higher one.

    start, end: offsets in characters of the line that declares it; the title need not be part of the text.
    level: 1 for the highest.
    title: empty where a section ends and what follows belongs to the one around it.
    """

    start: int
    end: int
    level: int
    title: str


@dataclass(frozen=True)
class Content:
    """What a reader found in a file.

    markdown: whether `text` is Markdown, whose headings are those of the document; else it is plain text.
    pages: (page number, offset in characters where it starts in `text`), ascending; empty where there are none.
    attachments: read once, and only if wanted, so a reader may yield them one by one.
    warnings: what the reader had to leave out, and why: a sentence each, for the user.
    page_labels: the labels of pages that are not their numbers, like {3: "iii"}.
    pages_without_text: the numbers of pages that show something and have no text; it may be recognised.
    author: the sender of a message, the author of a document.
    date: when it was sent or written, as it says itself, in ISO 8601.
    authors: the persons of `author` one by one, where the format tells them apart.
    tags: keywords and categories, as the document states them.
    language: what the document states, in ISO 639-1.
    outline: the headings of a text that is no Markdown, like the functions of a program, in order.
    """

    text: str
    title: str | None = None
    markdown: bool = False
    pages: tuple[tuple[int, int], ...] = ()
    attachments: Iterable[Attachment] = ()
    warnings: tuple[str, ...] = ()
    page_labels: Mapping[int, str] = field(default_factory=dict)
    pages_without_text: tuple[int, ...] = ()
    author: str | None = None
    date: str | None = None
    outline: tuple[Heading, ...] = ()
    authors: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    language: str | None = None


def paged(
    numbers: Iterable[int],
    bodies: Iterable[str],
    *,
    title: str | None,
    markdown: bool,
    warnings: tuple[str, ...] = (),
) -> Content:
    """The content of a file with pages: their numbers, and the text of each."""
    pages, parts, offset = [], [], 0
    for number, body in zip(numbers, bodies, strict=True):
        pages.append((number, offset))
        if body:
            parts.append(body)
            offset += len(body) + 2
    text = "\n\n".join(parts)
    starts = tuple((number, min(start, len(text))) for number, start in pages)
    return Content(text, title, markdown, starts, warnings=warnings)
