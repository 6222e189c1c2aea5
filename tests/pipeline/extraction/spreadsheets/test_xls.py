"""Excel workbooks of before 2007: formats, merged and hidden cells, and damaged files."""

from __future__ import annotations

import datetime
import io
import random

import pytest
import xlwt

from pipeline.extraction.content import Content, ExtractError
from pipeline.extraction.formats import Format
from pipeline.extraction.readers.spreadsheet import OldWorkbookReader
from pipeline.extraction.reading_options import ReadingOptions, using

_FORMAT = Format("application/vnd.ms-excel", "an old Excel workbook")


def _data(book: xlwt.Workbook) -> bytes:
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def _read(data: bytes) -> Content:
    return OldWorkbookReader().read(data, _FORMAT)


def _book() -> xlwt.Workbook:
    book = xlwt.Workbook()
    sheet = book.add_sheet("Boats & oars")
    for at, text in enumerate(("Boat", "Built", "Out", "Share", "Worked", "Dry")):
        sheet.write(0, at, text)
    values = (
        ("Teal", "General"), (datetime.date(1998, 4, 5), "D/M/YYYY"), (0.3125, "h:mm"), (0.4, "0%"),
        (1.125, "[h]:mm"), (True, "General"),
    )  # fmt: skip
    for at, (value, code) in enumerate(values):
        sheet.write(1, at, value, xlwt.easyxf(num_format_str=code))
    return book


def test_cells_are_shown_by_their_formats() -> None:
    assert _read(_data(_book())).text == (
        "## Boats & oars\n\n| Boat | Built | Out | Share | Worked | Dry |\n|-|-|-|-|-|-|\n"
        "| Teal | 5/4/1998 | 07:30 | 40% | 27:00 | TRUE |"
    )


def test_merged_and_hidden_cells() -> None:
    book = xlwt.Workbook()
    sheet = book.add_sheet("Open")
    sheet.write_merge(0, 1, 0, 2, "once")
    sheet.write(2, 0, "covered")
    sheet.row(2).hidden = True
    sheet.write(3, 0, "seen")
    sheet.write(3, 5, "veiled")
    sheet.col(5).hidden = True
    shut = book.add_sheet("Shut")
    shut.write(0, 0, "secret")
    shut.visibility = 1
    content = _read(_data(book))
    assert content.text == "## Open\n\nonce\n\nseen"
    assert content.warnings == (
        "The sheet “Open” has 1 hidden row and 1 hidden column not read (documents.hidden_sheets).",
        "The hidden sheet “Shut” is not read (documents.hidden_sheets).",
    )
    with using(ReadingOptions(hidden_sheets=True)):
        assert all(word in _read(_data(book)).text for word in ("covered", "veiled", "secret"))


def test_damaged_workbooks_give_text_or_raise_extract_error() -> None:
    sound = _data(_book())
    chance = random.Random(2)
    for _ in range(200):
        damaged = bytearray(sound)
        for _ in range(chance.randrange(1, 30)):
            damaged[chance.randrange(512, len(damaged))] = chance.randrange(256)
        try:
            assert isinstance(_read(bytes(damaged)).text, str)
        except ExtractError as error:
            assert error.message.endswith(".")
    with pytest.raises(ExtractError):
        _read(sound[:700])
