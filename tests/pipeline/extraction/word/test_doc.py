"""Old Word documents."""

from __future__ import annotations

import random
import struct

import pytest
from support.old_word import OldWord
from support.word_files import content_of, text_of

from pipeline.extraction.content import ExtractError

_IN_TABLE = struct.pack("<HB", 0x2416, 1)
_ROW_END = _IN_TABLE + struct.pack("<HB", 0x2417, 1)
_DEPTH_2 = _IN_TABLE + struct.pack("<HI", 0x6649, 2)
_HIDDEN = struct.pack("<HB", 0x083C, 1)
_DELETED = struct.pack("<HB", 0x0800, 1)


def _text(document: OldWord) -> str:
    return text_of(document.bytes(), ".doc")


def test_characters_in_both_widths() -> None:
    body = "Frost & Vane <5\x0bnext\rRoom:\tseven 555\x1e0199 light\x1fhouse “é” –\r"
    expected = "Frost & Vane <5\nnext\n\nRoom: seven 555-0199 lighthouse “é” –"
    assert _text(OldWord(body)) == expected
    assert _text(OldWord(body, codec="cp1252")) == expected
    assert _text(OldWord("Ключ 鍵 🐀\r")) == "Ключ 鍵 🐀"


def test_headings_come_from_the_built_in_styles() -> None:
    body = "Salt\rPans\rText.\r"
    paragraphs = [(0, 5, 2, b""), (5, 10, 1, b"")]
    assert _text(OldWord(body, styles=[0, 2, 62], paragraphs=paragraphs)) == "# Salt\n\n## Pans\n\nText."


def test_hidden_and_deleted_text_is_left_out() -> None:
    body = "seen hidden deleted end\rjoined \rline\r"
    runs = [(5, 12, _HIDDEN), (12, 20, _DELETED), (31, 32, _DELETED)]
    assert _text(OldWord(body, runs=runs)) == "seen end\n\njoined line"


def test_fields_show_their_results() -> None:
    body = (
        'See \x13 HYPERLINK "http://example.org" \x14the page\x15 and \x13 PAGE \x15x\x13 TOC \\o\rnot ended'
    )
    assert _text(OldWord(body + "\r")) == "See the page and x\n\nnot ended"


def test_notes_comments_text_boxes_and_headers() -> None:
    body = "The oar\x02 and bell\x03.\x05\rDoor\x08\rAgain\x02\r"
    document = OldWord(
        body,
        footnotes=["Of ash.", "Two."],
        endnotes=["Cast."],
        comments=[("Jo Marsh", "Which one?")],
        boxes=["Ring twice.", "A box without a mark."],
        headers=["", "File 77", "", "Signed", "", "", "", "File 77", "", "5", "", ""],
    )
    assert _text(document) == (
        "File 77\n\nThe oar[^1] and bell[^i].\n[^1]: Of ash.\n[^i]: Cast.\n[Comment by Jo Marsh: Which one?]\n\n"
        "Door\n\nRing twice.\n\nAgain[^2]\n[^2]: Two.\n\nA box without a mark.\n\nSigned"
    )


def test_tables() -> None:
    body = "Boat\x07Crew\x07\x07Gull\x07one\rtwo\x07\x07After.\r"
    paragraphs = [(0, 5, 0, _IN_TABLE), (5, 10, 0, _IN_TABLE), (10, 11, 0, _ROW_END), (11, 24, 0, _IN_TABLE),
                  (24, 25, 0, _ROW_END)]  # fmt: skip
    found = _text(OldWord(body, paragraphs=paragraphs))
    assert found == "| Boat | Crew |\n| --- | --- |\n| Gull | one two |\n\nAfter."
    nested = "Boat\x07in\rside\r\rend\x07\x07"
    cell, row = struct.pack("<HB", 0x244B, 1), struct.pack("<HB", 0x244C, 1)
    paragraphs = [(0, 5, 0, _IN_TABLE), (5, 13, 0, _DEPTH_2 + cell), (13, 14, 0, _DEPTH_2 + cell + row),
                  (14, 18, 0, _IN_TABLE), (18, 19, 0, _ROW_END)]  # fmt: skip
    assert _text(OldWord(nested, paragraphs=paragraphs)) == "| Boat | end in, side |\n| --- | --- |"


@pytest.mark.parametrize(
    ("language", "codec", "words"),
    [
        (0x419, "cp1251", "Ключ под камнем"),
        (0x415, "cp1250", "Żółty płot"),
        (0x411, "cp932", "鍵は門の下"),
        (0x804, "gbk", "钥匙在门口"),
        (0x409, "cp1252", "“Café” – œuvre"),
    ],
)
def test_word_6_has_the_code_page_of_its_language(language: int, codec: str, words: str) -> None:
    body = f"{words}\rsecond\r"
    assert _text(OldWord(body, word97=False, codec=codec, language=language)) == f"{words}\n\nsecond"


def test_word_6_fonts_have_code_pages_and_notes_are_read() -> None:
    body = "Ключ\x02 здесь\rтайна\rвидно\r"
    runs = [(0, 12, bytes([93, 1, 0])), (12, 18, bytes([93, 1, 0, 92, 1])), (18, 24, bytes([93, 1, 0]))]
    document = OldWord(
        body, footnotes=["note"], word97=False, codec="cp1251", fonts=[("Arial", 0), ("Arial Cyr", 204)],
        runs=runs, styles=[], paragraphs=[],
    )  # fmt: skip
    assert _text(document) == "Ключ[^1] здесь\n[^1]: note\n\nвидно"


def test_web_archives_and_pages_may_be_named_like_word_documents() -> None:
    archive = (
        b"Date: Mon, 6 May 2024 07:08:09 +0000\nSubject: Exported\nMIME-Version: 1.0\n"
        b'Content-Type: multipart/related; boundary="x"\n\n'
        b"--x\nContent-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n"
        b"<html><body><p>caf=C3=A9 &amp; bar</p></body></html>\n--x--\n"
    )
    assert text_of(archive, ".doc") == "café & bar"
    assert text_of(b"<html><body><p>caf&eacute;</p></body></html>", ".doc") == "café"
    assert text_of(rb"{\rtf1\ansi caf\'e9}", ".doc") == "café"


def test_encrypted_and_older_documents_say_so() -> None:
    with pytest.raises(ExtractError, match="encrypted"):
        content_of(OldWord("x\r", flags=0x0100).bytes(), ".doc")
    data = bytearray(OldWord("x\r").bytes())
    at = data.index(b"\xec\xa5\xc1\x00")
    data[at + 2] = 33
    with pytest.raises(ExtractError, match="before 6"):
        content_of(bytes(data), ".doc")


def test_damaged_documents_end_in_an_error_or_in_text() -> None:
    whole = OldWord(
        "The oar\x02 and\x05\rDoor\x08\r", footnotes=["Of ash."], comments=[("Jo", "Which?")], boxes=["Ring."],
        styles=[0, 1], paragraphs=[(0, 8, 1, b"")], runs=[(0, 3, _HIDDEN)],
    ).bytes()  # fmt: skip
    chance = random.Random(5)
    for _ in range(300):
        data = bytearray(whole)
        for _ in range(chance.randrange(1, 30)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        try:
            content = content_of(bytes(data), ".doc")
        except ExtractError as error:
            assert error.message.endswith(".")
        else:
            assert isinstance(content.text, str)
