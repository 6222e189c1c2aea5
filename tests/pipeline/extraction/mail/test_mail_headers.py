"""Header fields: encoded words, parameters, addresses and dates, with the faults that senders make."""

from __future__ import annotations

import base64

import pytest

from pipeline.extraction.mail import headers


def _words(text: str, charset: str, size: int, between: bytes = b"\r\n ") -> bytes:
    data = text.encode(charset)
    return between.join(
        b"=?%s?B?%s?=" % (charset.encode(), base64.b64encode(data[at : at + size]))
        for at in range(0, len(data), size)
    )


@pytest.mark.parametrize("size", [1, 4, 5, 7])
@pytest.mark.parametrize("charset", ["utf-8", "gb2312", "big5", "shift_jis", "euc-kr"])
def test_characters_that_are_split_between_words_are_joined(charset: str, size: int) -> None:
    text = {"gb2312": "水泵检查", "big5": "檢查水泵", "shift_jis": "点検表", "euc-kr": "점검표"}.get(
        charset, "Prüfbögen"
    )
    assert headers.text(_words(text, charset, size)) == text
    assert headers.text(_words(text, charset, size, b" ")) == text
    assert headers.text(_words(text, charset, size, b"")) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b"=?utf-8?q?Gr=C3=BC=C3=9Fe?= vom =?utf-8?q?Gipfel?=", "Grüße vom Gipfel"),
        (b"=?ISO-8859-1?Q?Gr=FC_=E4?= =?UTF-8?B?w7w=?=", "Grü äü"),
        (b"=?utf-8*de?Q?Gr=C3=BC=C3=9Fe?=", "Grüße"),
        (b"=?utf-8?Q?Why? Because =E2=82=AC?=", "Why? Because €"),
        (b"=?utf-8?B?R3LDvMOfZQ?=", "Grüße"),
        (b"Re:=?utf-8?B?R3LDvMOfZQ==?=!", "Re:Grüße!"),
        (b"=?utf-8?X?abc?= stays", "=?utf-8?X?abc?= stays"),
        (b"=?iso-2022-jp?B?GyRCRnxLXBsoQg==?= =?iso-2022-jp?B?GyRCOGwbKEI=?=", "日本語"),
        ("Größe".encode(), "Größe"),
        (b"folded\t and   spaced", "folded and spaced"),
    ],
)
def test_the_words_of_a_field(value: bytes, text: str) -> None:
    assert headers.text(value) == text


def test_raw_bytes_are_in_the_charset_of_the_body() -> None:
    assert headers.text("Отчёт о насосе".encode("koi8-r"), "koi8-r") == "Отчёт о насосе"
    assert headers.text("水泵检查".encode("gb18030"), "gb2312") == "水泵检查"
    assert headers.text("Prüfung".encode(), "koi8-r") == "Prüfung"


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (b'attachment; filename="plan.txt"', "plan.txt"),
        (b"attachment; filename=my plan.txt; size=3", "my plan.txt"),
        (b"attachment; filename*=utf-8''Pr%C3%BCfung%20a.txt", "Prüfung a.txt"),
        (b"attachment; filename*=iso-8859-1'de'Pr%FCfung.txt", "Prüfung.txt"),
        (b"attachment; filename*0*=utf-8''Pr%C3; filename*1*=%BCfung; filename*2=.txt", "Prüfung.txt"),
        (b'attachment; filename*1="fung.txt"; filename*0="Pruef"', "Prueffung.txt"),
        (b'attachment; filename="=?utf-8?Q?Pr=C3=BCfung=2Etxt?="', "Prüfung.txt"),
        (b'attachment; filename="=?utf-8?B?UHLDvA==?=  =?utf-8?B?ZnVuZy50eHQ=?="', "Prüfung.txt"),
        (b'attachment; filename="a \\"b\\".txt"', 'a "b".txt'),
        (b'attachment; filename="a;b.txt"', "a;b.txt"),
        (b"attachment (saved); filename*0*=iso-2022-jp''%1B$B; filename*1*=F|K%5C%1B%28B.txt", "日本.txt"),
        (b'attachment; filename="open', "open"),
        ("attachment; filename=Prüfung.txt".encode("latin-1"), "Prüfung.txt"),
    ],
)
def test_a_file_name_in_every_way_of_writing_it(value: bytes, name: str) -> None:
    assert headers.parameters(value, "iso-8859-1")["filename"] == name


def test_names_lose_their_quotes_unless_they_have_a_comma() -> None:
    value = b'"Brandvold, Ilse" <i@a.example>, "Jonas" <j@a.example>, =?utf-8?q?J=C3=B6rg?= <g@a.example>'
    assert (
        headers.addresses(value) == '"Brandvold, Ilse" <i@a.example>, Jonas <j@a.example>, Jörg <g@a.example>'
    )


@pytest.mark.parametrize(
    ("value", "date"),
    [
        (b"Mon, 27 Jan 2025 09:12:00 +0100", "2025-01-27T09:12:00+01:00"),
        (b"27 Jan 2025 09:12 GMT", "2025-01-27T09:12:00+00:00"),
        (b"Mon, 27 Jan 2025 09:12:00 EST (comment)", "2025-01-27T09:12:00-05:00"),
        (b"Mon, 27 Jan 25 09:12:00 +0100", "2025-01-27T09:12:00+01:00"),
        (b"Mon Jan 27 09:12:00 2025", "2025-01-27T09:12:00"),
        (b"Mon, 27 January 2025 09:12:60 -0000", "2025-01-27T09:12:59+00:00"),
        (b"Mon (Monday), 27 Jan 2025 (a comment) 09 : 12 : 00 +0100", "2025-01-27T09:12:00+01:00"),
        (b"Mon,\r\n 27 Jan 2025 09:12:00 Z", "2025-01-27T09:12:00+00:00"),
        (b"2025-01-27T09:12:00Z", "2025-01-27T09:12:00+00:00"),
        (b"2025-01-27 09:12:00 +0530", "2025-01-27T09:12:00+05:30"),
        (b"27.01.2025 09:12", "2025-01-27T09:12:00"),
        (b"1/27/2025 09:12", "2025-01-27T09:12:00"),
        (b"Mon, 27 Jan 2025 09:12:00 +9900", "2025-01-27T09:12:00"),
        (b"Mon, 31 Feb 2025 09:12:00 +0100", None),
        (b"yesterday", None),
        (b"", None),
    ],
)
def test_dates_also_broken_ones(value: bytes, date: str | None) -> None:
    assert headers.date(value) == date
