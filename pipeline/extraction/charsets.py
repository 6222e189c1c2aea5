"""Decodes the bytes of an e-mail, a calendar or a contact in the charset that they declare, or in the one that fits.

Pure; runs in the worker processes. Knows nothing of headers and parts.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable

from pipeline.extraction import encoding, iso_2022_jp
from pipeline.extraction.content import ExtractError

# What senders write, and the codecs of Python that read it. A charset is read by the one that contains it: the label
# "gb2312" stands on texts with characters of GBK, and "iso-8859-1" on texts with the quotes of Windows.
_CODECS = {
    "gb2312": "gb18030", "gb_2312-80": "gb18030", "gbk": "gb18030", "x-gbk": "gb18030", "cp936": "gb18030",
    "ms936": "gb18030", "windows-936": "gb18030", "euc-cn": "gb18030", "x-euc-cn": "gb18030", "cn-gb": "gb18030",
    "chinesebig5": "cp950", "big5": "cp950 big5hkscs", "cn-big5": "cp950 big5hkscs", "x-x-big5": "cp950 big5hkscs",
    "big-5": "cp950 big5hkscs", "big5-hkscs": "big5hkscs cp950", "ms950": "cp950", "windows-950": "cp950",
    "shift_jis": "cp932 shift_jis_2004", "shift-jis": "cp932 shift_jis_2004", "x-sjis": "cp932", "sjis": "cp932",
    "shiftjis": "cp932", "ms_kanji": "cp932", "windows-31j": "cp932", "windows-932": "cp932", "x-ms-cp932": "cp932",
    "euc-jp": "euc_jp euc_jis_2004", "x-euc-jp": "euc_jp euc_jis_2004", "x-euc": "euc_jp", "eucjp": "euc_jp",
    "ks_c_5601-1987": "cp949", "ks_c_5601": "cp949", "ksc5601": "cp949", "ks_c_5601-1989": "cp949",
    "ksc_5601": "cp949", "euc-kr": "cp949", "x-windows-949": "cp949", "windows-949": "cp949", "ms949": "cp949",
    "iso-8859-1": "cp1252", "latin1": "cp1252", "latin-1": "cp1252", "iso8859-1": "cp1252", "iso_8859-1": "cp1252",
    "l1": "cp1252", "ansi": "cp1252", "x-ansi": "cp1252", "ansi_x3.110-1983": "cp1252", "iso-ir-100": "cp1252",
    "iso-8859-9": "cp1254", "latin5": "cp1254", "iso-8859-11": "cp874", "tis-620": "cp874", "windows-874": "cp874",
    "iso-8859-8-i": "iso8859_8 cp1255", "iso-8859-8-e": "iso8859_8 cp1255", "iso-8859-8": "iso8859_8 cp1255",
    "logical": "iso8859_8", "visual": "iso8859_8",
    "iso-8859-6-i": "iso8859_6", "iso-8859-6-e": "iso8859_6", "koi8-ru": "koi8_u", "koi": "koi8_r", "koi8": "koi8_r",
    "x-mac-roman": "mac_roman", "x-mac-cyrillic": "mac_cyrillic", "x-mac-ukrainian": "mac_cyrillic",
    "x-mac-ce": "mac_latin2", "x-mac-centraleurroman": "mac_latin2", "x-mac-greek": "mac_greek",
    "x-mac-turkish": "mac_turkish", "x-mac-icelandic": "mac_iceland", "x-mac-japanese": "cp932",
    "unicode-1-1-utf-7": "utf_7", "x-unicode-2-0-utf-7": "utf_7", "unicode-1-1-utf-8": "utf_8", "utf8mb4": "utf_8",
    "utf8": "utf_8", "unicode": "utf_16", "ucs-2": "utf_16", "iso-10646-ucs-2": "utf_16", "hz-gb-2312": "hz",
}  # fmt: skip
_UNKNOWN = {
    "x-user-defined",
    "unknown-8bit",
    "x-unknown",
    "unknown",
    "default",
    "8bit",
    "us-ascii",
    "ascii",
    "binary",
}
_ISO_2022_JP = re.compile(r"_?iso-2022-jp|csiso2022jp|cp5022[0-9]|x-iso-2022-jp")
_MULTIBYTE = {
    "gb18030",
    "cp950",
    "big5hkscs",
    "cp932",
    "euc_jp",
    "cp949",
    "johab",
    "shift_jis_2004",
    "euc_jis_2004",
}
_SURELY_UTF_8 = 8  # characters: so many do not happen to be valid UTF-8 in a charset of two bytes


def decode(data: bytes, declared: str | None, others: Iterable[str | None] = ()) -> str:
    """Text in the charset `declared`, where that fits; else in UTF-8, in one of `others`, or in a guessed one.

    A few damaged bytes are replaced. Never raises.
    """
    if not data.translate(None, _ASCII) and b"\x1b" not in data and not _is_special(declared):
        return data.decode("ascii")
    text = _in_declared(data, declared)
    for charset in ("utf-8", *others):
        if text is None:
            text = _strictly(data, charset)
    if text is not None:
        return text
    names = codec_names(declared)
    if names and names[0] != "utf-8":
        text = data.decode(names[0], "replace")
        if text.count("\ufffd") * 10 <= max(10, sum(byte > 127 for byte in data[:65536])):
            return text
    try:
        return encoding.decode(data)
    except ExtractError:
        return data.decode("cp1252", "replace")


def codec_names(charset: str | None) -> list[str]:
    """The codecs for a charset, the most likely one first; empty for one that is unknown or says nothing."""
    name = "".join((charset or "").strip(" \t\"';,<>").lower().split())
    if not name or name in _UNKNOWN:
        return []
    names = _CODECS.get(name, _CODECS.get(name.removeprefix("x-"), name)).split()
    for each in (*names, re.sub(r"^cp-|^ibm-|^x-cp|^x-ibm|^ibm(?=\d)", "cp", name), name.removeprefix("x-")):
        try:
            found = codecs.lookup(each)
        except (LookupError, ValueError):
            continue
        if found._is_text_encoding and found.name not in ("idna", "punycode", "ascii", "undefined"):
            fallbacks = [codecs.lookup(other).name for other in names[1:]] if each in names else []
            return [found.name, *fallbacks]
    return ["iso2022_jp"] if _ISO_2022_JP.match(name) else []


_ASCII = bytes(range(128))


def _is_special(charset: str | None) -> bool:
    """Whether ASCII bytes may stand for something else in a charset."""
    name = (charset or "").lower()
    return any(
        each in name for each in ("utf-7", "utf-16", "utf-32", "ucs", "unicode", "hz", "2022", "037", "500")
    )


def _in_declared(data: bytes, declared: str | None) -> str | None:
    """Text in the declared charset, unless the bytes are UTF-8 in truth, or do not fit."""
    names = codec_names(declared)
    if mark := encoding.encoding_of_mark(data):
        names = [mark]
    if b"\x1b" in data and (not names or _ISO_2022_JP.match((declared or "").lower()) or names[0] == "utf-8"):
        return iso_2022_jp.decode(data)
    if not names:
        return None
    text = _strictly(data, mark or declared)
    if text is None or names[0].startswith(("utf", "iso2022", "iso-2022", "hz")):
        return text
    try:
        other = data.decode("utf-8")
    except UnicodeDecodeError:
        return text
    beyond_ascii = sum(character > "\x7f" for character in other[:10_000])
    return other if beyond_ascii and (names[0] not in _MULTIBYTE or beyond_ascii >= _SURELY_UTF_8) else text


def _strictly(data: bytes, charset: str | None) -> str | None:
    for name in codec_names(charset):
        if name == "utf-16" and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
            name = "utf-16-be" if data[::2].count(0) > data[1::2].count(0) else "utf-16-le"
        if name == "cp1252":
            # Windows reads the five bytes that cp1252 has no character for as control characters.
            return data.decode("cp1252", "replace") if data.isascii() else _windows_1252(data)
        try:
            return data.decode(name)
        except (UnicodeError, ValueError):
            continue
    return None


def _windows_1252(data: bytes) -> str:
    try:
        return data.decode("cp1252")
    except UnicodeDecodeError:
        return data.decode("latin-1")
