"""The title of a document goes with the chunks that do not say it."""

from __future__ import annotations

import pytest

from pipeline.extraction.chunk_context import ChunkContext


@pytest.mark.parametrize(
    ("title", "heading", "text"),
    [
        (None, None, "The valley lies in fog."),
        ("  \n ", None, "The valley lies in fog."),
        ("—", None, "The valley lies in fog."),
        ("Valley Fog", None, "# VALLEY FOG\n\nIt lies low."),
        ("Valley fog", "Valley: fog › Autumn", "It lies low."),
        ("ﬁne fog", "Reports › Fine Fog", "It lies low."),
        ("Valley fog", None, "Report of\n\nValley fog\n\nIt lies low."),
    ],
)
def test_a_title_that_adds_nothing_is_left_out(title: str | None, heading: str | None, text: str) -> None:
    assert ChunkContext(title).title(heading, text) is None


def test_a_title_that_a_chunk_does_not_say_goes_with_it() -> None:
    context = ChunkContext(" Valley\n fog ")
    assert context.title(None, "It lies low.") == "Valley fog"
    assert context.title("Autumn", "The valley's foggy end.") == "Valley fog"
    assert context.title(None, "x " * 500 + "valley fog") == "Valley fog"


def test_a_title_is_part_of_words_only_as_a_whole() -> None:
    assert ChunkContext("Art").title("Start › Cart", "Party") == "Art"


def test_a_long_title_is_cut() -> None:
    title = ChunkContext("word " * 500).title(None, "Other text.")
    assert title is not None and len(title) <= 200 and title.endswith("…")
