"""OpenDocument presentations, packed or flat, slide by slide, with notes and comments. Pure; in the workers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element

from pipeline.extraction import odf_text
from pipeline.extraction.content import Content
from pipeline.extraction.odf import (
    DC,
    DRAW,
    OFFICE,
    PRESENTATION,
    STYLE,
    SVG,
    TABLE,
    TEXT,
    OpenDocument,
    mark_positions,
)
from pipeline.extraction.presentations import slide
from pipeline.extraction.presentations.slide import MAX_SLIDES, Box, Shape, Slide, items
from pipeline.extraction.table_text import simple_table

_RUNNING = ("header", "footer", "date-time", "page-number", "page")
_TITLE = "title"
_LENGTH = re.compile(r"(-?\d+(?:\.\d+)?)(cm|mm|in|pt|pc|px)?")
_MILLIMETRES = {"cm": 10.0, "mm": 1.0, "in": 25.4, "pt": 25.4 / 72, "pc": 25.4 / 6, "px": 25.4 / 96}


def read(document: OpenDocument, kind: str = "presentation") -> Content:
    """The text of a presentation; `kind` is the name of the body's element. Raises ExtractError."""
    hidden = {
        style.get(f"{STYLE}name", "")
        for styles in document.styles()
        for style in styles.iter(f"{STYLE}style")
        if any(each.get(f"{PRESENTATION}visibility") == "hidden" for each in style)
    }
    slides: list[Slide] = []
    warnings: list[str] = []
    positions = document.positions()
    for node in document.content(kind):
        mark_positions(node, positions)
        if node.tag == f"{DRAW}page":
            if len(slides) == MAX_SLIDES:
                warnings.append(f"Only the first {MAX_SLIDES:,} slides are read.")
                break
            page = _Page(document, len(slides) + 1, warnings)
            slides.append(page.read(node, node.get(f"{DRAW}style-name", "") in hidden))
    return slide.content(slides, document.properties(), warnings)


class _Page:
    def __init__(self, document: OpenDocument, number: int, warnings: list[str]) -> None:
        self._document = document
        self._number = number
        self._warnings = warnings
        self._slide = Slide()

    def read(self, page: Element, hidden: bool) -> Slide:
        self._slide.hidden = hidden
        for node in page:
            if node.tag == f"{PRESENTATION}notes":
                self._slide.notes = _notes(node)
            elif node.tag == f"{OFFICE}annotation":
                self._slide.comments.append(_comment(node))
            else:
                self._shape(node, None)
        return self._slide

    def _shape(self, node: Element, inside: Box | None) -> None:
        kind = node.get(f"{PRESENTATION}class", "")
        if kind in _RUNNING or not node.tag.startswith(DRAW):
            return
        if node.get(f"{PRESENTATION}placeholder") == "true" and not _has_content(node):
            return
        box = inside or _box(node)
        if node.tag == f"{DRAW}g":
            self._add(odf_text.description(node), inside)
            group = inside or _hull([_box(each) for each in node])
            for each in node:
                self._shape(each, group)
        elif node.tag == f"{DRAW}a":
            for each in node:
                self._shape(each, inside)
        elif kind == _TITLE and not self._slide.title:
            self._slide.title = "\n".join(odf_text.paragraph(each) for each in node.iter(f"{TEXT}p"))
        elif node.tag == f"{DRAW}frame":
            self._frame(node, box)
        else:
            self._add(items(_paragraphs(node)), box)
            self._add(odf_text.description(node), box)

    def _frame(self, frame: Element, box: Box | None) -> None:
        """A frame holds one thing in several forms: the first that can be read is read."""
        self._add(slide.description(odf_text.description(frame)), box)
        for node in frame:
            if node.tag == f"{DRAW}text-box":
                self._add(items(_paragraphs(node)), box)
                for each in node:
                    self._shape(each, box)
                return
            if node.tag == f"{TABLE}table":
                self._add(simple_table(odf_text.table_rows(node)), box)
                return
            if node.tag == f"{DRAW}object":
                text = odf_text.chart(self._document, node)
                if text is None:
                    self._warnings.append(f"Slide {self._number}: An embedded object is not read.")
                self._add(text or "", box)
                return
            if node.tag == f"{DRAW}object-ole":
                self._warnings.append(f"Slide {self._number}: An embedded object is not read.")
                return

    def _add(self, text: str, box: Box | None) -> None:
        if text:
            self._slide.shapes.append(Shape(text, box))


def _paragraphs(node: Element, level: int = -1) -> Iterator[tuple[str, str]]:
    """(mark, text) of the paragraphs and list items in a node."""
    for child in node:
        if child.tag in (f"{TEXT}p", f"{TEXT}h"):
            yield "", odf_text.paragraph(child)
        elif child.tag == f"{TEXT}list":
            depth = min(level + 1, 8)
            for item in child:
                mark = f"{'  ' * depth}- "
                for inner, text in _paragraphs(item, depth):
                    yield inner or mark, text
                    mark = "  " * (depth + 1) if not inner else mark
        elif child.tag == f"{TEXT}section":
            yield from _paragraphs(child, level)


def _notes(node: Element) -> str:
    texts = []
    for frame in node:
        if frame.get(f"{PRESENTATION}class", "notes") not in _RUNNING:
            texts += [odf_text.paragraph(each) for each in frame.iter(f"{TEXT}p")]
    return "\n\n".join(text for text in texts if text)


def _comment(node: Element) -> str:
    author = " ".join((node.findtext(f"{DC}creator") or "").split())
    text = " ".join(odf_text.paragraph(each) for each in node.iter(f"{TEXT}p"))
    return f"Comment{f' by {author}' if author else ''}: {' '.join(text.split())}"


def _has_content(node: Element) -> bool:
    return any((text or "").strip() for each in node.iter() for text in (each.text, each.tail)) or any(
        each.tag in (f"{DRAW}object", f"{TABLE}table") for each in node.iter()
    )


def _box(node: Element) -> Box | None:
    values = [_length(node.get(f"{SVG}{name}", "")) for name in ("x", "y", "width", "height")]
    left, top, width, height = values
    if left is None or top is None or width is None or height is None:
        return None
    return Box(left, top, left + width, top + height)


def _hull(boxes: list[Box | None]) -> Box | None:
    known = [box for box in boxes if box]
    if not known:
        return None
    return Box(
        min(box.left for box in known),
        min(box.top for box in known),
        max(box.right for box in known),
        max(box.bottom for box in known),
    )


def _length(text: str) -> float | None:
    found = _LENGTH.fullmatch(text)
    return float(found[1]) * _MILLIMETRES[found[2] or "mm"] if found else None
