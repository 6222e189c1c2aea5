"""The text of e-mails: bodies, versions, parts, nested messages and reports."""

from __future__ import annotations

import base64

import pytest
from support.extracted import PNG
from support.mail import body, mail, multipart, nested, read

_PLAIN = "Content-Type: text/plain; charset=utf-8\n\n"
_BASE64 = "Content-Transfer-Encoding: base64\n\n"
_HTML = "Content-Type: text/html; charset=utf-8\n\n"


def _encoded(data: bytes) -> str:
    return base64.encodebytes(data).decode()


def test_the_header_stands_above_the_text_and_describes_the_document() -> None:
    found = read(
        mail(
            "Subject: Anemometer\nCc: =?utf-8?q?J=C3=B6rg?= <j@ridge.example>\nBcc: x@ridge.example",
            "It broke.\n",
        )
    )
    assert found.text == (
        "Subject: Anemometer\n\nFrom: Ilse Brandvold <ilse@ridge.example>\n\nTo: all@ridge.example\n\n"
        "Cc: Jörg <j@ridge.example>\n\nBcc: x@ridge.example\n\n"
        "Date: Mon, 27 Jan 2025 09:12:00 +0100\n\nIt broke."
    )
    assert (found.title, found.author) == ("Anemometer", "Ilse Brandvold <ilse@ridge.example>")
    assert found.date == "2025-01-27T09:12:00+01:00"


def test_a_message_without_a_date_has_that_of_the_last_server() -> None:
    data = b"Received: from a by b; Tue, 28 Jan 2025 10:00:00 +0000\nSender: robot@ridge.example\nSubject: x\n\ny"
    found = read(data)
    assert (found.date, found.author) == ("2025-01-28T10:00:00+00:00", "robot@ridge.example")


def test_cells_blocks_and_line_breaks_of_a_page_are_apart() -> None:
    page = (
        "<table><tr><td>Mast</td><td>north</td></tr><tr><td>Gust</td><td>178</td></tr></table>"
        "<p>Yours,<br>Ilse</p><ul><li>rope</li><li>tape</li></ul><div>one</div><div>two</div>"
    )
    text = body(mail("Content-Type: text/html; charset=utf-8", page))
    assert "| Mast | north |" in text
    assert "| Gust | 178 |" in text
    assert "Yours,\nIlse" in text
    assert "- rope\n- tape" in text
    assert "one\n\ntwo" in text or "one\ntwo" in text


@pytest.mark.parametrize(
    "declared", ["text/html", "text/html; charset=us-ascii", 'text/html; charset="x-unknown"']
)
def test_a_charset_that_only_the_page_declares(declared: str) -> None:
    page = '<html><head><meta http-equiv="Content-Type" content="text/html; charset=koi8-r"></head><p>Клапан</p></html>'
    assert (
        body(
            mail(f"Content-Type: {declared}", b"").replace(
                b"\r\n\r\n", b"\r\n\r\n" + page.encode("koi8-r"), 1
            )
        )
        == "Клапан"
    )


def test_the_charset_of_the_field_is_stronger_than_that_of_the_page() -> None:
    page = '<meta charset="utf-8"><p>Größe</p>'.encode("cp1252")
    assert body(mail("Content-Type: text/html; charset=windows-1252", page)) == "Größe"


@pytest.mark.parametrize(
    ("plain", "page", "chosen"),
    [
        ("  \n", "<p>The lens is cracked.</p>", "The lens is cracked."),
        ("The lens is cracked.", "<p>&nbsp;</p>", "The lens is cracked."),
        ("The lens is cracked.", '<img src="cid:1">', "The lens is cracked."),
        (
            "Your mail client cannot display HTML. Open it here: https://x.example/a/b",
            "<p>Lens cracked.</p>",
            "Lens cracked.",
        ),
        (
            "Diese Nachricht können Sie im Browser lesen: https://x.example",
            "<p>Linse kaputt.</p>",
            "Linse kaputt.",
        ),
        ("Si ce message ne s'affiche pas, ouvrez la version en ligne.", "<p>Lentille.</p>", "Lentille."),
        ("このメールはブラウザでご覧ください。", "<p>レンズ</p>", "レンズ"),
        (
            "The lens is cracked, and the spare is in the loft.",
            "<p>View this e-mail in your browser</p>",
            None,
        ),
        (
            "The lens is cracked.",
            "<p>The <b>lens</b> is cracked.</p><ul><li>spare: loft</li></ul>",
            "The lens is cracked.\n\n- spare: loft",
        ),
        (
            "The lens is cracked. The spare is in the loft, left of the ladder.",
            "<p>The lens is cracked.</p>",
            None,
        ),
        ("Link: https://x.example/very/long?with=words", "<p>Link</p>", "Link"),
    ],
)
def test_the_better_version_is_read(plain: str, page: str, chosen: str | None) -> None:
    for parts in ((_PLAIN + plain, _HTML + page), (_HTML + page, _PLAIN + plain)):
        assert body(mail(*multipart("alternative", *parts))).strip() == (chosen or plain)


