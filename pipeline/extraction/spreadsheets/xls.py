"""Excel workbooks of before 2007 (XLS), whose records xlrd parses. Pure; runs in the worker processes."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from typing import Any

from pipeline.extraction.compound_file import CompoundFile
from pipeline.extraction.content import Content, ExtractError
from pipeline.extraction.opc import Properties
from pipeline.extraction.reading_options import current
from pipeline.extraction.spreadsheets import number_format
from pipeline.extraction.spreadsheets.sheet import Covered, Sheet, Workbook, cell
from pipeline.extraction.spreadsheets.xlsx_notes import old_comment
from pipeline.extraction.table_text import Cell, Row

LIBRARIES = ("xlrd", "olefile")
_MAX_SHEETS = 2_000
_TEXT, _NUMBER, _DATE, _BOOLEAN, _ERROR = 1, 2, 3, 4, 5  # xlrd's types of cells


def read(data: bytes) -> Content:
    """The text of a workbook. Raises ExtractError."""
    book = _open(data)
    workbook = Workbook()
    for number, name in enumerate(book.sheet_names()[:_MAX_SHEETS]):
        try:
            workbook.add(_sheet(book, number, name))
        except MemoryError:
            raise
        except Exception:  # xlrd raises whatever a damaged record leads to
            workbook.warnings.append(f"The sheet “{name}” is damaged and not read.")
        book.unload_sheet(number)
    if not workbook.text and any("damaged" in warning for warning in workbook.warnings):
        raise ExtractError("corrupt", "This is an old Excel workbook whose sheets are damaged.")
    about = _properties(data)
    return Content(
        workbook.text,
        about.title,
        markdown=True,
        warnings=tuple(workbook.warnings),
        author=about.author,
        date=about.date,
        tags=about.tags,
    )


def _properties(data: bytes) -> Properties:
    """Those of the compound file; the oldest workbooks are none."""
    with contextlib.suppress(ExtractError):
        return CompoundFile(data).properties()
    return Properties()


def _open(data: bytes) -> Any:
    import xlrd

    reason = ""
    for with_formats in (True, False):  # some programs write styles that xlrd refuses
        try:
            return xlrd.open_workbook(
                file_contents=data, formatting_info=with_formats, on_demand=True, logfile=io.StringIO()
            )
        except MemoryError:
            raise
        except Exception as error:  # as above
            reason = str(error).lower()
            if "encrypted" in reason:
                raise ExtractError(
                    "corrupt", "This is an old Excel workbook that cannot be read without its password."
                ) from error
    raise ExtractError("corrupt", "This is an old Excel workbook that is damaged and cannot be read.")


def _sheet(book: Any, number: int, name: str) -> Sheet:
    source = book.sheet_by_index(number)
    sheet = Sheet(name, (), hidden=source.visibility != 0)
    if sheet.hidden and not current().hidden_sheets:
        return sheet
    sheet.rows = _rows(book, source, sheet)
    for (row, column), note in sorted(source.cell_note_map.items()):
        sheet.comments.append(old_comment(row, column, note.author or "", note.text))
    return sheet


def _rows(book: Any, source: Any, sheet: Sheet) -> Iterator[Row]:
    codes = _codes(book)
    show_hidden = current().hidden_sheets
    merged = source.merged_cells
    covered = Covered((top, left, bottom - 1, right - 1) for top, bottom, left, right in merged)
    hidden = {at for at, info in source.colinfo_map.items() if info.hidden and not show_hidden}
    for number in range(source.nrows):
        found: dict[int, Cell] = {}
        for column in range(source.row_len(number)):
            if (number, column) in covered:
                continue
            shown = _cell(book, source.cell(number, column), codes)
            if shown and column in hidden:
                sheet.hidden_columns.add(column)
            elif shown:
                found[column] = shown
        info = source.rowinfo_map.get(number)
        if info is not None and info.hidden and not show_hidden:
            sheet.hidden_rows += bool(found)
        elif found:
            yield Row(number + 1, found)


def _codes(book: Any) -> list[str]:
    """The format code of each style; none where xlrd could not read the styles."""
    codes = []
    for style in book.xf_list:
        found = book.format_map.get(style.format_key)
        code = number_format.format_code(style.format_key, found.format_str if found is not None else None)
        built_in = number_format.built_in(style.format_key)
        codes.append(built_in if built_in in (number_format.SYSTEM_DATE, number_format.SYSTEM_DAY) else code)
    return codes


def _cell(book: Any, source: Any, codes: list[str]) -> Cell | None:
    from xlrd.biffh import error_text_from_code

    kind, value, style = source.ctype, source.value, source.xf_index
    code = codes[style] if style is not None and style < len(codes) else number_format.GENERAL
    if kind == _TEXT:
        return cell(number_format.shown_text(value, code))
    if kind == _BOOLEAN:
        return cell("TRUE" if value else "FALSE", False)
    if kind == _ERROR:
        return cell(error_text_from_code.get(value, "#ERROR"), False)
    if kind not in (_NUMBER, _DATE):
        return None
    if kind == _DATE and code == number_format.GENERAL:
        code = number_format.SYSTEM_DATE
    return cell(number_format.shown(value, code, bool(book.datemode)), False)
