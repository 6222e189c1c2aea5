"""The code pages of Windows and Macintosh fonts, which old Word and RTF files name by numbers. Pure."""

from __future__ import annotations

import codecs

SYMBOL_CHARSET = 2
_BY_CHARSET = {
    0: "cp1252", 77: "mac_roman", 78: "shift_jis", 79: "euc_kr", 80: "gb2312", 81: "big5", 83: "mac_greek",
    84: "mac_turkish", 85: "mac_greek", 86: "mac_turkish", 87: "iso8859_8", 89: "mac_cyrillic", 88: "mac_latin2",
    128: "cp932", 129: "cp949", 130: "johab", 134: "gbk", 136: "cp950", 161: "cp1253", 162: "cp1254", 163: "cp1258",
    177: "cp1255", 178: "cp1256", 179: "cp1256", 180: "cp1256", 181: "cp1255", 186: "cp1257", 204: "cp1251",
    222: "cp874", 238: "cp1250", 254: "cp437", 255: "cp850",
}  # fmt: skip
_BY_CODE_PAGE = {
    708: "iso8859_6", 709: "cp1256", 710: "cp1256", 711: "cp1256", 936: "gbk", 1361: "johab", 10000: "mac_roman",
    10001: "shift_jis", 10002: "big5", 10003: "euc_kr", 10006: "mac_greek", 10007: "mac_cyrillic", 10008: "gb2312",
    10029: "mac_latin2", 10079: "mac_iceland", 10081: "mac_turkish", 20866: "koi8_r", 21866: "koi8_u",
    28591: "iso8859_1", 28592: "iso8859_2", 28595: "iso8859_5", 51932: "euc_jp", 51949: "euc_kr", 54936: "gb18030",
    65000: "utf_7", 65001: "utf_8",
}  # fmt: skip
_LANGUAGES = {
    0x01: "cp1256", 0x02: "cp1251", 0x05: "cp1250", 0x08: "cp1253", 0x0D: "cp1255", 0x0E: "cp1250", 0x11: "cp932",
    0x12: "cp949", 0x15: "cp1250", 0x18: "cp1250", 0x19: "cp1251", 0x1A: "cp1250", 0x1B: "cp1250", 0x1E: "cp874",
    0x1F: "cp1254", 0x20: "cp1256", 0x22: "cp1251", 0x23: "cp1251", 0x24: "cp1250", 0x25: "cp1257", 0x26: "cp1257",
    0x27: "cp1257", 0x29: "cp1256", 0x2A: "cp1258", 0x2F: "cp1251",
}  # fmt: skip


def codec_of_charset(charset: int) -> str | None:
    """The codec of a font's charset; None for the default one, and for one that is not known."""
    return _BY_CHARSET.get(charset)


def codec_of_page(page: int) -> str | None:
    """The codec of a Windows code page, if Python has it."""
    for name in (_BY_CODE_PAGE.get(page), f"cp{page}"):
        if name:
            try:
                return codecs.lookup(name).name
            except LookupError:
                continue
    return None


def codec_of_language(language: int) -> str:
    """The codec that files in a language (a Windows LCID) used before Unicode."""
    if language & 0x3FF == 0x04:
        return "cp950" if language in (0x0404, 0x0C04, 0x1404) else "gbk"
    if language == 0x0C1A or language in (0x081A, 0x201A, 0x1C1A):
        return "cp1251" if language in (0x0C1A, 0x1C1A, 0x201A) else "cp1250"
    return _LANGUAGES.get(language & 0x3FF, "cp1252")


def decoded(data: bytes, codec: str) -> str:
    """Text of bytes; those that the code page lacks are read as Windows does, as control characters, and dropped."""
    try:
        return data.decode(codec)
    except UnicodeDecodeError:
        return data.decode(
            codec, "ignore" if codec in ("cp1252", "cp1253", "cp1255", "cp1257", "cp874") else "replace"
        )
