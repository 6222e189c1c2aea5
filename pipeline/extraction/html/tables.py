"""Tables of a page: which ones hold data, and these as rows of Markdown. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

_MAX_COLUMNS = 200
_MAX_CELLS = 500_000  # of one table, spanned places included
_LONG = 300  # characters of a cell that has blocks of its own, in a table without headers
_REPEATED = 80  # characters of a cell over several rows that is repeated in each
_BLOCKS = "h1, h2, h3, h4, h5, h6, pre, hr, article, section, nav, form, blockquote"
_PARAGRAPHS = "p, ul, ol, dl, div"


def is_layout(table: Any, attributes: dict[str, str | None]) -> bool:
    """Whether the table only places blocks on the page, so that each cell is read by itself."""
    if attributes.get("role") in ("presentation", "none") or len(table.css("table")) > 1:
        return True
    if table.css_first("th, caption, thead") is not None:
        return table.css_first("pre, h1, h2, h3, h4") is not None and not _has_columns(table)
    if table.css_first(_BLOCKS) is not None:
        return True
    if not _has_columns(table):
        return True
    return any(len(cell.text()) > _LONG and len(cell.css(_PARAGRAPHS)) > 1 for cell in table.css("td"))


def _has_columns(table: Any) -> bool:
    """Whether a row has more than one cell, and there is more than one row."""
    rows = table.css("tr")
    return len(rows) > 1 and any(len(row.css("td, th")) > 1 for row in rows[:200])


def rows(table: Any, cell_text: Callable[[Any], str]) -> list[str]:
    """The lines of the table, the separator below the first row included; empty where no cell has text."""
    grid = _Grid()
    for row in _ordered_rows(table):
        grid.row([(cell, cell_text(cell)) for cell in _children(row, ("td", "th"))])
    return grid.lines()


def _ordered_rows(table: Any) -> Iterator[Any]:
    """The rows as they are shown: a foot stands last wherever it is written."""
    sections = list(_children(table, ("thead", "tbody", "tfoot", "tr")))
    rank = {"thead": 0, "tfoot": 2}
    for section in sorted(sections, key=lambda each: rank.get(each.tag, 1)):
        if section.tag == "tr":
            yield section
        else:
            yield from _children(section, ("tr",))


def _children(node: Any, tags: tuple[str, ...]) -> Iterator[Any]:
    child = node.child
    while child is not None:
        if child.tag in tags:
            yield child
        child = child.next


def _span(cell: Any, name: str, most: int) -> int:
    try:
        return max(1, min(most, int((cell.attributes.get(name) or "1").strip())))
    except ValueError:
        return 1


class _Grid:
    """The cells of a table by row and column."""

    def __init__(self) -> None:
        self._rows: list[list[str]] = []
        self._pending: dict[int, tuple[int, str]] = {}  # column: (rows that a cell above still spans, text)
        self._cells = 0

    def row(self, cells: list[tuple[Any, str]]) -> None:
        texts: list[str] = []
        for cell, text in cells:
            self._fill(texts)
            down, across = _span(cell, "rowspan", 1000), _span(cell, "colspan", _MAX_COLUMNS)
            for number in range(across):
                if len(texts) < _MAX_COLUMNS:
                    shown = "" if number else text
                    if down > 1:
                        self._pending[len(texts)] = (down - 1, shown if len(shown) <= _REPEATED else "")
                    texts.append(shown)
        self._fill(texts)
        self._cells += len(texts)
        if self._cells <= _MAX_CELLS and any(texts):
            self._rows.append(texts)

    def _fill(self, texts: list[str]) -> None:
        """Adds the cells that reach down from the rows above."""
        while (column := len(texts)) in self._pending:
            left, text = self._pending.pop(column)
            if left > 1:
                self._pending[column] = (left - 1, text)
            texts.append(text)

    def lines(self) -> list[str]:
        width = max((len(row) for row in self._rows), default=0)
        full = [row + [""] * (width - len(row)) for row in self._rows]
        used = [column for column in range(width) if any(row[column] for row in full)]
        if not used:
            return []
        lines = ["| " + " | ".join(row[column] for column in used) + " |" for row in full]
        lines.insert(1, "|" + "---|" * len(used))
        return lines
