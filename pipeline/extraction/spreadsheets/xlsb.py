"""Excel's binary workbooks (XLSB): packages like XLSX with parts of records. Pure; runs in the worker processes."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipeline.extraction.content import Content, ExtractError
from pipeline.extraction.opc import Package
from pipeline.extraction.reading_options import current
from pipeline.extraction.spreadsheets import biff12, number_format, xlsx_notes
from pipeline.extraction.spreadsheets.sheet import Comment, Covered, Sheet, Workbook, cell
from pipeline.extraction.spreadsheets.xlsx_cells import Shared
from pipeline.extraction.spreadsheets.xlsx_content import workbook_content
from pipeline.extraction.table_text import Cell, Row

_MAX_SHEETS = 2_000
_MAX_COLUMNS = 16_384


@dataclass(frozen=True)
class _Layout:
    hidden_columns: frozenset[int]
    covered: Covered


def read(package: Package) -> Content:
    """The text of a workbook whose main part is binary. Raises ExtractError."""
    main = package.main()
    shared = Shared(_strings(package, main), _codes(package, main), _from_1904(package, main))
    names = xlsx_notes.persons(package, main)
    workbook = Workbook()
    for kind, content in biff12.records(package.read(main)):
        if kind == biff12.SHEET:
            relation, after = biff12.string(content, 8)
            sheet = Sheet(biff12.string(content, after)[0], (), hidden=biff12.number(content, 0) != 0)
            try:
                _fill(package, main, relation, sheet, shared, names)
                workbook.add(sheet)
            except ExtractError as error:
                workbook.warnings.append(f"The sheet “{sheet.name}” is not read: {error.message}")
    return workbook_content(package, workbook)


def _fill(
    package: Package, main: str, relation: str, sheet: Sheet, shared: Shared, names: dict[str, str]
) -> None:
    """Give a sheet its rows, comments and drawings, unless it is not to be read."""
    found = package.relations(main).get(relation)
    if (sheet.hidden and not current().hidden_sheets) or found is None or found.external:
        return
    if found.kind == "worksheet":
        sheet.rows = _rows(package.read(found.target), shared, sheet)
        sheet.headers = [
            row for part in package.related(found.target, "table") for row in _header(package, part)
        ]
        threads = xlsx_notes.threads(package, found.target, names)
        places = {(each.row, each.column) for each in threads}
        old = (each for each in _comments(package, found.target) if (each.row, each.column) not in places)
        sheet.comments = sorted([*threads, *old], key=lambda each: (each.row, each.column))
    sheet.drawn = xlsx_notes.drawn(package, found.target, with_values=found.kind == "chartsheet")


def _rows(data: bytes, shared: Shared, sheet: Sheet) -> Iterator[Row]:
    layout = _layout(data)
    number, cells, is_hidden = -1, dict[int, Cell](), False
    for kind, content in biff12.records(data):
        if kind == biff12.ROW:
            if cells:
                yield Row(number + 1, cells)
            number, cells = biff12.number(content, 0), {}
            is_hidden = bool(biff12.number(content, 11, 1) & 0x10) and not current().hidden_sheets
        elif kind <= biff12.FORMULA_ERROR or kind == biff12.RICH_TEXT:
            column = biff12.number(content, 0)
            shown = _cell(kind, content, shared)
            if shown is None or (number, column) in layout.covered:
                continue
            if is_hidden:
                sheet.hidden_rows += sheet.last_hidden_row != number
                sheet.last_hidden_row = number
            elif column in layout.hidden_columns:
                sheet.hidden_columns.add(column)
            else:
                cells[column] = shown
    if cells:
        yield Row(number + 1, cells)


def _layout(data: bytes) -> _Layout:
    hidden = bytearray(_MAX_COLUMNS)
    merged = []
    for kind, content in biff12.records(data):
        if kind == biff12.MERGED:
            merged.append(biff12.area(content))
        elif kind == biff12.COLUMNS and biff12.number(content, 16, 2) & 1 and not current().hidden_sheets:
            begin, end = biff12.number(content, 0), min(biff12.number(content, 4) + 1, _MAX_COLUMNS)
            hidden[begin:end] = b"\1" * max(0, end - begin)
    return _Layout(frozenset(at for at, is_hidden in enumerate(hidden) if is_hidden), Covered(merged))


def _cell(kind: int, content: bytes, shared: Shared) -> Cell | None:
    style = biff12.number(content, 4, 3)
    code = shared.codes[style] if style < len(shared.codes) else number_format.GENERAL
    if kind in (biff12.TEXT, biff12.FORMULA_TEXT, biff12.RICH_TEXT):
        text, _ = biff12.string(content, 9 if kind == biff12.RICH_TEXT else 8)
        return cell(number_format.shown_text(text, code))
    if kind == biff12.SHARED:
        index = biff12.number(content, 8)
        return (
            cell(number_format.shown_text(shared.strings[index], code))
            if index < len(shared.strings)
            else None
        )
    if kind in (biff12.BOOLEAN, biff12.FORMULA_BOOLEAN):
        return cell("TRUE" if biff12.number(content, 8, 1) else "FALSE", False)
    if kind in (biff12.ERROR, biff12.FORMULA_ERROR):
        return cell(biff12.error(biff12.number(content, 8, 1)), False)
    if kind == biff12.RK:
        value = biff12.packed(biff12.number(content, 8))
    elif kind in (biff12.REAL, biff12.FORMULA_REAL):
        value = biff12.real(content, 8)
    else:
        return None
    return cell(number_format.shown(value, code, shared.from_1904), False)


def _strings(package: Package, main: str) -> list[str]:
    for part in package.related(main, "sharedStrings"):
        found = biff12.records(package.read(part))
        return [biff12.string(content, 1)[0] for kind, content in found if kind == biff12.STRING]
    return []


def _codes(package: Package, main: str) -> Sequence[str]:
    own: dict[int, str] = {}
    codes: list[str] = []
    inside = False
    for part in package.related(main, "styles"):
        with contextlib.suppress(ExtractError):
            for kind, content in biff12.records(package.read(part)):
                if kind == biff12.FORMAT:
                    own[biff12.number(content, 0, 2)] = biff12.string(content, 2)[0]
                elif kind in (biff12.STYLES_BEGIN, biff12.STYLES_END):
                    inside = kind == biff12.STYLES_BEGIN
                elif kind == biff12.STYLE and inside:
                    number = biff12.number(content, 2, 2)
                    codes.append(number_format.format_code(number, own.get(number)))
    return codes


def _from_1904(package: Package, main: str) -> bool:
    found = biff12.records(package.read(main))
    return any(kind == biff12.PROPERTIES and biff12.number(content, 0) & 1 for kind, content in found)


def _header(package: Package, part: str) -> list[int]:
    """The number of the header row of a table."""
    with contextlib.suppress(ExtractError):
        for kind, content in biff12.records(package.read(part)):
            if kind == biff12.TABLE and biff12.number(content, 24):
                return [biff12.area(content)[0] + 1]
    return []


def _comments(package: Package, sheet: str) -> Iterator[Comment]:
    for part in package.related(sheet, "comments"):
        with contextlib.suppress(ExtractError):
            authors: list[str] = []
            row = column = author = 0
            for kind, content in biff12.records(package.read(part)):
                if kind == biff12.AUTHOR:
                    authors.append(biff12.string(content, 0)[0])
                elif kind == biff12.COMMENT:
                    author = biff12.number(content, 0)
                    row, column, _, _ = biff12.area(content, 4)
                elif kind == biff12.COMMENT_TEXT:
                    name = authors[author] if author < len(authors) else ""
                    yield xlsx_notes.old_comment(row, column, name, biff12.string(content, 1)[0])
