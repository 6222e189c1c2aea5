"""Properties of characters and paragraphs in an old Word file: lists of changes (sprm) to those of the style. Pure."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

_SIZES = (
    1,
    1,
    2,
    4,
    2,
    2,
    -1,
    3,
)  # of an operand, by the upper three bits of its number; -1: it has its own length
_TABLE_DEFINITION, _TABS = 0xD608, 0xC615
# Word 6: operands by number; of the rest, those with a length of their own and those of one byte.
_WORD_6_OWN_LENGTH = {
    3,
    15,
    23,
    68,
    74,
    81,
    82,
    103,
    105,
    108,
    119,
    134,
    136,
    137,
    138,
    152,
    153,
    187,
    188,
    190,
    191,
    192,
}
_WORD_6_SIZES = {
    2: 1, 16: 2, 17: 2, 18: 2, 19: 2, 20: 4, 21: 2, 22: 2, 26: 2, 27: 2, 28: 2, 36: 2, 37: 1, 38: 2, 39: 2, 40: 2,
    41: 2, 42: 2, 43: 2, 45: 2, 46: 2, 47: 2, 48: 2, 49: 2, 69: 2, 70: 4, 72: 2, 73: 3, 80: 2, 83: 0, 93: 2, 95: 3,
    96: 2, 97: 2, 99: 2, 101: 2, 106: 2, 107: 2, 109: 2, 110: 2,
}  # fmt: skip
# The changes that are read, by the numbers of Word 6: those of Word 97 take their names.
_WORD_6_NAMES = {
    2: 0x4600, 13: 0x260A, 24: 0x2416, 25: 0x2417, 65: 0x0800, 92: 0x083C, 93: 0x4A4F, 117: 0x0855, 74: 0x6A09,
    104: 0x2A48,
}  # fmt: skip


@dataclass(frozen=True)
class Characters:
    """Properties of a run of characters; None stands for those of the style."""

    hidden: int | None = None  # 0, 1, or 128 and 129: as the style, and its contrary
    deleted: bool = False
    special: bool = False
    font: int | None = None
    style: int | None = None
    symbol: tuple[int, int] | None = None  # (font, code)
    position: int = 0  # above 0 of raised text, below 0 of lowered text


@dataclass(frozen=True)
class Paragraph:
    style: int = 0
    in_table: bool = False
    row_end: bool = False
    inner_cell_end: bool = False
    inner_row_end: bool = False
    depth: int = 0  # tables around it
    list_use: int | None = None
    list_level: int | None = None
    outline: int | None = None
    huge: int | None = None  # the place of more of them in the Data stream


def changes(data: bytes, word97: bool) -> Iterator[tuple[int, bytes]]:
    """(number as in Word 97, operand) of each change; a damaged end is left out."""
    at = 0
    while at + 2 <= len(data):
        if word97:
            number = struct.unpack_from("<H", data, at)[0]
            at += 2
            size = _SIZES[number >> 13]
            if size < 0:
                at, size = _own_length(data, at, number)
        else:
            code = data[at]
            at += 1
            number = _WORD_6_NAMES.get(code, 0)
            size = _WORD_6_SIZES.get(code, 1)
            if code in _WORD_6_OWN_LENGTH:
                size, at = data[at], at + 1
        yield number, data[at : at + size]
        at += size


def _own_length(data: bytes, at: int, number: int) -> tuple[int, int]:
    """Where an operand starts, and its length."""
    if at >= len(data):
        return at, 0
    if number == _TABLE_DEFINITION and at + 2 <= len(data):
        return at + 2, max(struct.unpack_from("<H", data, at)[0] - 1, 0)
    if number == _TABS and data[at] == 255 and at + 2 <= len(data):
        removed = data[at + 1]
        added = data[at + 2 + 4 * removed] if at + 2 + 4 * removed < len(data) else 0
        return at + 1, 2 + 4 * removed + 3 * added
    return at + 1, data[at]


def characters(data: bytes, word97: bool) -> Characters:
    """The properties that a list of changes sets."""
    hidden: int | None = None
    deleted = special = False
    font = style = symbol = None
    position = 0
    for number, operand in changes(data, word97):
        value = int.from_bytes(operand[:2], "little")
        match number:
            case 0x083C:
                hidden = value & 0xFF
            case 0x0800:
                deleted = bool(value & 0xFF)
            case 0x0855:
                special = bool(value & 0xFF)
            case 0x2A48:
                position = {1: 1, 2: -1}.get(value & 0xFF, 0)
            case 0x4A4F:
                font = value
            case 0x4A30:
                style = value
            case 0x6A09 if len(operand) >= 3:
                symbol = (value, int.from_bytes(operand[2:4], "little"))
                special = True
    return Characters(hidden, deleted, special, font, style, symbol, position)


def paragraph(style: int, data: bytes, word97: bool) -> Paragraph:
    """The properties of a paragraph in a style, changed."""
    found: dict[str, int] = {}
    for number, operand in changes(data, word97):
        name = _PARAGRAPH.get(number)
        if name is not None:
            found[name] = int.from_bytes(operand, "little")
    use, level = found.get("list_use"), found.get("list_level")
    return Paragraph(
        found.get("style", style) & 0xFFF,
        bool(found.get("in_table")),
        bool(found.get("row_end")),
        bool(found.get("inner_cell_end")),
        bool(found.get("inner_row_end")),
        found.get("depth", 0),
        use,
        level,
        found.get("outline"),
        found.get("huge"),
    )


_PARAGRAPH = {
    0x4600: "style", 0x2416: "in_table", 0x2417: "row_end", 0x244B: "inner_cell_end", 0x244C: "inner_row_end",
    0x6649: "depth", 0x260A: "list_level", 0x460B: "list_use", 0x2640: "outline", 0x6645: "huge", 0x6646: "huge",
}  # fmt: skip