def test_pictures_of_a_page_are_out_and_other_files_are_attached() -> None:
    picture = f"Content-Type: image/png; name=logo.png\nContent-ID: <1>\n{_BASE64}{_encoded(PNG)}"
    sheet = (
        "Content-Type: text/csv; name=gusts.csv\nContent-Disposition: attachment\n\nmast,gust\nnorth,178\n"
    )
    related = nested("related", _HTML + '<p>Gusts: <img src="cid:1"></p>', picture, sheet, boundary="in")
    text = body(mail(*multipart("alternative", _PLAIN + "Gusts:", related)))
    assert text.startswith("Gusts:\n\n# Attachment: gusts.csv")
    assert "178" in text
    assert "logo" not in text


def test_a_page_that_is_not_the_first_part_of_related_ones() -> None:
    picture = "Content-Type: image/png\nContent-ID: <1>\n\nx"
    page = "Content-ID: <root>\n" + _HTML + "<p>The lens.</p>"
    assert body(mail(*multipart("related", picture, page))) == "The lens."


def test_text_between_pictures_stays_in_order_and_named_text_is_attached() -> None:
    picture = f"Content-Type: image/jpeg; name=a.jpg\n{_BASE64}{_encoded(PNG)}"
    named = "Content-Type: text/plain; name=log.txt\nContent-Disposition: inline\n\nNamed words."
    text = body(mail(*multipart("mixed", _PLAIN + "Before.", picture, _PLAIN + "After.", named)))
    assert text == "Before.\n\nAfter.\n\n# Attachment: a.jpg\n\n# Attachment: log.txt\n\nNamed words."


def test_messages_inside_messages_with_their_own_attachments() -> None:
    deep = nested(
        "mixed",
        _PLAIN + "Deep words.",
        "Content-Type: text/csv; name=d.csv\n\na,b\n1,deepest\n",
        boundary="deep",
    )
    inner = b"Content-Type: message/rfc822\n\nFrom: a@b.example\nSubject: =?utf-8?q?=C3=9Cber?=\n" + deep
    coded = "Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n" + _encoded(
        b"Subject: Coded\n\nCoded words."
    )
    text = body(mail(*multipart("mixed", _PLAIN + "See below.", inner, coded)))
    assert "See below.\n\n# Attachment: Über\n\nSubject: Über\n\nFrom: a@b.example\n\nDeep words." in text
    assert "\n\n## Attachment: d.csv\n\n" in text
    assert "deepest" in text
    assert "# Attachment: Coded\n\nSubject: Coded\n\nCoded words." in text


def test_comments_in_fields_and_messages_with_a_transfer_encoding() -> None:
    fields = "Content-Type: text/plain (a letter); charset=utf-8\nContent-Transfer-Encoding: base64 (for old servers)"
    assert body(mail(fields, _encoded("Größe".encode()))) == "Größe"
    coded = _encoded("Subject: Größe\n\nInner.".encode())
    inner = f"Content-Type: message/global\n{_BASE64}{coded}"
    assert "# Attachment: Größe\n\nSubject: Größe\n\nInner." in body(mail(*multipart("mixed", inner)))


def test_the_messages_of_a_digest_need_no_type() -> None:
    text = body(mail(*multipart("digest", "\nSubject: One\n\nFirst.", "\nSubject: Two\n\nSecond.")))
    assert (
        text == "# Attachment: One\n\nSubject: One\n\nFirst.\n\n# Attachment: Two\n\nSubject: Two\n\nSecond."
    )


def test_a_delivery_report_is_readable() -> None:
    fields = "Reporting-MTA: dns; mx\n\nDiagnostic-Code: smtp; 550\n  no such user\n"
    status = f"Content-Type: message/delivery-status\n\n{fields}"
    original = "Content-Type: text/rfc822-headers\n\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\nReceived: x\n"
    text = body(mail(*multipart("report", _PLAIN + "Sorry.", status, original)))
    assert (
        text
        == "Sorry.\n\nReporting-MTA: dns; mx\n\nDiagnostic-Code: smtp; 550 no such user\n\nSubject: Grüße"
    )


def test_an_invitation_is_part_of_the_text_once() -> None:
    event = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:Mast repair\nDTSTART:20250203T090000Z\nEND:VEVENT\nEND:VCALENDAR"
    inline = f"Content-Type: text/calendar; charset=utf-8; method=REQUEST\n\n{event}"
    file = f"Content-Type: application/ics; name=invite.ics\nContent-Disposition: attachment\n\n{event}"
    versions = nested(
        "alternative", _PLAIN + "Please come.", _HTML + "<p>Please come.</p>", inline, boundary="in"
    )
    text = body(mail(*multipart("mixed", versions, file)))
    assert text == "Please come.\n\n# Mast repair\n\nWhen: Monday, 2025-02-03 09:00 UTC"


