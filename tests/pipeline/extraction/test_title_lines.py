"""What counts as a title: short lines that are no sentences, no rows and no items; and headings of Markdown."""

from __future__ import annotations

import pytest

from pipeline.extraction.title_lines import first_line_title, is_title


@pytest.mark.parametrize(
    "text",
    [
        "Valley fog",
        "# Valley fog.",
        "# Guide\n\n## Install\n\n### On Linux",
        "Valley fog\n==========",
        "**Valley fog**",
        "Annual report\n2024\nValley observatory",
        "What is fog?",
        "第三章 山の天文台",
        "Page 17",
        "17",
        "# " + "very " * 100 + "long",
    ],
)
def test_a_title(text: str) -> None:
    assert is_title(text)


@pytest.mark.parametrize(
    "text",
    [
        "The valley lies in fog.",
        "# Guide\n\nIt is short.",
        "山上有天文台。",
        "The valley lies in “fog.”",
        "- an item",
        "| a | b |",
        "name\tsize",
        "words " * 40,
        "one\ntwo\nthree\nfour\nfive",
        "# " + "very " * 1000 + "long",
    ],
)
def test_no_title(text: str) -> None:
    assert not is_title(text)


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("Valley fog\n\nIt lies low.", "Valley fog"),
        ("\n Valley fog \r\n\r\nIt lies low.", "Valley fog"),
        ("Valley fog\n==========\n\nIt lies low.", "Valley fog"),
        ("Valley fog\nIt lies low.\n\nAnd cold.", ""),
        ("It lies low.\n\nAnd cold.", ""),
        ("Valley fog\n\n", ""),
        ("12:30\n\nIt lies low.", ""),
        ("", ""),
        ("\n" * 100_000 + "word" + " " * 100_000, ""),
    ],
)
def test_the_first_line_of_a_plain_text_is_its_title_if_it_stands_alone(text: str, title: str) -> None:
    assert first_line_title(text) == title
