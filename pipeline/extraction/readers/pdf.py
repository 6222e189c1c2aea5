"""PDF documents page by page. Runs in the worker processes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache, partial

from pipeline.extraction.content import Attachment, Content, ExtractError, paged
from pipeline.extraction.formats import Format
from pipeline.extraction.pdf import paragraphs
from pipeline.extraction.pdf.document import PdfDocument
from pipeline.extraction.pdf.page import Page, read_page
from pipeline.extraction.pdf.running_lines import running_lines
from pipeline.extraction.pdf.visibility import HiddenText, hidden_layers

_MAX_PAGES = 50_000
_PLEASE_WAIT = re.compile(r"Please wait\.\.\.")  # the only page of a form that Adobe's programs draw
_MAX_CHARACTERS = 100_000_000


class PdfReader:
    """Each page as plain text, with what is filled in and noted on it."""

    def read(self, data: bytes, detected: Format) -> Content:
        with PdfDocument(data) as document:
            pages = _read_pages(document, data)
            title, author, date = document.metadata()
            tags = document.keywords()
            xfa = document.xfa_data()
            labels = {at + 1: label for at in range(len(pages)) if (label := document.label(at)) is not None}
            has_files = document.has_attachments or any(page.attachments for page in pages)
        bodies = _bodies(pages)
        warnings = _warnings(pages)
        if xfa is not None:
            bodies[0] = f"{'' if _PLEASE_WAIT.match(bodies[0]) else bodies[0]}\n\n{xfa}".strip()
            warnings.insert(
                0, "This is a form that only Adobe's programs show; only what is filled in is read."
            )
        content = paged(range(1, len(pages) + 1), bodies, title=title, markdown=False)
        return Content(
            content.text,
            title,
            pages=content.pages,
            attachments=_attachments(data, pages) if has_files else (),
            warnings=tuple(warnings),
            page_labels=labels,
            pages_without_text=tuple(at for at, page in enumerate(pages, 1) if page.without_text),
            author=author,
            tags=tags,
            date=date,
        )


def _read_pages(document: PdfDocument, data: bytes) -> list[Page]:
    if not document.page_count:
        raise ExtractError("corrupt", "This is a PDF document that is damaged and has no pages.")
    if document.page_count > _MAX_PAGES:
        raise ExtractError("too_large", f"This PDF document has more than {_MAX_PAGES:,} pages.")
    pages: list[Page] = []
    characters = 0
    hidden = HiddenText(document.raw, cache(partial(hidden_layers, data)))
    for at in range(document.page_count):
        page = read_page(document.raw, document.handle, at, document.form, hidden, document.is_tagged)
        pages.append(page)
        characters += page.readable
        if characters > _MAX_CHARACTERS:
            raise ExtractError(
                "too_large", f"This PDF document has more than {_MAX_CHARACTERS:,} characters."
            )
    return pages


def _bodies(pages: Sequence[Page]) -> list[str]:
    """The text of each page, with what its pictures show and its notes below."""
    dropped = running_lines(pages)
    kept = [[line for line in page.lines if id(line) not in dropped] for page in pages]
    vocabulary = paragraphs.Vocabulary(line for lines in kept for line in lines)
    bodies = [paragraphs.text_of(lines, vocabulary) for lines in kept]
    paragraphs.join_across_pages(bodies, vocabulary)
    return [_with_notes(body, page) for body, page in zip(bodies, pages, strict=True)]


def _with_notes(body: str, page: Page) -> str:
    notes = page.notes
    plain = "".join(body.split()) if any(note.quotes for note in notes) else ""
    texts = [f"[Picture: {text}]" for text in page.descriptions]
    for note in notes:
        if note.quotes and "".join(note.text.split()) in plain:
            continue
        text = f"Note by {note.author}: {note.text}" if note.author else f"Note: {note.text}"
        texts.append(text.replace("\r\n", "\n").replace("\r", "\n"))
    return "\n\n".join(part for part in (body, *texts) if part)


def _warnings(pages: Sequence[Page]) -> list[str]:
    unreadable = [at for at, page in enumerate(pages, 1) if page.unreadable > page.readable]
    warnings = []
    if unreadable:
        warnings.append(f"{_named(unreadable)} text whose font does not say which letters it shows.")
    partly = sum(page.unreadable for page in pages if 0 < page.unreadable <= page.readable)
    if partly > 20:
        warnings.append(
            f"{partly:,} characters cannot be read: their font does not say which letters it shows."
        )
    return warnings


def _named(numbers: Sequence[int]) -> str:
    """The pages as the beginning of a sentence, such as "Pages 3, 4 and 17 have"."""
    if len(numbers) == 1:
        return f"Page {numbers[0]} has"
    if len(numbers) > 10:
        return f"{len(numbers):,} pages, the first of them page {numbers[0]}, have"
    return f"Pages {', '.join(map(str, numbers[:-1]))} and {numbers[-1]} have"


def _attachments(data: bytes, pages: Sequence[Page]) -> Iterator[Attachment]:
    """The files inside the document, read when they are wanted."""
    noted = [(at, page.attachments) for at, page in enumerate(pages) if page.attachments]

    def read() -> Iterator[Attachment]:
        with PdfDocument(data) as document:
            yield from document.attachments()
            for at, annotations in noted:
                yield from document.attached_to_page(at, annotations)

    return read()
