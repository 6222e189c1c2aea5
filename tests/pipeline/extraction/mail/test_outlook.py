"""Outlook's messages: `.msg` files and winmail.dat, with properties in Unicode and in code pages."""

from __future__ import annotations

import base64
import struct

import pytest
from support.compound import Outlook
from support.extracted import PNG
from support.mail import body, mail, multipart, read

from pipeline.extraction.content import ExtractError
from pipeline.extraction.mail import outlook_rtf

_SUBJECT, _BODY, _HTML, _RTF, _NAME, _SMTP = 0x37, 0x1000, 0x1013, 0x1009, 0x0C1A, 0x5D01
_TO = [
    {0x3001: "Jörg", 0x39FE: "j@ridge.example", 0x0C15: 1},
    {0x3001: "Anna", 0x3003: "/o=Ridge/cn=anna", 0x0C15: 2},
]
_PAGE = (
    rb"{\rtf1\ansi\ansicpg1251\fromhtml1 \deff0{\fonttbl{\f0\fswiss Arial;}{\f1\fmodern\fcharset238 Courier;}}"
    rb"{\*\generator x;}{\*\htmltag64 <table><tr><td>}\htmlrtf {\htmlrtf0 \'ca\'eb\'e0\'ef\'e0\'ed"
    rb"{\*\htmltag148 </td>}{\*\htmltag148 <td>}\f1 \'9aiji \f0\u8364 ?{\*\htmltag84 &nbsp;}5\u-10179 ?\u-8704 ?"
    rb"\htmlrtf \par}\htmlrtf0 {\*\htmltag72 </td></tr></table>}}"
)


def _stored(rtf: bytes) -> bytearray:
    return bytearray(struct.pack("<LL4sL", len(rtf) + 12, len(rtf), b"MELA", 0) + rtf)


def test_a_message_with_its_people_and_files() -> None:
    inner = Outlook(
        {_SUBJECT: "Inner", _BODY: "Inner words."},
        files=[({0x3707: "deep.csv", 0x3701: bytearray(b"a\ndeepest\n")}, None)],
    )
    files = [
        ({0x3707: "log.txt", 0x3701: bytearray(b"Attached words. " * 400)}, None),
        ({0x3001: "Inner"}, inner),
        ({0x3707: "logo.png", 0x3712: "cid", 0x3701: bytearray(PNG)}, None),
        ({0x3704: "photo.png", 0x3701: bytearray(PNG)}, None),
    ]
    properties = {
        _SUBJECT: "Größe",
        _NAME: "Ilse",
        _SMTP: "i@ridge.example",
        0x39: 133_800_000_000_000_000,
        _BODY: "The mast.\r\nIt fell.",
    }
    found = read(Outlook(properties, _TO, files).file(), "a.msg")
    assert found.text.startswith(
        "Subject: Größe\n\nFrom: Ilse <i@ridge.example>\n\nTo: Jörg <j@ridge.example>\n\nCc: Anna\n\n"
        "Date: 2024-12-30T02:40:00+00:00\n\nThe mast.\nIt fell.\n\n# Attachment: log.txt\n\nAttached words."
    )
    assert (
        "# Attachment: Inner\n\nSubject: Inner\n\nInner words.\n\n## Attachment: deep.csv\n\n" in found.text
    )
    assert "deepest" in found.text
    assert "logo" not in found.text
    assert found.text.endswith("# Attachment: photo.png")
    assert (found.title, found.author, found.date) == (
        "Größe",
        "Ilse <i@ridge.example>",
        "2024-12-30T02:40:00+00:00",
    )
    assert found.warnings == ("Text in pictures of the attachment photo.png is not read.",)


@pytest.mark.parametrize(
    ("page", "codec", "text"),
    [
        (1251, "cp1251", "Клапан"),
        (932, "cp932", "弁①"),
        (936, "gb18030", "阀门"),
        (949, "cp949", "밸브"),
        (65001, "utf-8", "Größe"),
        (20866, "koi8-r", "Клапан"),
        (28592, "iso8859-2", "Žluť"),
    ],
)
def test_8_bit_texts_are_in_the_code_page_of_the_message(page: int, codec: str, text: str) -> None:
    properties = {_SUBJECT: text.encode(codec), _BODY: text.encode(codec), 0x3FFD: page}
    files = [({0x3707: f"{text}.txt".encode(codec), 0x3701: bytearray(b"x")}, None)]
    found = read(Outlook(properties, files=files).file(), "a.msg")
    assert found.title == text
    assert f"\n\n{text}\n\n# Attachment: {text}.txt" in found.text


def test_the_page_is_read_where_it_says_more() -> None:
    page = bytearray(
        "<p>Größe</p><table><tr><td>a</td><td>b</td></tr><tr><td>c</td><td>d</td></tr></table>".encode(
            "cp1252"
        )
    )
    text = read(Outlook({_SUBJECT: "x", _BODY: "", _HTML: page, 0x3FDE: 28591}).file(), "a.msg").text
    assert "Größe" in text
    assert "| a | b |" in text
    text = read(
        Outlook({_BODY: "The whole letter in words.", _HTML: bytearray(b"<p>Letter</p>")}).file(), "a.msg"
    ).text
    assert text == "The whole letter in words."


def test_the_page_in_an_rtf_body() -> None:
    text = read(Outlook({_SUBJECT: "x", _RTF: _stored(_PAGE)}).file(), "a.msg").text
    assert "Клапан\nšiji €\u00a05😀".replace("\u00a0", " ") in text.replace("\u00a0", " ")


