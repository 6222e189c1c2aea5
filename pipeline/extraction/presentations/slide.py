"""What every reader of presentations makes: slides as pages of Markdown, in reading order. Pure.

Knows no file format; runs in the worker processes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from pipeline.extraction import markdown
from pipeline.extraction.content import Content, paged
from pipeline.extraction.metadata import unstated
from pipeline.extraction.opc import Properties

MAX_SLIDES = 5_000
_FILE_NAME = re.compile(r"\S*[\\/]?[^\s\\/]+\.(?:png|jpe?g|gif|bmp|tiff?|emf|wmf|svg)", re.IGNORECASE)
_MACHINE_MADE = re.compile(
    r"\s*(?:Description automatically generated.*|Automatisch generierte Beschreibung.*)", re.DOTALL
)


@dataclass(frozen=True)
class Box:
    """Where a shape stands, in any unit."""

    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True)
class Shape:
    """`text` is Markdown; `box` is None where the file does not say where the shape stands."""

    text: str
    box: Box | None = None


@dataclass
class Slide:
    """One slide. `title`, `notes` and `comments` are plain text; `section` begins with this slide."""

    title: str = ""
    shapes: list[Shape] = field(default_factory=list)
    notes: str = ""
    comments: list[str] = field(default_factory=list)
    hidden: bool = False
    section: str = ""

    def text(self) -> str:
        title = " ".join(self.title.split())
        parts = [f"# {self.section}" if self.section else "", f"## {title}" if title else ""]
        parts.append("(This slide is hidden in the show.)" if self.hidden else "")
        parts += [shape.text for shape in in_reading_order(self.shapes)]
        parts.append(f"Speaker notes: {markdown.literal(self.notes)}" if self.notes else "")
        parts += [markdown.literal(comment) for comment in self.comments]
        return "\n\n".join(part for part in parts if part)


def content(slides: Sequence[Slide], about: Properties, warnings: Iterable[str]) -> Content:
    """The content of a presentation whose slides are in the order of the show."""
    title = unstated.title(about.title)
    if title is None:
        title = next((" ".join(slide.title.split()) for slide in slides[:1] if slide.title.strip()), None)
    found = paged(
        range(1, len(slides) + 1),
        [slide.text() for slide in slides],
        title=title,
        markdown=True,
        warnings=tuple(warnings),
    )
    return Content(
        found.text,
        found.title,
        True,
        found.pages,
        warnings=found.warnings,
        author=about.author,
        tags=about.tags,
        date=about.date,
    )


def in_reading_order(shapes: Sequence[Shape]) -> list[Shape]:
    """The shapes in the order of the file, unless that puts one before another that stands right above it.

    Then they are read in rows from the top, each from the left.
    """
    boxes = [shape.box for shape in shapes if shape.box]
    if not any(_is_below(one, other) for at, one in enumerate(boxes) for other in boxes[at + 1 :]):
        return list(shapes)
    placed = sorted((shape for shape in shapes if shape.box), key=_top)
    rows: list[list[Shape]] = []
    for shape in placed:
        if rows and _is_beside(rows[-1][0], shape):
            rows[-1].append(shape)
        else:
            rows.append([shape])
    ordered = [shape for row in rows for shape in sorted(row, key=_left)]
    return [*ordered, *(shape for shape in shapes if not shape.box)]


def items(paragraphs: Iterable[tuple[str, str]]) -> str:
    """Paragraphs as Markdown: (mark, text), where the mark is "" or begins an item of a list: "  - "."""
    text, before = "", ""
    for mark, words in paragraphs:
        if not words.strip():
            continue
        gap = "" if not text else "\n" if mark and before else "\n\n"
        lines = words.strip().split("\n")
        indent = " " * len(mark)
        body = f"\n{indent}".join(line.strip() for line in lines)
        text += gap + mark + (body if mark else markdown.literal(body))
        before = mark
    return text


def description(text: str) -> str:
    """The words that describe a picture, if a person wrote them: not a file's name."""
    words = " ".join(_MACHINE_MADE.sub("", text).split())
    return "" if _FILE_NAME.fullmatch(words) else words


def _is_below(one: Box, other: Box) -> bool:
    """Whether `one` stands below `other`, with at least half of the narrower one's width in common."""
    common = min(one.right, other.right) - max(one.left, other.left)
    narrow = min(one.right - one.left, other.right - other.left)
    return one.top >= other.bottom and common * 2 >= narrow


def _is_beside(one: Shape, other: Shape) -> bool:
    if not one.box or not other.box:
        return False
    common = min(one.box.bottom, other.box.bottom) - max(one.box.top, other.box.top)
    low = min(one.box.bottom - one.box.top, other.box.bottom - other.box.top)
    return common * 2 > low


def _top(shape: Shape) -> float:
    return shape.box.top if shape.box else 0


def _left(shape: Shape) -> float:
    return shape.box.left if shape.box else 0
