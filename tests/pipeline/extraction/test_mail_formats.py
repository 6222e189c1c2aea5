"""Which files are messages, mailboxes, calendars and contacts, and which only look like that."""

from __future__ import annotations

import pytest
from support.mail import mail, read

from pipeline.extraction import formats

_HEADER = "Message-ID: <1@ridge.example>\nSubject: Mast\nMIME-Version: 1.0\n"
_MAIL = mail(_HEADER, "It fell.")
_MBOX = b"From ilse@ridge.example Mon Jan 27 09:12:00 2025\n" + _MAIL
_SERVER = (
    b"Return-Path: <a@b.example>\r\nReceived: from x\r\n\tby y; Mon, 27 Jan 2025 09:12:00 +0100\r\n" + _MAIL
)


@pytest.mark.parametrize(
    ("data", "suffix", "mime"),
    [
        (_MAIL, ".eml", "message/rfc822"),
        (_MAIL, ".ridge:2,s", "message/rfc822"),
        (_MAIL, ".localdomain", "message/rfc822"),
        (_MAIL, "", "message/rfc822"),
        (_SERVER, ".mai", "message/rfc822"),
        (_SERVER, ".txt", "message/rfc822"),
        (b"\xef\xbb\xbf" + _MAIL, "", "message/rfc822"),
        (_MAIL, ".msg", "message/rfc822"),
        (mail("Subject: no trace but a date", "x"), "", "message/rfc822"),
        (b"412\n" + _MAIL, ".emlx", "message/x-emlx"),
        (b"412       \n" + _MAIL, "", "message/x-emlx"),
        (_MBOX, "", "application/mbox"),
        (_MBOX, ".mbox", "application/mbox"),
        (_MBOX, ".sbd", "application/mbox"),
        (_MBOX, ".txt", "application/mbox"),
        (b"\r\n" + _MBOX, "", "application/mbox"),
        (b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n", "", "text/calendar"),
        (b"begin:vcard\nversion:2.1\n", "", "text/vcard"),
        (b"anything", ".ics", "text/calendar"),
        ("BEGIN:VCARD\n".encode("utf-16"), ".vcf", "text/vcard"),
        (_MAIL + bytes(500), ".eml", "message/rfc822"),
    ],
)
def test_messages_are_known_by_their_bytes(data: bytes, suffix: str, mime: str) -> None:
    assert formats.detect(data, suffix).mime == mime


@pytest.mark.parametrize(
    ("text", "suffix"),
    [
        (
            "From: The warden\nTo: All keepers\nSubject: Keys\nDate: Monday\n\nThe keys hang in the hall.\n",
            "",
        ),
        ("From: warden@ridge.example\nTo: all\nSubject: Keys\nDate: Monday\n\nThe keys.\n", ""),
        ("Subject: Keys\n\nThe keys hang in the hall.\n", ""),
        ("To: a@b.example\nNote: call him\nPlace: hall\n", ""),
        ("From here the path leads to the mast.\nMon Jan 27 09:12:00 2025\n", ""),
        ("From the start Mon Jan 27 09:12:00 2025 was cold.\n\nWords.\n", ""),
        ("Package: mast\nVersion: 1\nMaintainer: Ilse <i@ridge.example>\nDescription: x\n", ""),
        ("HTTP/1.1 200 OK\nContent-Type: text/html\nDate: Mon, 27 Jan 2025 09:12:00 GMT\n\n", ""),
        (_MAIL.decode(), ".md"),
        (_MAIL.decode(), ".log"),
        (
            "From 0123456789 Mon Sep 17 00:00:00 2001\nFrom: I <i@r.example>\nDate: x\nSubject: [PATCH]\n\n---\n",
            ".patch",
        ),
        ("Dear Ilse,\nFrom: a@b.example\nMessage-ID: <1@b>\nSubject: x\n", ""),
        ("42\nis the answer\n", ""),
    ],
)
def test_ordinary_texts_stay_texts(text: str, suffix: str) -> None:
    assert formats.detect(text.encode(), suffix).mime in ("text/plain", "text/markdown")


def test_a_message_of_apple_mail_ends_before_its_property_list() -> None:
    plist = b'<?xml version="1.0"?>\n<plist version="1.0"><dict><key>flags</key></dict></plist>\n'
    found = read(b"%d      \n%s%s" % (len(_MAIL), _MAIL, plist), "12.emlx")
    assert found.text.endswith("It fell.")
    assert found.title == "Mast"


def test_a_partial_message_of_apple_mail_says_so() -> None:
    part = b"Content-Type: application/pdf; name=map.pdf\r\nX-Apple-Content-Length: 4711\r\n\r\n"
    data = mail(
        'Content-Type: multipart/mixed; boundary="b"', b"--b\n\nThe map.\n--b\n" + part + b"\n--b--\n"
    )
    found = read(b"%d\n%s" % (len(data), data), "12.partial.emlx")
    assert found.text.endswith("The map.\n\n# Attachment: map.pdf")
    assert "keeps its attachments in other files" in found.warnings[0]
