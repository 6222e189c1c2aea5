"""Excel's binary workbooks: every type of cell, formats, hidden parts, comments, and damaged files."""

from __future__ import annotations

import random
import struct

from support.xlsb import cell, record, row, wide, workbook

from pipeline.extraction import formats
from pipeline.extraction.content import Content, ExtractError
from pipeline.extraction.readers.spreadsheet import WorkbookReader
from pipeline.extraction.reading_options import ReadingOptions, using


def _read(data: bytes) -> Content:
    return WorkbookReader().read(data, formats.detect(data, ".xlsb"))


def _data() -> bytes:
    texts = [cell(7, at, struct.pack("<I", at)) for at in range(4)]
    rows = row(0, *texts)
    rows += row(
        1,
        cell(6, 0, wide("Ash & <elm>")),
        cell(5, 1, struct.pack("<d", 45000.0), 1),
        cell(2, 2, struct.pack("<i", 25 << 2 | 3), 2),
        cell(9, 3, struct.pack("<d", 1.125) + bytes(6), 3),
    )
    rows += row(
        2,
        cell(8, 0, wide("made")),
        cell(4, 1, b"\1"),
        cell(3, 2, b"\x2a"),
        cell(2, 3, struct.pack("<i", -4 << 2 | 2)),
    )
    rows += row(3, cell(62, 0, b"\1" + wide("veiled")), hidden=True)
    rows += row(4, cell(6, 0, wide("whole")), cell(6, 1, wide("under")), cell(6, 9, wide("aside")))
    sheet = record(60, struct.pack("<IIIIH", 9, 9, 0, 0, 1)) + record(145) + rows + record(146)
    sheet += record(176, struct.pack("<4I", 4, 4, 0, 1))
    comment = record(632, wide("Ida")) + record(635, struct.pack("<5I", 0, 1, 1, 0, 0) + bytes(16))
    comment += record(637, b"\0" + wide("Ida:\nprune it"))
    shut = record(145) + row(0, cell(6, 0, wide("secret"))) + record(146)
    return workbook(
        [("Trees", 0, sheet), ("Shut", 1, shut)],
        ["yyyy-mm-dd", "0%", "[h]:mm"],
        ["Tree", "Planted", "Share", "Worked"],
        comment,
    )


def test_cells_comments_and_hidden_parts() -> None:
    content = _read(_data())
    assert content.text == (
        "## Trees\n\n| Tree | Planted | Share | Worked |\n|-|-|-|-|\n| Ash & <elm> | 2023-03-15 | 25% | 27:00 |\n"
        "| made | TRUE | #N/A | -4 |\n\nwhole\n\nComment on A2 (Ash & <elm>) by Ida: prune it"
    )
    assert content.warnings == (
        "The sheet “Trees” has 1 hidden row and 1 hidden column not read (documents.hidden_sheets).",
        "The hidden sheet “Shut” is not read (documents.hidden_sheets).",
    )
    with using(ReadingOptions(hidden_sheets=True)):
        everything = _read(_data())
    assert all(word in everything.text for word in ("veiled", "aside", "secret"))
    assert "under" not in everything.text


def test_damaged_records_give_text_or_raise_extract_error() -> None:
    chance = random.Random(4)
    for _ in range(200):
        noise = bytes(chance.randrange(256) for _ in range(400))
        data = workbook([("a", 0, row(0, cell(6, 0, wide("sound"))) + noise)], ["0"], ["x"], noise)
        try:
            assert isinstance(_read(data).text, str)
        except ExtractError as error:
            assert error.message.endswith(".")