def test_signatures_are_out_and_encrypted_messages_have_a_warning() -> None:
    signed = (
        "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\nThe lens.\n- --\n\n-----BEGIN PGP SIGNATURE-----\n\n"
        "iQEzBAEB\n=abcd\n-----END PGP SIGNATURE-----\nList footer.\n"
    )
    assert body(mail("", signed)) == "The lens.\n--\n\nList footer."
    armoured = "-----BEGIN PGP MESSAGE-----\n\nhQEMA\n=abcd\n-----END PGP MESSAGE-----\n"
    found = read(mail("Subject: x", armoured))
    assert "hQEMA" not in found.text
    assert found.warnings == ("The message is encrypted; only its header is read.",)
    assert read(mail("Subject: x", "In clear.\n" + armoured)).warnings == (
        "A part of the message is encrypted and not read.",
    )
    parts = (
        "Content-Type: application/pgp-encrypted\n\nVersion: 1",
        "Content-Type: application/octet-stream\n\nhQEMA",
    )
    found = read(mail(*multipart("encrypted", *parts)))
    assert "hQEMA" not in found.text
    assert found.warnings == ("The message is encrypted; only its header is read.",)


def test_parts_without_a_boundary_or_an_end_are_found() -> None:
    fields, parts = multipart("mixed", _PLAIN + "One.", _PLAIN + "Two.")
    assert body(mail(fields.partition("; boundary")[0], parts)) == "One.\n\nTwo."
    assert body(mail(fields, parts.partition(b"--=_edge--")[0])) == "One.\n\nTwo."
    assert body(mail(fields, b"No delimiter at all.")) == "No delimiter at all."


def test_deep_nesting_and_many_parts_end_quickly() -> None:
    nesting = "".join(f'Content-Type: multipart/mixed; boundary="b{n}"\n\n--b{n}\n' for n in range(2000))
    assert "deep" in read(mail("Subject: deep\n" + nesting.rstrip(), "x")).text
    messages = "Content-Type: message/rfc822\n\n" * 3000
    assert "deep" in read(mail("Subject: deep\n" + messages.rstrip(), "x")).text
    assert (
        "many"
        in read(
            mail(*multipart("mixed", *[_PLAIN] * 3_000, "Subject: z\n\nx")).replace(
                b"From", b"Subject: many\r\nFrom", 1
            )
        ).text
    )
    assert read(mail("Subject: " + "=?utf-8?q?a" * 10_000, "x")).text


def test_a_heading_in_plain_text_is_none() -> None:
    assert body(mail("", "# not a heading\ntext\n---\n")) == "\\# not a heading\ntext\n\\---"


def test_a_line_of_spaces_in_a_header_does_not_end_it() -> None:
    found = read(mail("Subject: Re:\n \n\tthe mast\nX-Long: a", "Words."))
    assert found.title == "Re: the mast"
    assert body(mail("Subject: x\n  ", "Words.")) == "Words."


def test_bodies_in_unusual_places() -> None:
    assert (
        body(mail("Content-Type: text/plain\nContent-Disposition: attachment; filename=body.txt", "Words."))
        == "Words."
    )
    assert (
        body(mail("Content-Type: text/plain", "<html><body><p>A</p><p>page</p></body></html>")) == "A\n\npage"
    )
    assert (
        body(mail(*multipart("mixed", _PLAIN + "The lens.", _HTML + "<p>The <b>lens</b>.</p>")))
        == "The lens."
    )
    file = "Content-Type: text/csv; name=a.csv\nContent-Disposition: inline\n\na\nnorth\n"
    apple = nested("mixed", _HTML + "<p>One.</p>", file, _HTML + "<p>Two.</p>", boundary="in")
    text = body(mail(*multipart("alternative", _PLAIN + "One. Two.", apple)))
    assert text.startswith("One.\n\nTwo.\n\n# Attachment: a.csv")


@pytest.mark.parametrize(
    ("above", "line_end"), [(b"\r\n\r\n", b"\r\n"), (b"\n", b"\n"), (b"", b"\r"), (b"\r", b"\r")]
)
def test_blank_lines_above_the_header_and_old_line_ends(above: bytes, line_end: bytes) -> None:
    found = read(above + mail("Subject: The slipway", "It is closed.\n").replace(b"\r\n", line_end))
    assert (found.title, found.author) == ("The slipway", "Ilse Brandvold <ilse@ridge.example>")
    assert found.text.endswith("\n\nIt is closed.")
