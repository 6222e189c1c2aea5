"""FictionBook files: sections, notes, encodings, pictures."""

from __future__ import annotations

import pytest

from pipeline.extraction import formats
from pipeline.extraction.content import Content
from pipeline.extraction.readers.fictionbook import FictionBookReader

_BOOK = """<?xml version="1.0" encoding="{encoding}"?>
<FictionBook xmlns="http://www.gribuser.ru/xml/fictionbook/2.0" xmlns:l="http://www.w3.org/1999/xlink">
<description><title-info><genre>prose</genre><author><first-name>Анна</first-name>
<last-name>Вёсельная</last-name></author>
<book-title>Вода &amp; ветер</book-title><annotation><p>О лодках.</p></annotation>
<date value="1987-02-03">1987</date></title-info>
<document-info><author><nickname>scanner</nickname></author><program-used>Any tool</program-used>
</document-info></description>
<body><title><p>Вода</p><p>и ветер</p></title><epigraph><p>Плыви.</p><text-author>N</text-author></epigraph>
<section><title><p>Глава 1</p></title><p>Лодка<a l:href="#n1" type="note">1</a> <emphasis>тон</emphasis>ет.</p>
<section><title><p>Ночь</p></title><poem><stanza><v>Первая,</v><v>вторая.</v></stanza></poem><empty-line/>
<image l:href="#i.png" alt="карта"/><table><tr><th>a</th><th>b</th></tr><tr><td>1</td><td>2</td></tr></table>
</section></section></body>
<body name="notes"><title><p>Примечания</p></title><section id="n1"><title><p>1</p></title><p>Шлюпка.</p>
</section></body>
<binary id="i.png" content-type="image/png">iVBORw0KGgoAAAANSUhEUg</binary></FictionBook>"""
_TEXT = """О лодках.

# Вода и ветер

> Плыви.

> N

## Глава 1

Лодка[1] тонет.

### Ночь

Первая,
вторая.

карта

| a | b |
|---|---|
| 1 | 2 |

# Примечания

[1] Шлюпка."""


def _read(data: bytes, suffix: str = ".fb2") -> Content:
    detected = formats.detect(data, suffix)
    assert detected.mime == "application/x-fictionbook+xml"
    return FictionBookReader().read(data, detected)


@pytest.mark.parametrize("encoding", ["utf-8", "windows-1251", "koi8-r", "utf-16"])
def test_a_book_in_every_encoding(encoding: str) -> None:
    content = _read(_BOOK.format(encoding=encoding).encode(encoding))
    assert content.text == _TEXT
    assert (content.title, content.author, content.date) == ("Вода & ветер", "Анна Вёсельная", "1987-02-03")


def test_a_book_that_is_damaged_or_named_xml_is_read() -> None:
    data = _BOOK.format(encoding="utf-8").encode()
    assert "Глава 1" in _read(data[: data.index("Ночь".encode())], ".xml").text
    broken = data.replace(b"</emphasis>", b"").replace("Ночь".encode(), b"Night & day < dawn")
    assert "### Night & day < dawn" in _read(broken).text
