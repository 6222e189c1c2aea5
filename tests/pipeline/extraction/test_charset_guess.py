"""Charsets of short texts that declare none."""

from __future__ import annotations

import pytest

from pipeline.extraction import encoding
from pipeline.extraction.charset_guess import guess

_TEXTS = {
    "gb18030": ["阀门在泵房的后面，钥匙在墙上。", "会议改到星期三下午三点"],
    "cp950": ["閥門在泵房的後面，鑰匙在牆上。", "會議改到星期三下午三點"],
    "cp932": ["弁はポンプ室の奥にあります。", "お世話になっております。", "ﾃｽﾄです"],
    "euc_jp": ["弁はポンプ室の奥にあります。", "会議は水曜日の三時からです"],
    "cp949": ["밸브는 펌프실 뒤에 있습니다.", "안녕하세요"],
    "cp1251": ["Клапан стоит за насосом.", "Привет"],
    "koi8_r": ["Клапан стоит за насосом.", "Привет"],
    "cp866": ["Клапан стоит за насосом, ключ висит рядом."],
    "cp1252": [
        "Die Tür ist geöffnet, die Größe stimmt.",
        "Réunion à trois heures",
        "El niño está aquí",
        "Der Öltank »Süd«",
    ],
    "cp1250": ["Schůzka je ve středu ve tři hodiny", "Spotkanie w środę o trzeciej po południu"],
    "iso8859_2": ["Spotkanie w środę o trzeciej po południu"],
    "cp1253": ["Η βαλβίδα είναι πίσω από την αντλία"],
    "cp1254": ["Toplantı çarşamba günü saat üçte"],
    "cp1255": ["השסתום נמצא מאחורי המשאבה"],
    "cp1256": ["الصمام خلف المضخة والمفتاح على الجدار"],
    "cp874": ["วาล์วอยู่หลังปั๊มน้ำ กุญแจแขวนอยู่บนผนัง"],
}


@pytest.mark.parametrize("codec", _TEXTS)
def test_short_texts_are_read_in_their_charset(codec: str) -> None:
    for text in _TEXTS[codec]:
        for around in ("{}", "Dear all, please note: {} Best regards, Ilse", "{}\r\n" * 400):
            whole = around.format(*[text] * 400)
            assert encoding.decode(whole.encode(codec)) == whole


@pytest.mark.parametrize("data", [b"", b"plain words", b"\xff", bytes(range(128, 256)) * 40])
def test_what_is_no_text_has_no_charset(data: bytes) -> None:
    assert guess(data) is None


def test_the_time_does_not_grow_with_the_text() -> None:
    data = "Клапан стоит за насосом. ".encode("koi8_r") * 400_000
    assert guess(data) == "koi8_r"
    assert guess(b"a" * 10_000_000 + data) == "koi8_r"
