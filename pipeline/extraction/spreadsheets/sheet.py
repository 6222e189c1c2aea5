"""What every reader of workbooks makes: the text of its sheets, bounded, with their comments and warnings. Pure.

Knows no file format; runs in the worker processes.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from pipeline.extraction import markdown
from pipeline.extraction.reading_options import current
from pipeline.extraction.table_text import Cell, Row, blocks, line

MAX_CELLS = 1_000_000  # that show something, in a workbook
_MAX_NAME = 200  # characters of a sheet's name; Excel allows 31
_MAX_MERGED = 100_000  # areas
_MAX_MERGED_ROWS = 500_000  # of all areas together
_MAX_RUNS = 1_000  # merged areas in a row
_MAX_HEIGHT = 2_000  # rows of a merged area that hides values below its first cell
_MAX_COMMENT = 10_000  # characters


@dataclass(frozen=True)
class Comment:
    """A comment on the cell at `row` and `column`, both from 0."""

    row: int
    column: int
    author: str
    text: str


@dataclass
class Sheet:
    """One sheet: `rows` are read once; what is below them is complete when they have been read.

    `headers`: numbers of rows that are headers for certain. `drawn`: texts of text boxes and charts.
    `hidden_rows` and `hidden_columns` that show something are left out.
    """

    name: str
    rows: Iterable[Row]
    hidden: bool = False
    headers: Sequence[int] = ()
    comments: list[Comment] = field(default_factory=list)
    drawn: list[str] = field(default_factory=list)
    hidden_rows: int = 0
    last_hidden_row: int = -1
    hidden_columns: set[int] = field(default_factory=set)
    without_result: int = 0  # formulas


class Workbook:
    """Collects the text of a workbook sheet by sheet."""

    def __init__(self) -> None:
        self.warnings: list[str] = []
        self._texts: list[str] = []
        self._cells = 0

    @property
    def text(self) -> str:
        return "\n\n".join(self._texts)

    def add(self, sheet: Sheet) -> None:
        """Read a sheet, unless it is hidden and hidden sheets are not wanted."""
        name = line(sheet.name)[:_MAX_NAME]
        if sheet.hidden and not current().hidden_sheets:
            self.warnings.append(f"The hidden sheet “{name}” is not read (documents.hidden_sheets).")
            return
        commented = {(each.row, each.column): "" for each in sheet.comments}
        body = list(blocks(self._bounded(sheet.rows, name, commented), sheet.headers))
        body += [markdown.literal(text) if "|" not in text else text for text in sheet.drawn if text]
        body += [_comment_text(each, commented) for each in sheet.comments if each.text.strip()]
        if body:
            self._texts += [f"## {name}", *body]
        self._warn(sheet, name)

    def _bounded(
        self, rows: Iterable[Row], name: str, commented: dict[tuple[int, int], str]
    ) -> Iterator[Row]:
        for row in rows:
            if not row.cells:
                continue
            self._cells += len(row.cells)
            if self._cells > MAX_CELLS:
                self.warnings.append(
                    f"The sheet “{name}” is read up to row {row.number - 1}: a workbook may have {MAX_CELLS:,} cells."
                )
                return
            if commented:
                for column, cell in row.cells.items():
                    if (row.number - 1, column) in commented:
                        commented[row.number - 1, column] = cell.text
            yield row

    def _warn(self, sheet: Sheet, name: str) -> None:
        hidden = [
            f"{count} hidden {noun}{'s' if count > 1 else ''}"
            for count, noun in ((sheet.hidden_rows, "row"), (len(sheet.hidden_columns), "column"))
            if count
        ]
        if hidden:
            self.warnings.append(
                f"The sheet “{name}” has {' and '.join(hidden)} not read (documents.hidden_sheets)."
            )
        if sheet.without_result:
            self.warnings.append(
                f"The sheet “{name}” has formulas without a stored result, which are not read: "
                f"{sheet.without_result}."
            )


class Covered:
    """The cells that merged areas hide: all but the first of each."""

    def __init__(self, areas: Iterable[tuple[int, int, int, int]]) -> None:
        """`areas`: first row, first column, last row, last column of each, from 0."""
        self._by_row: dict[int, list[tuple[int, int]]] = {}
        budget = _MAX_MERGED_ROWS
        for top, left, bottom, right in itertools.islice(areas, _MAX_MERGED):
            last = min(bottom, top + _MAX_HEIGHT, top + budget)
            budget -= max(0, last - top + 1)
            for row in range(top, last + 1):
                self._by_row.setdefault(row, []).append((left + (row == top), right))

    def __contains__(self, place: tuple[int, int]) -> bool:
        row, column = place
        runs = self._by_row.get(row, ())
        return any(first <= column <= last for first, last in itertools.islice(runs, _MAX_RUNS))


def cell(text: str, is_text: bool = True) -> Cell | None:
    """A cell that shows `text`; None if that is nothing."""
    shown = line(text)
    return Cell(shown, is_text) if shown else None


def reference(row: int, column: int) -> str:
    """The name of a cell whose row and column count from 0: "B5"."""
    letters, rest = "", column + 1
    while rest:
        rest, letter = divmod(rest - 1, 26)
        letters = chr(65 + letter) + letters
    return f"{letters}{row + 1}"


def _comment_text(comment: Comment, values: dict[tuple[int, int], str]) -> str:
    value = values.get((comment.row, comment.column), "")[:100]
    place = reference(comment.row, comment.column) + (f" ({value})" if value else "")
    by = f" by {line(comment.author)}" if comment.author.strip() else ""
    return f"Comment on {place}{by}: {line(comment.text)[:_MAX_COMMENT]}"
