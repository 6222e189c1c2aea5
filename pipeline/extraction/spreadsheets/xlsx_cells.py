"""The cells of one sheet of an XLSX workbook, row by row, as they are shown. Pure; runs in the worker processes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from pipeline.extraction import bounded_xml
from pipeline.extraction.opc import S
from pipeline.extraction.raised_text import marked, resolved
from pipeline.extraction.reading_options import current
from pipeline.extraction.spreadsheets import number_format
from pipeline.extraction.spreadsheets.sheet import Covered, Sheet, cell
from pipeline.extraction.table_text import Cell, Row

_REFERENCE = re.compile(r"\$?([A-Za-z]{1,3})\$?(\d{1,7})")
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_MERGED = re.compile(rb"<(?:\w+:)?mergeCell\s[^>]*?ref=\"([^\"]{1,40})\"")
_FILTER = re.compile(rb"<(?:\w+:)?autoFilter\s[^>]*?ref=\"([^\"]{1,40})\"[^>]*?>\s*<(?:\w+:)?filterColumn")
_MAX_COLUMNS = 16_384
_POSITIONS = {"superscript": 1, "subscript": -1}
_TRUE = ("1", "true")
_TRUTH = {"1": "TRUE", "true": "TRUE", "0": "FALSE", "false": "FALSE"}


@dataclass(frozen=True)
class Shared:
    """What the sheets of a workbook share: texts, and the format code of each style."""

    strings: Sequence[str]
    codes: Sequence[str]
    from_1904: bool


@dataclass(frozen=True)
class _Layout:
    """`filtered`: first and last row of each filter that hides rows, from 0."""

    hidden_columns: frozenset[int]
    covered: Covered
    filtered: list[tuple[int, int]]


def position(reference: str) -> tuple[int, int] | None:
    """Row and column from 0 of "B5"."""
    found = _REFERENCE.fullmatch(reference)
    if not found:
        return None
    column = 0
    for letter in found[1].upper():
        column = column * 26 + ord(letter) - 64
    return int(found[2]) - 1, column - 1


def area(reference: str) -> tuple[int, int, int, int] | None:
    """First row, first column, last row, last column of "A1:C3"."""
    first, _, last = reference.partition(":")
    begin, end = position(first), position(last or first)
    return (*begin, *end) if begin and end else None


def string(node: Element) -> str:
    """The text of a shared, inline or commented string, without its reading aids (furigana)."""
    pieces = [
        child.text or "" if child.tag == f"{S}t" else _run(child)
        for child in node
        if child.tag in (f"{S}t", f"{S}r")
    ]
    text = resolved("".join(pieces))
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text) if "_x" in text else text


def _run(node: Element) -> str:
    text = node.findtext(f"{S}t") or ""
    align = node.find(f"{S}rPr/{S}vertAlign")
    return text if align is None else marked(text, _POSITIONS.get(align.get("val", ""), 0))


def rows(data: bytes, shared: Shared, sheet: Sheet) -> Iterator[Row]:
    """The rows of a sheet's part; counts in `sheet` what they leave out. Raises ExtractError."""
    layout = _layout(data)
    show_hidden = current().hidden_sheets
    number = 0
    for node in bounded_xml.blocks(data, f"{S}sheetData"):
        given = node.get("r", "")
        number = int(given) if given.isdecimal() and len(given) < 9 else number + 1
        filtered = any(first <= number - 1 <= last for first, last in layout.filtered)
        if node.get("hidden") in _TRUE and not (show_hidden or filtered):
            sheet.hidden_rows += len(node) > 0
            continue
        cells = _cells(node, number - 1, shared, layout, sheet)
        if cells:
            yield Row(number, cells)


def _cells(node: Element, row: int, shared: Shared, layout: _Layout, sheet: Sheet) -> dict[int, Cell]:
    found: dict[int, Cell] = {}
    column = -1
    for each in node:
        place = position(each.get("r", ""))
        column = place[1] if place else column + 1
        if (row, column) in layout.covered:
            continue
        if column in layout.hidden_columns:
            if len(each):
                sheet.hidden_columns.add(column)
            continue
        shown = _cell(each, shared, sheet)
        if shown is not None:
            found[column] = shown
    return found


def _cell(node: Element, shared: Shared, sheet: Sheet) -> Cell | None:
    kind = node.get("t", "n")
    if kind == "inlineStr":
        inline = node.find(f"{S}is")
        return None if inline is None else _text(string(inline), node, shared)
    value = node.findtext(f"{S}v") or ""
    if not value:
        if kind != "str" and node.find(f"{S}f") is not None:
            sheet.without_result += 1
        return None
    if kind == "s":
        index = int(value) if value.isdecimal() else -1
        return _text(shared.strings[index], node, shared) if 0 <= index < len(shared.strings) else None
    if kind == "b":
        return cell(_TRUTH.get(value, value), False)
    if kind == "e":
        return (
            None if node.get("vm") else cell(value, False)
        )  # a picture in a cell has an error for older programs
    if kind == "str":
        return _text(_ESCAPED.sub(lambda found: chr(int(found[1], 16)), value), node, shared)
    if kind == "d":
        return cell(value.replace("T", " ").removesuffix(" 00:00:00").rstrip("Z"), False)
    try:
        number = float(value)
    except ValueError:
        return cell(value)
    return cell(number_format.shown(number, _code(node, shared), shared.from_1904), False)


def _text(text: str, node: Element, shared: Shared) -> Cell | None:
    return cell(number_format.shown_text(text, _code(node, shared)))


def _code(node: Element, shared: Shared) -> str:
    style = node.get("s", "0")
    index = int(style) if style.isdecimal() else 0
    return shared.codes[index] if index < len(shared.codes) else number_format.GENERAL


def _layout(data: bytes) -> _Layout:
    hidden = bytearray(_MAX_COLUMNS)
    if not current().hidden_sheets:
        for columns in bounded_xml.sections(data, {f"{S}cols"}, stop=f"{S}sheetData"):
            for node in columns:
                first, last = (node.get(name, "") for name in ("min", "max"))
                if node.get("hidden") in _TRUE and first.isdecimal() and last.isdecimal():
                    begin, end = max(int(first) - 1, 0), min(int(last), _MAX_COLUMNS)
                    hidden[begin:end] = b"\1" * max(0, end - begin)
    tail = data.rfind(b"sheetData")
    merged = (area(found[1].decode("ascii", "replace")) for found in _MERGED.finditer(data, max(tail, 0)))
    filters = (area(found[1].decode("ascii", "replace")) for found in _FILTER.finditer(data, max(tail, 0)))
    return _Layout(
        frozenset(at for at, is_hidden in enumerate(hidden) if is_hidden),
        Covered(filter(None, merged)),
        [(each[0], each[2]) for each in filters if each],
    )
