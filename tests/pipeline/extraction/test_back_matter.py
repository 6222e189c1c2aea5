"""Notes of Joplin, whose metadata stand below the text."""

from __future__ import annotations

from pipeline.extraction.content import Content
from pipeline.extraction.format_reader import READERS
from pipeline.extraction.formats import detect

_BLOCK = (
    "id: 0123456789abcdef0123456789abcdef\nparent_id: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n"
    "created_time: 2024-05-06T10:20:30.123Z\nauthor: Ann Oar\nsource_url: {}\nis_todo: 0\ntype_: 1"
)


def _read(source: str) -> Content:
    data = source.encode()
    found = detect(data, ".md")
    return READERS[found.mime].read(data, found)


def test_a_note_has_its_title_and_date() -> None:
    content = _read(
        f"The berth\n\nCrane ==seven== is out.\n\n- [x] Rope\n\n{_BLOCK.format('https://crane.example/')}"
    )
    assert content.text == "# The berth\n\nCrane ==seven== is out.\n\n- [x] Rope\n\nhttps://crane.example/"
    assert (content.title, content.author, content.date) == (
        "The berth",
        "Ann Oar",
        "2024-05-06T10:20:30.123Z",
    )
    assert _read(f"Only a title\r\n\r\n{_BLOCK.format('')}\r\n").text == "# Only a title"


def test_other_texts_keep_their_last_lines() -> None:
    for source in ("# A\n\nid: 7\ntype_: 1\n", f"# A\n\n{_BLOCK.format('')}\nmore\n"):
        assert _read(source).text == source
