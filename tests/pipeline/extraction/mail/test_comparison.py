"""The choice between the plain text and the page of a message."""

from __future__ import annotations

import pytest

from pipeline.extraction.mail.comparison import better_is_page

_LETTER = (
    "The north mast was torn off at two in the morning, and the spare one arrives in March by the cable car. "
)


@pytest.mark.parametrize(
    "stub",
    [
        "Please enable HTML to view this message.",
        "If you have trouble viewing this e-mail, click here.",
        "This is a multi-part message in MIME format, which your mail reader does not understand.",
        "View online: https://news.example/a?b=c",
        "Ihr E-Mail-Programm kann diese Nachricht nicht anzeigen.",
        "Zur Online-Version",
        "Votre logiciel de messagerie ne prend pas en charge ce format.",
        "Su programa de correo no muestra este mensaje.",
        "Il tuo client di posta non supporta questo formato.",
        "Ваш браузер не поддерживает это письмо.",
        "请使用浏览器查看此邮件",
        "브라우저에서 보기",
    ],
)
def test_a_request_to_open_something_else_never_wins(stub: str) -> None:
    for letter in ("The mast fell.", _LETTER):
        assert better_is_page(stub, letter)
        assert not better_is_page(letter, stub)


def test_a_stub_above_the_letter_does_not_count() -> None:
    assert not better_is_page(
        _LETTER * 2 + "One more thing: bring the brass key.", "View in browser. " + _LETTER
    )
    assert better_is_page("View in browser.\n\n" + _LETTER, _LETTER)


def test_the_one_with_more_content_wins_and_the_page_if_both_say_the_same() -> None:
    assert better_is_page(_LETTER, _LETTER)
    assert better_is_page(_LETTER, _LETTER + "And the price is 470.")
    assert not better_is_page(_LETTER + "The price is 470 a piece; order soon.", _LETTER)
    assert better_is_page("鍵は管理人室にあります。", "鍵は管理人室の引き出しにあります。")


def test_addresses_of_links_are_no_content() -> None:
    assert better_is_page(
        f"{_LETTER} https://a.example/one/two?three=four&five=six mailto:seven@eight.example", _LETTER
    )


def test_texts_about_browsers_are_texts() -> None:
    letter = "The browser shows the map. " * 3 + _LETTER
    assert better_is_page(letter, letter)
    assert not better_is_page(letter, "")
    assert better_is_page("", "The browser shows the map.")
