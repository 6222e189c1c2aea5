"""How the bodies of messages are encoded: flowed lines, quoted-printable, base64, uuencode, charsets."""

from __future__ import annotations

import base64
import binascii

from support.mail import body, mail, read


def test_flowed_lines_are_joined() -> None:
    text = "The lens \nis cracked.\n> quoted \n> words\n>> deeper\n\n From here\n-- \nIlse\n"
    assert body(mail("Content-Type: text/plain; format=flowed", text)) == (
        "The lens is cracked.\n> quoted words\n>> deeper\n\nFrom here\n--\nIlse"
    )
    japanese = "レンズが割 \nれました。\n"
    assert (
        body(mail("Content-Type: text/plain; charset=utf-8; format=Flowed; DelSp=Yes", japanese))
        == "レンズが割れました。"
    )


def test_quoted_printable_with_soft_breaks_and_faults() -> None:
    text = "The lens is cra=\ncked, 5 =E2=82=AC; a = b =ZZ =  \nend=\n"
    fields = "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: Quoted-Printable"
    assert body(mail(fields, text)) == "The lens is cracked, 5 €; a = b =ZZ end"


def test_base64_that_is_cut_off_or_has_a_footer() -> None:
    fields = "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64"
    whole = base64.b64encode("Die Linse hat einen Sprung, größer als gestern.".encode()).decode()
    assert body(mail(fields, whole[:-3])).startswith("Die Linse hat einen Sprung, größer als geste")
    assert body(mail(fields, whole + "\n_____\nlist mailing list at ridge\n")).endswith(
        "_____\nlist mailing list at ridge"
    )
    assert body(mail(fields, whole.rstrip("="))).endswith("gestern.")
    assert "Sprung" in body(mail(fields, whole[:30] + "\n!!\n" + whole[30:]))


def test_a_uuencoded_file_is_attached() -> None:
    lines = b"begin 644 log.txt\n" + binascii.b2a_uu(b"Encoded words.") + b"`\nend\n"
    assert (
        body(mail("", b"Before.\n" + lines + b"After.\n"))
        == "Before.\nAfter.\n\n# Attachment: log.txt\n\nEncoded words."
    )


def test_a_body_without_a_charset_has_that_of_a_word_in_the_header() -> None:
    word = base64.b64encode("Клапан".encode("koi8-r")).decode()
    data = mail(f"Subject: =?koi8-r?B?{word}?=", "Новый клапан".encode("koi8-r"))
    assert body(data) == "Новый клапан"
    assert "Formação" in read(mail("Subject: Formação no verão".encode("latin-1"), "x")).text
