"""Charsets of short texts that declare none."""

from __future__ import annotations

import pytest

from pipeline.extraction import encoding, formats, utf_16
from pipeline.extraction.charset_guess import guess

_TEXTS = {
    "gb18030": ["阀门在泵房的后面，钥匙在墙上。", "会议改到星期三下午三点"],
    "cp950": ["閥門在泵房的後面，鑰匙在牆上。", "會議改到星期三下午三點"],
    "cp932": [
        "弁はポンプ室の奥にあります。",
        "お世話になっております。",
        "ﾃｽﾄです",
        "東京都港区芝公園の倉庫",
        "品名,在庫\nﾈｼﾞ,5\nﾎﾞﾙﾄ,7",
    ],
    "euc_jp": ["弁はポンプ室の奥にあります。", "会議は水曜日の三時からです", "請求書 株式会社山本商店"],
    "cp949": ["밸브는 펌프실 뒤에 있습니다.", "안녕하세요"],
    "cp1251": ["Клапан стоит за насосом.", "Привет", "ФИО АДРЕС ИВАНОВ МОСКВА"],
    "mac_roman": ["Die Straße ist für Größe nicht gebaut."],
    "cp850": ["Die Straße ist für Größe nicht gebaut."],
    "koi8_r": ["Клапан стоит за насосом.", "Привет"],
    "cp866": ["Клапан стоит за насосом, ключ висит рядом."],
    "cp1252": [
        "Die Tür ist geöffnet, die Größe stimmt.",
        "Réunion à trois heures",
        "El niño está aquí",
        "Der Öltank »Süd«",
    ],
    "cp1250": [
        "Schůzka je ve středu ve tři hodiny",
        "Braşov, Ştefan",
        "Žďár, Šťastný, Přehrada",
        "Spotkanie w środę o trzeciej po południu",
    ],
    "iso8859_2": ["Spotkanie w środę o trzeciej po południu"],
    "cp1253": ["Η βαλβίδα είναι πίσω από την αντλία"],
    "cp1254": ["Toplantı çarşamba günü saat üçte", "Işık Şahin, Kapı, Çağrı Öğüt"],
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


@pytest.mark.parametrize(
    "text",
    [
        "点検は水曜日、鍵は倉庫。\n",
        "Klíč leží ve skříni.\nDruhý v pokladně.\n",
        "Ключ лежит в шкафу.\n",
        "name,town\n李娜,北京\n",
    ],
)
@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
def test_utf_16_needs_no_mark(text: str, codec: str) -> None:
    data = (text * 100).encode(codec)
    assert formats.detect(data, ".txt").mime == "text/plain"
    assert encoding.decode(data) == text * 100


@pytest.mark.parametrize(
    "data",
    [
        b"\x01\x00\x02\x00" * 500,
        b"RIFF" + bytes(range(256)) * 8,
        "a\ufffe\ud7ff\u0600\u0900\u0e00\u1000\u1200".encode("utf-16-le") * 50,
        b"\0" * 4000,
    ],
)
def test_binary_data_is_no_utf_16(data: bytes) -> None:
    assert utf_16.unmarked(data) is None


def test_escapes_of_iso_2022_jp_are_read_and_those_of_a_terminal_are_not() -> None:
    text = "点検は水曜日、鍵は倉庫。\n"
    assert encoding.decode(text.encode("iso2022_jp")) == text
    assert encoding.decode(b"\x1b[31mred\x1b[0m (B costs $B") == "\x1b[31mred\x1b[0m (B costs $B"
