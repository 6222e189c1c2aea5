"""Excel workbooks in XML of 2003, which many programs export as .xls. Pure; runs in the worker processes."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from xml.etree.ElementTree import Element

from pipeline.extraction import bounded_xml
from pipeline.extraction.content import Content
from pipeline.extraction.reading_options import current
from pipeline.extraction.spreadsheets import number_format
from pipeline.extraction.spreadsheets.sheet import Comment, Sheet, Workbook, cell
from pipeline.extraction.table_text import Cell, Row
from semantik.core.metadata import split_tags

_SS = "{urn:schemas-microsoft-com:office:spreadsheet}"
_X = "{urn:schemas-microsoft-com:office:excel}"
_O = "{urn:schemas-microsoft-com:office:office}"
_EPOCH = datetime.datetime(1899, 12, 30)
_MAX_INDEX = 1_048_576
_NAMED = {
    "General Date": number_format.SYSTEM_DATE, "Short Date": number_format.SYSTEM_DAY, "Long Date": "d mmmm yyyy",
    "Medium Date": "d-mmm-yy", "Long Time": "h:mm:ss", "Medium Time": "h:mm AM/PM", "Short Time": "h:mm",
    "Currency": "$#,##0.00;-$#,##0.00", "Fixed": "0.00", "Standard": "#,##0.00", "Percent": "0.00%",
    "Scientific": "0.00E+00", "General": number_format.GENERAL,
}  # fmt: skip


def read(data: bytes) -> Content:
    """The text of a workbook. Raises ExtractError."""
    workbook = Workbook()
    codes: dict[str, str] = {}
    title = author = date = keywords = None
    for node in bounded_xml.blocks(data, f"{_SS}Workbook"):
        if node.tag == f"{_SS}Styles":
            codes = dict(_codes(node))
        elif node.tag == f"{_SS}Worksheet":
            workbook.add(_sheet(node, codes))
        elif node.tag == f"{_O}DocumentProperties":
            title, author = (
                " ".join((node.findtext(f"{_O}{name}") or "").split()) for name in ("Title", "Author")
            )
            date = node.findtext(f"{_O}LastSaved") or node.findtext(f"{_O}Created")
            keywords = node.findtext(f"{_O}Keywords")
    return Content(
        workbook.text,
        title or None,
        True,
        warnings=tuple(workbook.warnings),
        author=author or None,
        date=date,
        tags=split_tags(keywords or ""),
    )


def _codes(styles: Element) -> Iterator[tuple[str, str]]:
    for style in styles:
        node = style.find(f"{_SS}NumberFormat")
        code = "" if node is None else node.get(f"{_SS}Format", "")
        yield style.get(f"{_SS}ID", ""), _NAMED.get(code) or number_format.format_code(0, code)


def _sheet(node: Element, codes: dict[str, str]) -> Sheet:
    visible = node.findtext(f"{_X}WorksheetOptions/{_X}Visible") or ""
    sheet = Sheet(node.get(f"{_SS}Name", ""), (), hidden=visible in ("SheetHidden", "SheetVeryHidden"))
    table = node.find(f"{_SS}Table")
    if table is not None and (not sheet.hidden or current().hidden_sheets):
        sheet.rows = list(_rows(table, codes, sheet))
    return sheet


def _rows(table: Element, codes: dict[str, str], sheet: Sheet) -> Iterator[Row]:
    show_hidden = current().hidden_sheets
    columns: set[int] = set()
    at = 0
    for node in table.iter(f"{_SS}Column"):
        at = _index(node, at + 1)
        if node.get(f"{_SS}Hidden") == "1" and not show_hidden:
            columns.update(range(at - 1, at + min(_number(node, "Span"), 16_384)))
        at += _number(node, "Span")
    number = 0
    for node in table.iter(f"{_SS}Row"):
        number = _index(node, number + 1)
        cells = _cells(node, number, codes, sheet)
        if node.get(f"{_SS}Hidden") == "1" and not show_hidden:
            sheet.hidden_rows += bool(cells)
            continue
        sheet.hidden_columns |= columns & cells.keys()
        shown = {column: each for column, each in cells.items() if column not in columns}
        if shown:
            yield Row(number, shown)


def _cells(row: Element, number: int, codes: dict[str, str], sheet: Sheet) -> dict[int, Cell]:
    found: dict[int, Cell] = {}
    column = 0
    for node in row.iter(f"{_SS}Cell"):
        column = _index(node, column + 1)
        data = node.find(f"{_SS}Data")
        code = codes.get(node.get(f"{_SS}StyleID", row.get(f"{_SS}StyleID", "")), number_format.GENERAL)
        shown = (
            None if data is None else _shown("".join(data.itertext()), data.get(f"{_SS}Type", "String"), code)
        )
        if shown is not None:
            found[column - 1] = shown
        for note in node.iter(f"{_SS}Comment"):
            text = " ".join("".join(note.itertext()).split())
            sheet.comments.append(Comment(number - 1, column - 1, note.get(f"{_SS}Author", ""), text))
        column += _number(node, "MergeAcross")
    return found


def _shown(text: str, kind: str, code: str) -> Cell | None:
    if kind == "Boolean":
        return cell("TRUE" if text.strip() == "1" else "FALSE", False)
    if kind == "Error":
        return cell(text, False)
    if kind == "DateTime":
        try:
            serial = (
                datetime.datetime.fromisoformat(text.strip()).replace(tzinfo=None) - _EPOCH
            ) / datetime.timedelta(days=1)
        except ValueError:
            return cell(text, False)
        is_date = number_format.is_date(code)
        return cell(number_format.shown(serial, code if is_date else number_format.SYSTEM_DATE), False)
    if kind == "Number":
        try:
            return cell(number_format.shown(float(text), code), False)
        except ValueError:
            return cell(text)
    return cell(number_format.shown_text(text, code))


def _index(node: Element, otherwise: int) -> int:
    return min(_number(node, "Index") or otherwise, _MAX_INDEX)


def _number(node: Element, name: str) -> int:
    text = node.get(f"{_SS}{name}", "0")
    return min(int(text), _MAX_INDEX) if text.isdecimal() and len(text) < 9 else 0
