"""The bullets and other signs of symbol fonts in a PDF page's text. Runs in the worker processes."""

from __future__ import annotations

import ctypes
import re
from typing import Any

from pipeline.extraction import symbol_fonts

# Where writers put the codes of such fonts; Word does so for the bullet of every list.
_CODES = re.compile(r"[\uf020-\uf0ff]")
_USUAL = {"\uf0b7": "•", "\uf0a7": "▪", "\uf0d8": "➢", "\uf0fc": "✓"}  # whatever the font is called
_FAMILY = re.compile(r"(?:[A-Z]{6}\+)?(?P<name>symbol|wingdings)[ \-_]?(?P<number>[23]?)", re.IGNORECASE)


def with_signs(raw: Any, text_page: Any, text: str) -> str:
    """The page's text, of the same length, with the signs that are known for the codes of symbol fonts.

    A code that has no sign of its own in Unicode becomes a space if its font is such a font, and stays if not.
    """
    if _CODES.search(text) is None:
        return text
    return _CODES.sub(lambda found: _sign(raw, text_page, found.start(), found[0]), text)


def _sign(raw: Any, text_page: Any, index: int, code: str) -> str:
    family = _FAMILY.match(_font(raw, text_page, index))
    if family is None:
        return _USUAL.get(code, code)
    name = f"{family['name']} {family['number']}".strip()
    return symbol_fonts.character(ord(code), name) or " "


def _font(raw: Any, text_page: Any, index: int) -> str:
    flags = ctypes.c_int()
    size = raw.FPDFText_GetFontInfo(text_page, index, None, 0, flags)
    if not 1 < size < 1000:
        return ""
    buffer = ctypes.create_string_buffer(size)
    raw.FPDFText_GetFontInfo(text_page, index, buffer, size, flags)
    return buffer.value.decode("utf-8", "replace")
