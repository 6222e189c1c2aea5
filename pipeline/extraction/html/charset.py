"""Decodes the bytes of a page as browsers do: byte order mark, declaration, then a guess. Pure."""

from __future__ import annotations

import codecs
import re

from pipeline.extraction import charset_guess, encoding

_WITHIN = 4096  # bytes from the beginning of a page in which it may declare its encoding
_FEW = 30  # bytes beyond ASCII
_EAST_ASIAN = ("gb18030", "cp950", "cp932", "euc_jp", "cp949")
_COMMENT = re.compile(rb"<!--.*?-->", re.DOTALL)
_META = re.compile(rb"(?i)<meta[^>]{0,400}?charset\s*=\s*[\"']?\s*([\w.:-]+)")
_XML = re.compile(rb"^\s*<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([\w.:-]+)")

# The labels whose meaning on the web is not that of Python's codec of the same name.
_WEB_LABELS = {
    "iso-8859-1": "cp1252", "iso8859-1": "cp1252", "iso_8859-1": "cp1252", "latin1": "cp1252", "latin-1": "cp1252",
    "l1": "cp1252", "ascii": "cp1252", "us-ascii": "cp1252", "iso-8859-9": "cp1254", "latin5": "cp1254",
    "iso-8859-11": "cp874", "tis-620": "cp874", "windows-874": "cp874", "iso-8859-8-i": "iso8859-8",
    "gb2312": "gb18030", "gbk": "gb18030", "x-gbk": "gb18030", "gb_2312-80": "gb18030",
    "big5": "big5hkscs", "big5-hkscs": "big5hkscs", "x-x-big5": "big5hkscs",
    "shift_jis": "cp932", "shift-jis": "cp932", "sjis": "cp932", "x-sjis": "cp932", "windows-31j": "cp932",
    "euc-kr": "cp949", "ks_c_5601-1987": "cp949", "ksc5601": "cp949", "korean": "cp949",
    "macintosh": "mac-roman", "x-mac-roman": "mac-roman", "x-mac-cyrillic": "mac-cyrillic",
    "utf-16": "utf-8", "utf-16le": "utf-8", "utf-16be": "utf-8", "unicode": "utf-8",
}  # fmt: skip
_SINGLE_BYTE = re.compile(r"(?i)cp(12\d\d|874|437|8\d\d)|iso-?8859|koi8|mac-")


def codec(label: str) -> str | None:
    """Python's name of the codec for a label like "ISO-8859-1", as browsers understand it; None if there is none."""
    name = _WEB_LABELS.get(label.strip().lower(), label.strip().lower())
    try:
        found = codecs.lookup(name)
        "".encode(found.name)  # some codecs, like "zip", make no text
    except (LookupError, UnicodeError, ValueError, TypeError):
        return None
    return found.name if found._is_text_encoding else None


def decode(data: bytes, label: str | None = None) -> str:
    """A page's text; `label` is the encoding that stands outside of the page, like that of a part of an e-mail.

    Raises ExtractError when no encoding fits.
    """
    if encoding.encoding_of_mark(data):
        return encoding.decode(data).removeprefix("\ufeff")
    if sixteen := _sixteen_bits(data):
        return data.decode(sixteen, "replace")
    name = codec(label) if label else None
    name = name or _declared(data)
    if name is None:
        return _undeclared(data)
    if _SINGLE_BYTE.match(name) and (text := _utf8(data)) is not None:
        return text
    text = data.decode(name, "replace")
    if text.count("\ufffd") * 100 > len(text):
        return encoding.decode(data)
    return text


def _undeclared(data: bytes) -> str:
    """A page that says nothing: with few bytes to guess from it is East Asian, or as browsers take it."""
    beyond_ascii = len(data) - len(data.translate(None, bytes(range(128, 256))))
    if 0 < beyond_ascii < _FEW and _utf8(data) is None:
        likely = charset_guess.guess(data)
        return data.decode(likely if likely in _EAST_ASIAN else "cp1252", "replace")
    return encoding.decode(data)


def _declared(data: bytes) -> str | None:
    head = data[:_WITHIN]
    if found := _XML.match(head):
        return codec(found[1].decode("ascii", "replace"))
    found = _META.search(_COMMENT.sub(b"", head))
    return codec(found[1].decode("ascii", "replace")) if found else None


def _utf8(data: bytes) -> str | None:
    """The text if the page is UTF-8 in spite of its declaration: other encodings are hardly ever valid as UTF-8."""
    if data.isascii():
        return None
    try:
        return data.decode("utf-8")
    except UnicodeError:
        return None


def _sixteen_bits(data: bytes) -> str | None:
    """UTF-16 without a byte order mark, which XML allows."""
    if data.startswith(b"<\0") and data[3:4] == b"\0":
        return "utf-16-le"
    return "utf-16-be" if data.startswith(b"\0<\0") else None
