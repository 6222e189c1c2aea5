"""Splits RTF into its tokens. Pure; knows the syntax only."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_TOKEN = re.compile(
    rb"\\(?P<word>[a-zA-Z]{1,40})(?P<number>-?\d{1,10})?[ ]?"
    rb"|\\'(?P<hex>[0-9a-fA-F]{2})"
    rb"|\\(?P<symbol>[\s\S])"
    rb"|(?P<brace>[{}])"
    rb"|(?P<text>[^\\{}\r\n\x00]+)"
    rb"|[\r\n\x00]+|\\"
)
_GROUP_END = re.compile(rb"\\[\s\S]|[{}]|\\bin(\d{1,10})[ ]?")


class Token(NamedTuple):
    """`kind` is "{", "}", "word", "symbol" (one character), "bytes" or "hex" (one byte); `end` is where it ends."""

    kind: str
    text: bytes
    number: int | None = None


def tokens(data: bytes) -> Iterator[Token]:
    """The tokens of `data`, binary pictures left out; damaged places are passed over."""
    position = 0
    while found := _TOKEN.match(data, position):
        position = found.end()
        kind = found.lastgroup
        if kind == "text":
            yield Token("bytes", found["text"])
        elif kind in ("word", "number"):
            number = int(found["number"]) if found["number"] else None
            if found["word"] == b"bin":
                position += max(number or 0, 0)
            else:
                yield Token("word", found["word"], number)
        elif kind == "hex":
            yield Token("hex", bytes([int(found["hex"], 16)]))
        elif kind == "symbol":
            yield Token("symbol", found["symbol"])
        elif kind == "brace":
            yield Token(found["brace"].decode(), b"")
