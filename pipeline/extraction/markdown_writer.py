"""Puts the blocks of a document together as Markdown: headings, paragraphs, list items, tables, notes. Pure.

The readers of word processor files share it, so that the same document reads the same in each format. Knows no format;
runs in the worker processes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from pipeline.extraction import markdown
from pipeline.extraction.markdown_parts import fenced

_MAX_HEADING = 300  # characters: a longer one is a paragraph in the wrong style
_MAX_CELL = 3_000  # characters: a table with a longer cell is a layout, and becomes paragraphs
_MAX_COLUMNS = 50  # up to which short rows are filled with empty cells
_MAX_DEPTH = 8  # levels of lists
# Soft hyphens are seen at line ends only; the non-breaking hyphen is a hyphen to everybody who searches.
_SEEN = {0xAD: None, 0x2011: "-", 0xFEFF: None, 0x200B: None, **dict.fromkeys(range(9), None), 0x0B: "\n"}
_BREAKS = re.compile(r"[ \t]*[\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029][ \t]*")
_ENDS = re.compile(r"\r\n|[\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_SPACES = re.compile(r"[ \t]{2,}|\t")
_CONTINUED = re.compile(r"\n(?=\S)")


class MarkdownWriter:
    """Collects blocks. Texts are plain; `notes` and `comments` follow the block that they belong to."""

    def __init__(self) -> None:
        self._blocks: list[
            tuple[str, str]
        ] = []  # (kind, Markdown); neighbours of kinds in _CLOSE share a paragraph

    def __bool__(self) -> bool:
        return bool(self._blocks)

    def heading(self, level: int, text: str) -> None:
        """A heading; `level` counts from 1."""
        text = one_line(text)
        if len(text) > _MAX_HEADING:
            self.paragraph(text)
        elif text:
            self._blocks.append(("heading", f"{'#' * max(1, min(level, 6))} {text}"))

    def paragraph(self, text: str) -> None:
        text = seen(text)
        if text:
            self._blocks.append(("paragraph", markdown.literal(text)))

    def code(self, text: str) -> None:
        """A paragraph of code, with its indents; those that follow one another are one block."""
        lines = "\n".join(line.rstrip() for line in _ENDS.split(text.translate(_SEEN).replace("\xa0", " ")))
        if self._blocks and self._blocks[-1][0] == "code":
            lines = f"{self._blocks.pop()[1]}\n{lines}"
        if lines.strip():
            self._blocks.append(("code", lines))

    def item(self, depth: int, marker: str, text: str) -> None:
        """A list item; `marker` is "-" or a number as it is shown, like "1." or "b)"; `depth` counts from 0."""
        text = seen(text)
        if text or marker != "-":
            indent = "  " * max(0, min(depth, _MAX_DEPTH))
            text = markdown.literal(text).replace("\n", f"\n{indent}  ")
            self._blocks.append(("item", f"{indent}{marker} {text}".rstrip()))

    def note(self, mark: str, text: str) -> None:
        """A footnote or endnote; `mark` is that of `note_mark` in the text, empty if its text begins with its own."""
        text = _CONTINUED.sub("\n    ", seen(text))
        if text:
            self._blocks.append(("note", f"{note_mark(mark)}: {text}" if mark else text))

    def comment(self, author: str, text: str) -> None:
        text = one_line(text)
        if text:
            by = f" by {one_line(author)}" if author.strip() else ""
            self._blocks.append(("note", f"[Comment{by}: {text}]"))

    def table(self, rows: Sequence[Sequence[str]]) -> None:
        """A table whose first row is its header; cells are plain text, an empty one for each cell merged away."""
        cells = [[one_line(cell) for cell in row] for row in rows]
        cells = [row for row in cells if any(row)]
        width = max((len(row) for row in cells), default=0)
        while width > 1 and not any(row[width - 1] for row in cells if len(row) == width):
            width -= 1
        if width == 1 or any(len(cell) > _MAX_CELL for row in cells for cell in row):
            for row in rows:
                for cell in row:
                    self.paragraph(cell)
        elif width:
            lines = [_row(row, width) for row in cells]
            lines.insert(1, _row(["---"] * width, width))
            self._blocks.append(("table", "\n".join(lines)))

    def markdown(self, text: str) -> None:
        """Blocks that are Markdown already."""
        if text.strip():
            self._blocks.append(("markdown", text.strip()))

    def extend(self, other: MarkdownWriter) -> None:
        self._blocks += other._blocks

    def split_notes(self) -> tuple[str, MarkdownWriter]:
        """The text of a table's cell on one line, and its notes and comments, which have no place there."""
        notes = MarkdownWriter()
        notes._blocks = [block for block in self._blocks if block[0] == "note"]
        texts = (_flat(kind, text) for kind, text in self._blocks if kind != "note")
        return " ".join(text for text in texts if text), notes

    def text(self) -> str:
        """All blocks: list items and notes on lines of their own, all else in paragraphs."""
        pieces: list[str] = []
        before = ""
        for kind, text in self._blocks:
            if pieces:
                close = kind == "note" or (kind == "item" and before == "item")
                pieces.append("\n" if close and before != "table" else "\n\n")
            pieces.append(fenced(text) if kind == "code" else text)
            before = "item" if kind == "note" and before == "item" else kind
        return "".join(pieces)


def note_mark(mark: str) -> str:
    return f"[^{mark}]"


def seen(text: str) -> str:
    """A text as it is seen: no soft hyphens or control characters, single spaces for tabs, too."""
    return _BREAKS.sub("\n", _SPACES.sub(" ", text.translate(_SEEN))).strip()


def one_line(text: str) -> str:
    """A text as it is seen, on one line."""
    return " ".join(seen(text).split())


def _flat(kind: str, text: str) -> str:
    """A block inside a cell: a table's rows without their bars, all else on one line."""
    if kind != "table":
        return one_line(text.lstrip("# ") if kind == "heading" else text)
    rows = [row.strip("| ").split(" | ") for at, row in enumerate(text.split("\n")) if at != 1]
    return "; ".join(", ".join(cell.strip() for cell in row if cell.strip()) for row in rows)


def _row(cells: Sequence[str], width: int) -> str:
    return f"| {' | '.join([*cells[:width], *[''] * (min(width, _MAX_COLUMNS) - len(cells))])} |"
