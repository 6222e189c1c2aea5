"""Writes small XLSB workbooks for tests."""

from __future__ import annotations

import struct

from support.openxml import package


def record(kind: int, content: bytes = b"") -> bytes:
    head = bytes([kind]) if kind < 128 else bytes([kind & 0x7F | 0x80, kind >> 7])
    length, size = b"", len(content)
    while True:
        length += bytes([size & 0x7F | (0x80 if size > 127 else 0)])
        size >>= 7
        if not size:
            return head + length + content


def wide(text: str) -> bytes:
    return struct.pack("<I", len(text)) + text.encode("utf-16-le")


def row(number: int, *cells: bytes, hidden: bool = False) -> bytes:
    """`number` is from 0."""
    return record(0, struct.pack("<IIHBBB", number, 0, 300, 0, 0x10 if hidden else 0, 0)) + b"".join(cells)


def cell(kind: int, column: int, content: bytes, style: int = 0) -> bytes:
    return record(kind, struct.pack("<II", column, style) + content)


def workbook(
    sheets: list[tuple[str, int, bytes]], codes: list[str], strings: list[str], comment: bytes = b""
) -> bytes:
    """`sheets`: name, state and records of each; the style 0 is General, the others are those of `codes`."""
    main = record(131) + record(153, struct.pack("<II", 0, 0) + wide(""))
    relations = {
        "xl/workbook.bin": [("s", "styles", "xl/styles.bin"), ("t", "sharedStrings", "xl/strings.bin")]
    }
    parts: dict[str, str | bytes] = {}
    for number, (name, state, records) in enumerate(sheets):
        part = f"xl/worksheets/sheet{number}.bin"
        main += record(156, struct.pack("<II", state, number + 1) + wide(f"w{number}") + wide(name))
        relations["xl/workbook.bin"].append((f"w{number}", "worksheet", part))
        relations[part] = [("c", "comments", "xl/comments.bin")] if comment else []
        parts[part] = records
    formats = b"".join(record(44, struct.pack("<H", 164 + at) + wide(code)) for at, code in enumerate(codes))
    styles = b"".join(
        record(47, struct.pack("<HH", 0, number) + bytes(12)) for number in (0, *range(164, 164 + len(codes)))
    )
    parts["xl/workbook.bin"] = main
    parts["xl/styles.bin"] = (
        formats + record(626) + record(47, bytes(16)) + record(627) + record(617) + styles + record(618)
    )
    parts["xl/strings.bin"] = b"".join(record(19, b"\0" + wide(text)) for text in strings)
    parts["xl/comments.bin"] = comment
    return package("xl/workbook.bin", parts, relations)
