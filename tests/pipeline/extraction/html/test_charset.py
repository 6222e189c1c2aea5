"""The encoding of a page: mark, declaration, guess."""

from __future__ import annotations

import pytest

from pipeline.extraction.html import charset

_SENTENCE = "Über die Brücke führt ein Weg; größere Wagen müssen außen herum. "


@pytest.mark.parametrize(
    ("head", "encoding", "text"),
    [
        ("<meta charset=windows-1251>", "cp1251", "Лодка стоит у причала"),
        (
            "<meta http-equiv=Content-Type content='text/html; charset=Shift_JIS'>",
            "cp932",
            "船は港にあります①",
        ),
        ("<meta charset='gb2312'>", "gb18030", "渡船明天停開"),
        ("<meta charset=iso-8859-1>", "cp1252", "“quoted” – 5 €"),
        ("<?xml version='1.0' encoding='koi8-r'?>", "koi8-r", "Лодка"),
        ("<!-- <meta charset=koi8-r> --><meta charset=iso-8859-2>", "iso8859-2", "Łódź i żagiel"),
        ("<meta charset=iso-8859-1>", "utf-8", "declared wrongly: Łódź"),
        ("<meta charset=utf-16>", "utf-8", "Łódź"),
        ("<meta charset=no-such-thing>", "utf-8", "Łódź"),
        ("", "cp1252", "one “word” only"),
        ("", "cp1252", "£5 ©2024 café"),
        ("", "cp932", "貯水池の水門"),
        ("", "gb18030", "会议改到三点"),
        ("", "cp949", "안녕하세요"),
        ("", "cp1252", _SENTENCE * 20),
    ],
)
def test_a_page_is_decoded_as_browsers_do(head: str, encoding: str, text: str) -> None:
    assert charset.decode(f"{head}<p>{text}</p>".encode(encoding)) == f"{head}<p>{text}</p>"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_marks_and_sixteen_bits_come_before_declarations(encoding: str) -> None:
    page = "<html><meta charset=koi8-r><p>Łódź</p></html>"
    assert charset.decode(page.encode(encoding)) == page


def test_an_outer_label_comes_before_the_declaration() -> None:
    page = "<meta charset=utf-8><p>Лодка</p>"
    assert charset.decode(page.encode("cp1251"), "Windows-1251") == page
    assert charset.decode(page.encode(), "nonsense") == page
