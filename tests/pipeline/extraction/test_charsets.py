"""Charsets by the names that senders write, wrong and missing ones included."""

from __future__ import annotations

import pytest

from pipeline.extraction import charsets

_TEXTS = {
    "gb2312": ("gb18030", "阀门在泵房的朱镕后面"),
    "GBK": ("gbk", "阀门在泵房的后面"),
    "gb18030": ("gb18030", "阀门㐂在泵房"),
    "hz-gb-2312": ("hz", "阀门在泵房"),
    "big5": ("cp950", "閥門在泵房，價格€12，碁盤"),
    "Big5-HKSCS": ("big5hkscs", "閥門喺泵房嘅後面"),
    "shift_jis": ("cp932", "弁は①ポンプ室㈱の奥～"),
    "x-sjis": ("cp932", "弁はポンプ室の奥ｶﾅ"),
    "windows-31j": ("cp932", "弁は髙い棚"),
    "euc-jp": ("euc_jp", "弁はポンプ室の奥"),
    "iso-2022-jp": ("iso2022_jp", "弁はポンプ室の奥 (pump)"),
    "iso-2022-jp-2": ("iso2022_jp_2", "弁はポンプ室の奥"),
    "ISO-2022-JP-2004": ("iso2022_jp_2004", "弁はポンプ室の奥"),
    "ks_c_5601-1987": ("cp949", "밸브는 펌프실 뒤 똠방각하"),
    "euc-kr": ("euc_kr", "밸브는 펌프실 뒤"),
    "iso-2022-kr": ("iso2022_kr", "밸브는 펌프실 뒤"),
    "johab": ("johab", "밸브는 펌프실 뒤"),
    "iso-8859-1": ("cp1252", "Façade – “prêt” à 5 €"),
    "iso-8859-15": ("iso8859_15", "cœur à 5 €"),
    "windows-1250": ("cp1250", "Příliš žluťoučký kůň"),
    "iso-8859-2": ("iso8859_2", "Zażółć gęślą jaźń"),
    "windows-1251": ("cp1251", "Клапан за насосом"),
    "koi8-r": ("koi8_r", "Клапан за насосом"),
    "koi8-u": ("koi8_u", "Клапан і ґанок"),
    "iso-8859-5": ("iso8859_5", "Клапан за насосом"),
    "windows-1253": ("cp1253", "Η βαλβίδα"),
    "iso-8859-7": ("iso8859_7", "Η βαλβίδα"),
    "iso-8859-9": ("iso8859_9", "Vana ışığın ğ"),
    "iso-8859-8-i": ("iso8859_8", "השסתום מאחור"),
    "windows-1255": ("cp1255", "השסתום מאחור"),
    "windows-1256": ("cp1256", "الصمام خلف المضخة"),
    "iso-8859-6-i": ("iso8859_6", "الصمام"),
    "windows-1257": ("cp1257", "Vožtuvas už siurblio"),
    "windows-1258": ("cp1258", "Van đăng cơ ưu"),
    "tis-620": ("cp874", "วาล์วอยู่หลังปั๊ม"),
    "windows-874": ("cp874", "วาล์ว"),
    "x-mac-roman": ("mac_roman", "Façade “prêt”"),
    "macintosh": ("mac_roman", "Façade"),
    "cp-850": ("cp850", "Façade prêt"),
    "ibm437": ("cp437", "Façade"),
    "cp866": ("cp866", "Клапан"),
    "unicode-1-1-utf-7": ("utf_7", "Façade"),
    "utf-7": ("utf_7", "Ventil für Öl"),
    "utf-16": ("utf_16", "Façade"),
    "utf-16le": ("utf_16_le", "Façade"),
    "utf-16be": ("utf_16_be", "Façade"),
    "utf-32": ("utf_32", "Façade"),
    "hp-roman8": ("hp_roman8", "Façade"),
    "ptcp154": ("ptcp154", "Ұста"),
    "ansi_x3.110-1983": ("latin_1", "Façade"),
    " 'UTF-8' ": ("utf_8", "Façade"),
    "utf8": ("utf_8", "Façade"),
}


@pytest.mark.parametrize("declared", _TEXTS)
def test_a_declared_charset_is_read_under_the_names_it_has(declared: str) -> None:
    codec, text = _TEXTS[declared]
    assert charsets.decode(text.encode(codec), declared) == text


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_a_mark_is_read_in_the_order_of_its_bytes(codec: str) -> None:
    assert charsets.decode("A valve".encode(codec), "utf-16") == "A valve"


def test_japanese_signs_beyond_the_standard_are_read_in_its_escapes() -> None:
    """The circled one is row 13, column 1, which NEC added."""
    row_13 = b"\x1b$B\x2d\x21\x46\x7c\x1b(B-\x1b(I\x36\x45\x1b(B"
    assert charsets.decode(row_13, "iso-2022-jp") == "①日-ｶﾅ"
    assert charsets.decode(row_13, None) == "①日-ｶﾅ"
    assert charsets.decode(b"\x1b$BF|K\\\r\n8l\x1b(B", "iso-2022-jp") == "日本\r\n語"


@pytest.mark.parametrize(
    "declared", ["iso-8859-1", "us-ascii", "windows-1251", None, "x-unknown", "no-such-charset", "big5"]
)
def test_utf_8_under_another_name_is_read_as_utf_8(declared: str | None) -> None:
    text = "Öl für die Prüfung; über Größe, Ähre, Übung"
    assert charsets.decode(text.encode(), declared) == text


@pytest.mark.parametrize("declared", ["us-ascii", None, "x-user-defined", "utf-8", "unknown-8bit"])
def test_a_charset_that_does_not_fit_is_replaced_by_the_one_of_the_rest(declared: str | None) -> None:
    text = "Клапан стоит за насосом, и ключ висит рядом."
    assert charsets.decode(text.encode("koi8-r"), declared, ["koi8-r"]) == text


def test_a_damaged_byte_costs_one_character() -> None:
    data = "阀门在泵房的后面，钥匙在墙上。".encode("gb18030")
    assert charsets.decode(data[:-3] + b"\xff" + data[-2:], "gb2312").startswith("阀门在泵房的后面，钥匙在墙")
    assert charsets.decode("Prüfung ".encode() * 20 + b"\xff", "utf-8") == "Prüfung " * 20 + "\ufffd"


@pytest.mark.parametrize(
    "declared",
    [
        "hex",
        "rot13",
        "base64",
        "zip",
        "idna",
        "punycode",
        "undefined",
        "unicode_escape",
        "utf-8 begin:vcalendar",
    ],
)
def test_codecs_that_are_no_charsets_do_no_harm(declared: str) -> None:
    assert charsets.decode(b"61 valve \xc3\xbc", declared).endswith(("ü", "Ã¼"))
