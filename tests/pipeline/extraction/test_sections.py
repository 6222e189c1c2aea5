"""Which sections stand alone: those with text; a title is joined with the text that it announces."""

from __future__ import annotations

import re

import pytest

from pipeline.extraction.sections import Section, sections


def _sections(text: str, *, passages: tuple[tuple[int, int], ...] = ()) -> list[tuple[str, str]]:
    """Of a text in which "§" starts a page and "#" a heading: each section, and what its first words belong to."""
    pages = [match.start() for match in re.finditer("§", text)]
    boundaries = [match.start() for match in re.finditer("[§#]", text)]
    found = sections(text, boundaries, passages, pages, lambda start, end: _has_text(text[start:end]))
    return [(_plain(text, one), text[one.place_of(one.start) : one.end].split()[0]) for one in found]


def _has_text(part: str) -> bool | None:
    return None if "#" not in part else bool(re.sub("[§#].*", "", part).strip())


def _plain(text: str, section: Section) -> str:
    return " ".join(text[section.start : section.end].split())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Words.", [("Words.", "Words.")]),
        ("§ Title\n§ Words.", [("§ Title § Words.", "§")]),
        ("Title\n# Heading\nWords.", [("Title # Heading Words.", "#")]),
        ("First.\n# One\nWords.\n# End", [("First.", "First."), ("# One Words. # End", "#")]),
        ("§ Words.\n§ The end", [("§ Words. § The end", "§")]),
        ("§ A\n§ B\n§ Words.", [("§ A", "§"), ("§ B § Words.", "§")]),
        ("§ A\n§ B\n§ C", [("§ A", "§"), ("§ B", "§"), ("§ C", "§")]),
        ("§ One.\n§ A\n§ Two.\n", [("§ One.", "§"), ("§ A § Two.", "§")]),
        ("§ One.\n§\n§ Two.\n", [("§ One.", "§"), ("§ § Two.", "§")]),
        ("Title", [("Title", "Title")]),
        (" \n ", []),
        ("", []),
    ],
)
def test_a_title_is_joined_with_its_text(text: str, expected: list[tuple[str, str]]) -> None:
    assert _sections(text) == expected


def test_what_starts_in_a_title_has_the_place_of_its_text() -> None:
    text = "Title page\nWords of the next page."
    [section] = sections(text, [11], (), [0, 11], lambda start, end: None)
    assert (section.start, section.end) == (0, len(text))
    assert [section.place_of(start) for start in (0, 6, 11, 20)] == [11, 11, 11, 20]


def test_pages_stay_apart_if_some_are_recognised_or_one_says_more_than_a_title() -> None:
    text = "Title page\nWords of the next page."
    apart = sections(text, [11], (), [0, 11], lambda start, end: None, over_pages=False)
    assert [(one.start, one.anchor) for one in apart] == [(0, 0), (11, 11)]
    label = "Basket 17\nWillow\nAutumn\nWords of the next page."
    apart = sections(label, [24], (), [0, 24], lambda start, end: None)
    assert [(one.start, one.anchor) for one in apart] == [(0, 0), (24, 24)]


def test_nothing_is_joined_over_a_passage_without_language() -> None:
    text = "Title\nQUJDREVGR0g=\nWords."
    found = sections(text, [], [(6, 19)], [], lambda start, end: None)
    assert [text[one.start : one.end] for one in found] == ["Title\n", "Words."]
