"""Reads one page of a PDF document: its lines, notes and attached files. Runs in the worker processes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from pipeline.extraction.pdf import layout
from pipeline.extraction.pdf.annotations import Annotations, Note
from pipeline.extraction.pdf.descriptions import descriptions
from pipeline.extraction.pdf.layout import Line
from pipeline.extraction.pdf.letterspacing import joined_letters
from pipeline.extraction.pdf.vertical import with_columns
from pipeline.extraction.pdf.visibility import HiddenText
from pipeline.extraction.pdf.words import glyphs, page_words

_FEW = 5  # readable characters on a picture: a stamp or the number of the page, not its text


@dataclass(frozen=True)
class Page:
    """What a page shows.

    bottom, top: its edges in the direction of its first line. attachments: indexes of the annotations that hold a file.
    readable, unreadable: characters that are known, and those whose font does not say what they are.
    descriptions: alternative texts of its pictures. pictures: whether it shows anything besides text.
    """

    lines: list[Line]
    bottom: float
    top: float
    notes: list[Note]
    attachments: list[int]
    readable: int
    unreadable: int
    pictures: bool
    descriptions: tuple[str, ...] = ()

    @property
    def without_text(self) -> bool:
        """Whether the page shows something that is no text, or text that cannot be read."""
        return (self.pictures and self.readable < _FEW) or self.unreadable > self.readable


def read_page(
    raw: Any, document: Any, index: int, form: Any, hidden: HiddenText, tagged: bool = False
) -> Page:
    """The page at `index`; a damaged one is empty.

    form: the handle of the document's form, or None. tagged: whether the document says what its parts are.
    """
    handle = raw.FPDF_LoadPage(document, index)
    if not handle:
        return Page([], 0.0, 0.0, [], [], 0, 0, True)
    text_page = raw.FPDFText_LoadPage(handle)
    try:
        page = _read(raw, handle, text_page, form, hidden)
        return replace(page, descriptions=descriptions(raw, handle)) if tagged else page
    finally:
        if text_page:
            raw.FPDFText_ClosePage(text_page)
        raw.FPDF_ClosePage(handle)


def _read(raw: Any, handle: Any, text_page: Any, form: Any, hidden: HiddenText) -> Page:
    bounds = _bounds(raw, handle)
    found = page_words(raw, text_page, bounds)
    words = joined_letters(
        hidden.without(with_columns(found.words, found.boxes), text_page),
        lambda word: glyphs(raw, text_page, word),
        lambda word: not raw.FPDFText_IsGenerated(text_page, word.start - 1),
    )
    annotations = Annotations(raw, handle, form)
    typed = annotations.words(words)
    readable = found.readable + sum(len(word.text) for word in typed)
    if found.unreadable > found.readable:
        words = []
    lines = layout.lines([*words, *typed], lambda word: glyphs(raw, text_page, word))
    bottom, top = _edges(bounds, lines[0].direction if lines else 0)
    pictures = readable < _FEW and _shows_more(raw, handle, readable)
    return Page(
        lines, bottom, top, annotations.notes, annotations.attachments, readable, found.unreadable, pictures
    )


def _bounds(raw: Any, handle: Any) -> tuple[float, float, float, float]:
    """What is shown of the page: left, bottom, right, top."""
    box = raw.FS_RECTF()
    if raw.FPDF_GetPageBoundingBox(handle, box):
        return (
            min(box.left, box.right), min(box.bottom, box.top), max(box.left, box.right), max(box.bottom, box.top)
        )  # fmt: skip
    return 0.0, 0.0, 14_400.0, 14_400.0


def _edges(bounds: tuple[float, float, float, float], direction: int) -> tuple[float, float]:
    """The lower and the upper edge of the page, for text that runs in a direction."""
    left, bottom, right, top = bounds
    return {1: (-right, -left), 2: (-top, -bottom), 3: (left, right)}.get(direction, (bottom, top))


def _shows_more(raw: Any, handle: Any, readable: int) -> bool:
    """Whether the page shows anything that is no text, or text of which nothing can be read."""
    pieces = range(min(raw.FPDFPage_CountObjects(handle), 1_000))
    kinds = {raw.FPDFPageObj_GetType(raw.FPDFPage_GetObject(handle, at)) for at in pieces}
    return bool(kinds) if not readable else bool(kinds - {raw.FPDF_PAGEOBJ_TEXT})
