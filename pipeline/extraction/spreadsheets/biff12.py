"""The records of the binary parts of an XLSB workbook (MS-XLSB). Pure; runs in the worker processes."""

from __future__ import annotations

import struct
from collections.abc import Iterator

ROW, BLANK, RK, ERROR, BOOLEAN, REAL, TEXT, SHARED = range(8)
FORMULA_TEXT, FORMULA_REAL, FORMULA_BOOLEAN, FORMULA_ERROR = range(8, 12)
STRING, FORMAT, STYLE, COLUMNS, RICH_TEXT = 19, 44, 47, 60, 62
PROPERTIES, SHEET, MERGED, TABLE, AUTHOR, COMMENT, COMMENT_TEXT = 153, 156, 176, 343, 632, 635, 637
STYLES_BEGIN, STYLES_END, FILTERED = 617, 618, 163
_ERRORS = {
    0x00: "#NULL!", 0x07: "#DIV/0!", 0x0F: "#VALUE!", 0x17: "#REF!", 0x1D: "#NAME?", 0x24: "#NUM!", 0x2A: "#N/A",
}  # fmt: skip


def records(data: bytes) -> Iterator[tuple[int, bytes]]:
    """(kind, content) of each record; ends where the part is damaged."""
    at, size = 0, len(data)
    while at < size:
        kind = data[at]
        at += 1
        if kind & 0x80 and at < size:
            kind = kind & 0x7F | (data[at] & 0x7F) << 7
            at += 1
        length = shift = 0
        while at < size and shift < 28:
            byte = data[at]
            at += 1
            length |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                break
        yield kind, data[at : at + length]
        at += length


def string(content: bytes, at: int) -> tuple[str, int]:
    """The text at an offset, and the offset after it; empty beyond the end."""
    length = number(content, at)
    if length == 0xFFFFFFFF:  # no text at all
        return "", at + 4
    end = at + 4 + 2 * length
    return content[at + 4 : end].decode("utf-16-le", "replace"), end


def number(content: bytes, at: int, size: int = 4) -> int:
    """The number of `size` bytes at an offset; 0 beyond the end."""
    found = content[at : at + size]
    return int.from_bytes(found, "little") if len(found) == size else 0


def area(content: bytes, at: int = 0) -> tuple[int, int, int, int]:
    """First row, first column, last row, last column."""
    top, bottom, left, right = (number(content, at + 4 * place) for place in range(4))
    return top, left, bottom, right


def real(content: bytes, at: int) -> float:
    found: tuple[float] = struct.unpack("<d", content[at : at + 8].ljust(8, b"\0"))
    return found[0]


def packed(value: int) -> float:
    """The number in 32 bits: an integer or the upper part of a float, perhaps in hundredths."""
    if value & 2:
        found = float(value >> 2) - (1 << 30 if value & 0x80000000 else 0)
    else:
        found = real(bytes(4) + (value & 0xFFFFFFFC).to_bytes(4, "little"), 0)
    return found / 100 if value & 1 else found


def error(code: int) -> str:
    return _ERRORS.get(code, "#ERROR")
