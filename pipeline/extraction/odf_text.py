"""The text of paragraphs, charts and drawings of OpenDocument files other than texts. Pure; in the worker processes."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree.ElementTree import Element

from pipeline.extraction.odf import CHART, DRAW, OFFICE, POSITION, SVG, TABLE, TEXT, XLINK, OpenDocument
from pipeline.extraction.raised_text import marked, resolved
from pipeline.extraction.table_text import simple_table

_MAX_SPACES = 100
_MAX_REPEATED = 50  # columns or rows of a small table that a writer packs into one
_UNSEEN = frozenset({f"{OFFICE}annotation", f"{TEXT}ruby-text", f"{TEXT}note", f"{DRAW}frame", f"{DRAW}g"})


def paragraph(node: Element) -> str:
    """The text of a paragraph; a line break in it is a line break. Without comments and reading aids."""
    return resolved("".join(_pieces(node))).strip()


def paragraphs(node: Element) -> list[str]:
    """The texts of the paragraphs and headings directly in a node, without the empty ones."""
    found = (paragraph(child) for child in node if child.tag in (f"{TEXT}p", f"{TEXT}h"))
    return [text for text in found if text]


def description(node: Element) -> str:
    """The words that describe a picture or another drawing for those who cannot see it."""
    found = (node.findtext(f"{SVG}desc") or "", node.findtext(f"{SVG}title") or "")
    return " ".join(next((text for text in found if text.strip()), "").split())


def chart(document: OpenDocument, node: Element, with_values: bool = True) -> str | None:
    """The chart that a draw:object holds: its titles, and its categories and values as a table; None if it is none."""
    root = (
        document.object_content(node.get(f"{XLINK}href", "")) if len(node) == 0 or _is_linked(node) else node
    )
    found = None if root is None else next(root.iter(f"{CHART}chart"), None)
    if found is None:
        return None
    parts = []
    for tag in (f"{CHART}title", f"{CHART}subtitle"):
        parts += [" ".join(paragraphs(each)) for each in found.iter(tag)]
    text = "\n".join(dict.fromkeys(part for part in parts if part))
    local = found.find(f"{TABLE}table")
    values = simple_table(table_rows(local)) if local is not None and with_values else ""
    return "\n\n".join(part for part in (text, values) if part)


def table_rows(table: Element) -> list[list[str]]:
    """The rows of a small table; what a merged cell covers is empty."""
    rows = []
    for row in table.iter(f"{TABLE}table-row"):
        cells: list[str] = []
        for cell in row:
            if cell.tag in (f"{TABLE}table-cell", f"{TABLE}covered-table-cell"):
                times = repeated(cell, "columns")
                text = "" if cell.tag.endswith("covered-table-cell") else cell_text(cell)
                cells += [text] * min(times, _MAX_REPEATED)
        rows.append(cells)
    return rows


def cell_text(cell: Element) -> str:
    """The text of a cell: its paragraphs and lists, a line each."""
    return "\n".join(paragraph(node) for node in cell.iter() if node.tag in (f"{TEXT}p", f"{TEXT}h"))


def repeated(node: Element, what: str) -> int:
    """How many times a cell or row stands there; `what` is "columns" or "rows"."""
    text = node.get(f"{TABLE}number-{what}-repeated", "1")
    return max(1, int(text)) if text.isdecimal() and len(text) < 9 else 1


def _is_linked(node: Element) -> bool:
    return bool(node.get(f"{XLINK}href"))


def _pieces(node: Element) -> Iterator[str]:
    yield node.text or ""
    for child in node:
        if child.tag == f"{TEXT}s":
            count = child.get(f"{TEXT}c", "1")
            yield " " * min(int(count) if count.isdecimal() else 1, _MAX_SPACES)
        elif child.tag == f"{TEXT}tab":
            yield "\t"
        elif child.tag == f"{TEXT}line-break":
            yield "\n"
        elif position := child.get(POSITION):
            yield marked("".join(_pieces(child)), int(position))
        elif child.tag not in _UNSEEN:
            yield from _pieces(child)
        yield child.tail or ""
