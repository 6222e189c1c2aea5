"""OpenDocument spreadsheets, packed or flat: the cells' own texts are what the sheet shows. Pure; in the workers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element

from pipeline.extraction import odf_text
from pipeline.extraction.content import Content
from pipeline.extraction.odf import DC, DRAW, OFFICE, STYLE, TABLE, TEXT, OpenDocument, mark_positions
from pipeline.extraction.reading_options import current
from pipeline.extraction.spreadsheets.number_format import general
from pipeline.extraction.spreadsheets.sheet import Comment, Sheet, Workbook, cell
from pipeline.extraction.table_text import Cell, Row

_MAX_REPEATED = 100  # equal rows or cells side by side; thousands of them say nothing more
_SHORT_HOUR = re.compile(r"(?<![\d:.,])(\d):(?=\d\d\b)(?!.*[AaPp]\.?[Mm])")
_TIME = re.compile(r"(-?)PT(\d+)H(\d+)M(\d+)(?:[.,]\d+)?S")
_ROWS = {f"{TABLE}{name}" for name in ("table-row-group", "table-rows", "table-header-rows")}


def read(document: OpenDocument) -> Content:
    """The text of a spreadsheet. Raises ExtractError."""
    unseen = {
        style.get(f"{STYLE}name", "")
        for styles in document.styles()
        for style in styles.iter(f"{STYLE}style")
        if any(each.get(f"{TABLE}display") == "false" for each in style)
    }
    workbook = Workbook()
    positions = document.positions()
    for node in document.content("spreadsheet"):
        mark_positions(node, positions)
        if node.tag == f"{TABLE}table" and not node.get(f"{TABLE}name", "").startswith("'file:"):
            workbook.add(_sheet(document, node, unseen))
    about = document.properties()
    return Content(
        workbook.text,
        about.title,
        markdown=True,
        warnings=tuple(workbook.warnings),
        author=about.author,
        date=about.date,
        tags=about.tags,
    )


def _sheet(document: OpenDocument, table: Element, unseen: set[str]) -> Sheet:
    hidden = table.get(f"{TABLE}style-name", "") in unseen
    sheet = Sheet(table.get(f"{TABLE}name", ""), (), hidden=hidden)
    if hidden and not current().hidden_sheets:
        return sheet
    _drop_guesses(table)
    headers: list[int] = []
    sheet.rows = list(_rows(table, sheet, headers))
    sheet.headers = headers
    for shapes in table.iter(f"{TABLE}shapes"):
        sheet.drawn += _drawn(document, shapes)
    # Not all cells below: in a flat file, those of charts are among them.
    for cell_node in (each for row, _ in _row_nodes(table, False) for each in row):
        for drawing in cell_node:
            if drawing.tag.startswith(DRAW):
                sheet.drawn += _drawn(document, drawing)
    return sheet


def _drop_guesses(table: Element) -> None:
    """Remove the texts of dates and times that have no style: an office program shows the value, in its own way.

    Libraries write what they please there: "03/04/26" for 4 March 2026, "PT10H05M00S" for 10:05.
    """
    if any(node.get(f"{TABLE}default-cell-style-name") for node in table.iter()):
        return
    for node in table.iter(f"{TABLE}table-cell"):
        valued = node.get(f"{OFFICE}date-value") or node.get(f"{OFFICE}time-value")
        if valued and not node.get(f"{TABLE}style-name"):
            for text in node.findall(f"{TEXT}p"):
                node.remove(text)


def _rows(table: Element, sheet: Sheet, headers: list[int]) -> Iterator[Row]:
    hidden = _hidden_columns(table)
    number = 0
    for node, is_header in _row_nodes(table, False):
        times = odf_text.repeated(node, "rows")
        first = number + 1
        number += times
        if node.get(f"{TABLE}visibility") == "collapse" and not current().hidden_sheets:
            sheet.hidden_rows += any(len(each) > 0 for each in node)
            continue
        cells = _cells(node, first - 1, hidden, sheet)
        if cells:
            headers += [first] if is_header else []
            yield from (Row(first + at, cells) for at in range(min(times, _MAX_REPEATED)))


def _row_nodes(parent: Element, is_header: bool) -> Iterator[tuple[Element, bool]]:
    for node in parent:
        if node.tag == f"{TABLE}table-row":
            yield node, is_header
        elif node.tag in _ROWS:
            yield from _row_nodes(node, node.tag.endswith("header-rows"))


def _hidden_columns(table: Element) -> list[tuple[int, int]]:
    """First and last of each run of hidden columns, from 0."""
    found: list[tuple[int, int]] = []
    at = 0
    for node in table.iter(f"{TABLE}table-column"):
        times = odf_text.repeated(node, "columns")
        if node.get(f"{TABLE}visibility") == "collapse":
            found.append((at, at + times - 1))
        at += times
    return [] if current().hidden_sheets else found


def _cells(row: Element, number: int, hidden: list[tuple[int, int]], sheet: Sheet) -> dict[int, Cell]:
    found: dict[int, Cell] = {}
    column = 0
    for node in row:
        if node.tag not in (f"{TABLE}table-cell", f"{TABLE}covered-table-cell"):
            continue
        times = odf_text.repeated(node, "columns")
        if len(node) or len(node.attrib) > 1:
            shown = _cell(node, sheet) if node.tag == f"{TABLE}table-cell" else None
            for at in range(column, column + min(times, _MAX_REPEATED)):
                if any(first <= at <= last for first, last in hidden):
                    sheet.hidden_columns |= {at} if shown else set()
                elif shown:
                    found[at] = shown
            if node.tag == f"{TABLE}table-cell":
                sheet.comments += _comments(node, number, column)
        column += times
    return found


def _cell(node: Element, sheet: Sheet) -> Cell | None:
    kind = node.get(f"{OFFICE}value-type", "string")
    text = "\n".join(odf_text.paragraphs(node)) or _value(node, kind)
    if not text and node.get(f"{TABLE}formula") and f"{OFFICE}value-type" not in node.attrib:
        sheet.without_result += 1
    if kind in ("time", "date"):
        text = _SHORT_HOUR.sub(r"0\1:", text)
    return cell(text, kind == "string")


def _value(node: Element, kind: str) -> str:
    """What a cell without a text of its own holds."""
    for name in ("string-value", "date-value", "boolean-value"):
        if found := node.get(f"{OFFICE}{name}"):
            return found.upper() if name == "boolean-value" else found.replace("T", " ")
    if time := _TIME.fullmatch(node.get(f"{OFFICE}time-value", "")):
        return f"{time[1]}{int(time[2]):02}:{int(time[3]):02}" + (f":{time[4]}" if int(time[4]) else "")
    try:
        value = float(node.get(f"{OFFICE}value", ""))
    except ValueError:
        return ""
    if kind == "percentage":
        return f"{general(value * 100)}%"
    return f"{general(value)} {node.get(f'{OFFICE}currency', '')}".strip()


def _comments(node: Element, row: int, column: int) -> Iterator[Comment]:
    for note in node.iter(f"{OFFICE}annotation"):
        text = "\n".join(odf_text.paragraph(each) for each in note.iter(f"{TEXT}p"))
        yield Comment(row, column, note.findtext(f"{DC}creator") or "", text)


def _drawn(document: OpenDocument, parent: Element) -> Iterator[str]:
    """The texts of text boxes and shapes, the titles of charts, and the words that describe pictures."""
    if parent.tag == f"{DRAW}object":  # its content stands here in a flat file
        yield odf_text.chart(document, parent, with_values=False) or ""
        return
    if parent.tag.startswith(DRAW):
        yield "\n".join([*odf_text.paragraphs(parent), *filter(None, [odf_text.description(parent)])])
    for node in parent:
        yield from _drawn(document, node)
