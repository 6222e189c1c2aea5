"""The tables of an iWork document: what their cells show. Pure."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal

from pipeline.extraction.iwork.messages import Message
from pipeline.extraction.iwork.objects import Objects
from pipeline.extraction.table_text import Cell, Row, blocks, line

INFO, MODEL = 6000, 6001
_TILE_ROWS = 256
_EPOCH = datetime(2001, 1, 1)
_NUMBER, _TEXT, _DATE, _TRUTH, _DURATION, _ERROR, _RICH, _MONEY = 2, 3, 5, 6, 7, 8, 9, 10
_CURRENCY_FORMAT, _PERCENT_FORMAT = 257, 258
# The values that stand behind the head of a cell, if their bit is set: all 4 bytes, but for the first three.
_SIZES = (16, 8, 8) + (4,) * 17
_DECIMAL, _DOUBLE, _SECONDS, _STRING, _RICH_TEXT = range(5)
_FORMAT, _MONEY_FORMAT = 13, 14
_EXPONENT_BIAS = 0x1820
_MAX_EXPONENT = 15  # a number beyond is written with its exponent
_MAX_CELLS = 1_000_000


def table_blocks(objects: Objects, number: int) -> Iterator[str]:
    """The table with this number as blocks of Markdown, below its name if that is shown."""
    model = objects[number]
    if model.number(22) and (name := line(model.text(8))):
        yield f"## {name}"
    yield from blocks(_rows(objects, model), (1,) if model.number(9) else ())


def _rows(objects: Objects, model: Message) -> Iterator[Row]:
    store = model.message(4)
    tables = _Lists(objects, store)
    tiles = store.message(3)
    left = _MAX_CELLS
    for tile in tiles.messages(1):
        first = tile.number(1) * (tiles.number(2) or _TILE_ROWS)
        for reference in tile.references(2):
            for row in objects[reference].messages(5):
                cells = {at: cell for at, data in _stored(row) if (cell := tables.shown(data))}
                left -= len(cells)
                if cells and left > 0:
                    yield Row(first + row.number(1) + 1, cells)


def _stored(row: Message) -> Iterator[tuple[int, bytes]]:
    """The cells of a row by their columns, each with what stands behind it."""
    data, packed = row.data(6), row.data(7)
    unit = 4 if row.number(8) else 1
    for column, offset in enumerate(struct.unpack(f"<{len(packed) // 2}h", packed[: len(packed) // 2 * 2])):
        if offset >= 0 and len(data) >= offset * unit + 12:
            yield column, data[offset * unit :]


class _Lists:
    """The texts and formats that the cells of a table name by their keys."""

    def __init__(self, objects: Objects, store: Message) -> None:
        self._objects = objects
        self._strings = {entry.number(1): entry.text(3) for entry in self._entries(store.references(4))}
        self._rich = {entry.number(1): entry.references(9) for entry in self._entries(store.references(17))}
        self._formats = {entry.number(1): entry.message(6) for entry in self._entries(store.references(22))}

    def shown(self, data: bytes) -> Cell | None:
        """What a cell shows; None for an empty one, or one of a version that is not known."""
        kind, values = data[1], _values(data)
        if data[0] != 5:
            return None
        text, is_text = "", kind in (_TEXT, _RICH)
        if kind == _TEXT:
            text = self._strings.get(_integer(values, _STRING), "")
        elif kind == _RICH:
            text = self._rich_text(_integer(values, _RICH_TEXT))
        elif kind in (_NUMBER, _MONEY) and _DECIMAL in values:
            text = self._number(_decimal(values[_DECIMAL]), values)
        elif kind == _DATE and _SECONDS in values:
            text = _date(_double(values[_SECONDS]))
        elif kind == _TRUTH:
            text = "TRUE" if _DOUBLE in values and _double(values[_DOUBLE]) else "FALSE"
        elif kind == _DURATION and _DOUBLE in values:
            text = _duration(_double(values[_DOUBLE]))
        text = line(text)
        return Cell(text, is_text) if text else None

    def _number(self, value: Decimal, values: dict[int, bytes]) -> str:
        key = _integer(values, _MONEY_FORMAT) or _integer(values, _FORMAT)
        about = self._formats.get(key)
        kind = about.number(1) if about else 0
        text = _plain(value * 100 if kind == _PERCENT_FORMAT else value)
        if kind == _PERCENT_FORMAT:
            return f"{text}%"
        return f"{text} {about.text(3)}".strip() if about and kind == _CURRENCY_FORMAT else text

    def _rich_text(self, key: int) -> str:
        payloads = (self._objects[each] for each in self._rich.get(key, ()))
        return " ".join(self._objects[each].text(3) for payload in payloads for each in payload.references(1))

    def _entries(self, lists: list[int]) -> Iterator[Message]:
        for number in lists:
            found = self._objects[number]
            yield from found.messages(3)
            for segment in found.references(4):
                yield from self._objects[segment].messages(3)


def _values(data: bytes) -> dict[int, bytes]:
    """The values of a cell by the numbers of their bits."""
    flags = int.from_bytes(data[8:12], "little")
    found: dict[int, bytes] = {}
    at = 12
    for bit, size in enumerate(_SIZES):
        if flags >> bit & 1:
            found[bit] = data[at : at + size].ljust(size, b"\0")
            at += size
    return found


def _integer(values: dict[int, bytes], bit: int) -> int:
    return int.from_bytes(values.get(bit, b""), "little")


def _double(data: bytes) -> float:
    return float(struct.unpack("<d", data)[0])


def _decimal(data: bytes) -> Decimal:
    """A decimal number of 128 bits: sign, exponent, and 113 bits of digits."""
    whole = int.from_bytes(data, "little")
    exponent = (whole >> 113 & 0x3FFF) - _EXPONENT_BIAS
    return Decimal(whole & ((1 << 113) - 1)).scaleb(exponent) * (-1 if whole >> 127 else 1)


def _plain(value: Decimal) -> str:
    """The number with at most ten places, as programs show it."""
    if not value or abs(value.adjusted()) > _MAX_EXPONENT:
        return "0" if not value else str(value)
    text = format(round(value, 10), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _date(seconds: float) -> str:
    try:
        shown = _EPOCH + timedelta(seconds=seconds)
    except (OverflowError, ValueError):
        return ""
    return shown.strftime("%Y-%m-%d" if not (shown.hour or shown.minute) else "%Y-%m-%d %H:%M")


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds) if abs(seconds) < 1e12 else 0, 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"
