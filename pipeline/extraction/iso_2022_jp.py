"""Reads ISO-2022-JP, whose characters are ASCII bytes between escapes, in mail and in files. Pure."""

from __future__ import annotations

import re

_ESCAPE = re.compile(rb"\x1b(\$[@B]|\$\([@BDO-Q]|\([BJIH])")
_TO_JIS = re.compile(rb"\x1b(?:\$[@B]|\$\([@BDO-Q]|\(I)")


def is_likely(data: bytes) -> bool:
    """Whether the bytes are ASCII with escapes to the characters of JIS; those of a terminal's colours are others."""
    return b"\x1b" in data and _TO_JIS.search(data) is not None and data.isascii()


def decode(data: bytes) -> str | None:
    """Text with the escapes of ISO-2022-JP; None if much of it is something else.

    It may have the signs of row 13 (①, ㈱) that Python's codecs refuse: the two bytes of a JIS character become those
    of Shift_JIS, which cp932 reads with all of its extensions.
    """
    out, mode, position = [], b"(B", 0
    for escape in [*_ESCAPE.finditer(data), None]:
        piece = data[position : escape.start() if escape else len(data)]
        out.append(_in_mode(piece, mode))
        if escape:
            mode, position = escape[1], escape.end()
    text = "".join(out)
    return None if text.count("\ufffd") * 5 > len(text) else text


def _in_mode(piece: bytes, mode: bytes) -> str:
    if mode == b"(I":
        return bytes(byte | 0x80 for byte in piece).decode("cp932", "replace")
    if mode in (b"$@", b"$B", b"$(@", b"$(B"):
        # A line end inside stands for itself.
        return "".join(
            _jis(line).decode("cp932", "replace") if line[:1] not in b"\r\n" else line.decode()
            for line in re.split(rb"([\r\n]+)", piece)
            if line
        )
    if mode.startswith(b"$("):
        escaped = b"\x1b" + mode + piece + b"\x1b(B"
        codec = "iso2022_jp_1" if mode == b"$(D" else "iso2022_jp_2004"
        return escaped.decode(codec, "replace")
    return piece.decode("ascii", "replace")


def _jis(pairs: bytes) -> bytes:
    out = bytearray()
    for high, low in zip(pairs[::2], pairs[1::2], strict=False):
        high, low = high & 0x7F, low & 0x7F
        first = (high + 1) // 2 + (0x70 if high < 0x5F else 0xB0)
        second = low + (0x1F + (low >= 0x60) if high % 2 else 0x7E)
        out += bytes((first & 0xFF, second & 0xFF))
    return bytes(out)
