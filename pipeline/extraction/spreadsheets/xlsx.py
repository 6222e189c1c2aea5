"""Excel workbooks (XLSX and its relatives): sheets, styles and shared texts. Pure; runs in the worker processes."""

from __future__ import annotations

import contextlib
from xml.etree.ElementTree import Element

from pipeline.extraction.content import Content, ExtractError
from pipeline.extraction.opc import Package, R, S
from pipeline.extraction.reading_options import current
from pipeline.extraction.spreadsheets import number_format, xlsx_cells, xlsx_notes
from pipeline.extraction.spreadsheets.sheet import Sheet, Workbook
from pipeline.extraction.spreadsheets.xlsx_cells import Shared
from pipeline.extraction.spreadsheets.xlsx_content import workbook_content

_MAX_SHEETS = 2_000


def read(package: Package) -> Content:
    """The text of a workbook whose main part is XML. Raises ExtractError."""
    main = package.main()
    root = package.xml(main)
    properties = root.find(f"{S}workbookPr")
    from_1904 = properties is not None and properties.get("date1904") in ("1", "true")
    shared = Shared(_strings(package, main), _codes(package, main), from_1904)
    names = xlsx_notes.persons(package, main)
    workbook = Workbook()
    sheets = list(root.iter(f"{S}sheet"))
    if len(sheets) > _MAX_SHEETS:
        workbook.warnings.append(f"Only the first {_MAX_SHEETS:,} of {len(sheets):,} sheets are read.")
    for node in sheets[:_MAX_SHEETS]:
        try:
            workbook.add(_sheet(package, main, node, shared, names))
        except ExtractError as error:
            workbook.warnings.append(f"The sheet “{node.get('name', '')}” is not read: {error.message}")
    return workbook_content(package, workbook)


def _sheet(package: Package, main: str, node: Element, shared: Shared, names: dict[str, str]) -> Sheet:
    name = node.get("name", "")
    sheet = Sheet(name, (), hidden=node.get("state", "visible") != "visible")
    if sheet.hidden and not current().hidden_sheets:
        return sheet
    relation = package.relations(main).get(node.get(f"{R}id", ""))
    if relation is None or relation.external:
        raise ExtractError("corrupt", "The file has lost its part of this sheet.")
    part = relation.target
    if relation.kind in ("chartsheet", "dialogsheet"):
        sheet.drawn = xlsx_notes.drawn(package, part, with_values=True)
        return sheet
    if relation.kind == "worksheet":
        data = package.read(part)
        sheet.rows = xlsx_cells.rows(data, shared, sheet)
        sheet.headers = xlsx_notes.header_rows(package, part)
        sheet.comments = xlsx_notes.comments(package, part, names)
        sheet.drawn = xlsx_notes.drawn(package, part)
    return sheet


def _strings(package: Package, main: str) -> list[str]:
    for part in package.related(main, "sharedStrings"):
        return [xlsx_cells.string(node) for node in package.blocks(part, f"{S}sst")]
    return []


def _codes(package: Package, main: str) -> list[str]:
    """The format code of each style of cells; none if the styles are damaged."""
    for part in package.related(main, "styles"):
        with contextlib.suppress(ExtractError):
            root = package.xml(part)
            own = {node.get("numFmtId", ""): node.get("formatCode", "") for node in root.iter(f"{S}numFmt")}
            styles = root.find(f"{S}cellXfs")
            numbers = [node.get("numFmtId", "0") for node in (() if styles is None else styles)]
            return [
                number_format.format_code(int(number) if number.isdecimal() else 0, own.get(number))
                for number in numbers
            ]
    return []
