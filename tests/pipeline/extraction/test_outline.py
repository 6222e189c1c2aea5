"""The headings of a Markdown text."""

from __future__ import annotations

from pipeline.extraction.outline import Outline

_TEXT = (
    "---\ntitle: A guide\ntags: x\n---\n\n```not a fence```\n\n- an item\n---\n\n> a quote\n---\n\n* * *\n---\n\n"
    "Words.\n\n# Real\r\n\r\nBelow.\r\n\r\nUnderlined\r\n---\r\n\r\nMore."
)


def test_text_that_resembles_a_heading_is_no_heading() -> None:
    outline = Outline(_TEXT)
    assert outline.boundaries() == [_TEXT.index("# Real"), _TEXT.index("Underlined")]
    for word, path in (("Words.", None), ("Below.", "Real"), ("More.", "Real › Underlined")):
        start = _TEXT.index(word)
        assert outline.heading_path(start, start + len(word)) == path