def test_an_rtf_body_without_a_page() -> None:
    head = rb"{\rtf1\ansi\ansicpg1252{\fonttbl{\f0 Arial;}}{\*\x hidden}{\info{\title t}}"
    rtf = head + rb"Gr\'f6\'dfe\par second\tab cell\par}"
    assert read(Outlook({_SUBJECT: "x", _RTF: _stored(rtf)}).file(), "a.msg").text.endswith(
        "Größe\nsecond\tcell"
    )


def test_compressed_rtf_is_unpacked() -> None:
    """The example of the format's specification (MS-OXRTFCP, 4.1)."""
    example = bytes.fromhex(
        "2d0000002b0000004c5a4675f1c5c7a703000a007263706731323542320af32068656c090020627705b06c647d0a800fa0"
    )
    assert outlook_rtf.unpacked(example) == b"{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n"
    for damaged in (example[:10], b"", bytes(40)):
        with pytest.raises(ValueError, match=r"cut off|not compressed"):
            outlook_rtf.unpacked(damaged)


def test_a_damaged_message_is_refused() -> None:
    data = Outlook({_SUBJECT: "x", _BODY: "words " * 3000}).file()
    for damaged in (data[:600], data[:512] + bytes(4000), data[:8] + b"\xff" * 3000):
        with pytest.raises(ExtractError) as refused:
            read(damaged, "a.msg")
        assert refused.value.category in ("corrupt", "empty")


def _attribute(level: int, kind: int, value: bytes) -> bytes:
    return struct.pack("<BHHL", level, kind, 6, len(value)) + value + struct.pack("<H", sum(value) & 0xFFFF)


def _property(kind: int, key: int, value: bytes) -> bytes:
    return struct.pack("<HHLL", kind, key, 1, len(value)) + value + bytes(-len(value) % 4)


def _winmail(*, charset: int = 1252) -> bytes:
    html = "<p>Größe im Anhang</p>".encode("cp1252")
    message = struct.pack("<L", 2) + _property(0x102, _HTML, html) + struct.pack("<HHL", 3, 0x3FDE, 28591)
    long_name = struct.pack("<L", 1) + _property(0x1F, 0x3707, "Übersicht.txt\0".encode("utf-16-le"))
    return (
        struct.pack("<LH", 0x223E9F78, 1)
        + _attribute(1, 0x9007, struct.pack("<LL", charset, 0))
        + _attribute(1, 0x8004, b"Subject\0")
        + _attribute(1, 0x9003, message)
        + _attribute(2, 0x9002, bytes(14))
        + _attribute(2, 0x8010, b"UEBERS~1.TXT\0")
        + _attribute(2, 0x800F, b"Words of the file.")
        + _attribute(2, 0x9005, long_name)
        + _attribute(2, 0x9002, bytes(14))
        + _attribute(2, 0x8010, "Maß.csv\0".encode("cp1252"))
        + _attribute(2, 0x800F, b"a,b\n1,celled\n")
    )


def test_the_files_of_winmail_dat_are_attached() -> None:
    part = "Content-Type: application/ms-tnef; name=winmail.dat\nContent-Transfer-Encoding: base64\n\n"
    coded = part + base64.encodebytes(_winmail()).decode()
    text = body(mail(*multipart("mixed", "\n\n", coded)))
    assert text.startswith(
        "Größe im Anhang\n\n# Attachment: Übersicht.txt\n\nWords of the file.\n\n# Attachment: Maß.csv\n\n"
    )
    assert "celled" in text
    assert "winmail" not in text
    text = body(mail(*multipart("mixed", "\nGröße im Anhang", coded)))
    assert text.count("Größe im Anhang") == 1


@pytest.mark.parametrize("data", [_winmail()[:100], b"no TNEF", _winmail()[:-30], b""])
def test_a_damaged_winmail_dat_has_a_warning(data: bytes) -> None:
    part = "Content-Type: application/ms-tnef; name=winmail.dat\nContent-Transfer-Encoding: base64\n\n"
    found = read(mail(*multipart("mixed", "\nWords.", part + base64.encodebytes(data).decode())))
    assert found.text.endswith("Words.\n\n# Attachment: winmail.dat")
    assert found.warnings[0] == "Outlook's winmail.dat is damaged; its files are not read."


def test_a_signed_message_is_read() -> None:
    inner = (
        b'MIME-Version: 1.0\r\nContent-Type: multipart/signed; boundary="s"\r\n\r\n--s\r\n'
        b"Content-Type: text/plain\r\n\r\nSigned words.\r\n--s\r\n"
        b"Content-Type: application/pkcs7-signature; name=smime.p7s\r\n\r\nMIIA\r\n--s--\r\n"
    )
    files = [({0x3707: "smime.p7m", 0x370E: "multipart/signed", 0x3701: bytearray(inner)}, None)]
    found = read(
        Outlook({0x1A: "IPM.Note.SMIME.MultipartSigned", _SUBJECT: "x"}, files=files).file(), "a.msg"
    )
    assert (found.text, found.warnings) == ("Subject: x\n\nSigned words.", ())
    files = [({0x3707: "smime.p7m", 0x3701: bytearray(b"\x30\x03\x06\x01\x2a")}, None)]
    found = read(Outlook({0x1A: "IPM.Note.SMIME", _SUBJECT: "x"}, files=files).file(), "a.msg")
    assert found.warnings == ("The message is encrypted; only its header is read.",)
