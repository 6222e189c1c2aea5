"""Sentences and their citations, in pieces of any size."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.property_tests import examples

from semantik.services.answers.sentences import SentenceSplitter

_CASES = {
    "The tide follows the moon [1]. Two waters come, e.g. in spring. [2][3] It is 3.5 m at St. Malo [1, 2]!": [
        ("The tide follows the moon.", (1,)),
        ("Two waters come, e.g. in spring.", (2, 3)),
        ("It is 3.5 m at St. Malo!", (1, 2)),
    ],
    'No cite here. Dr. A. Smith said: "Yes." [4]\n- A point [1]\n- Another [2]\n': [
        ("No cite here.", ()),
        ('Dr. A. Smith said: "Yes."', (4,)),
        ("- A point", (1,)),
        ("- Another", (2,)),
    ],
    "潮は月に従う[1]。次の文。[2]": [("潮は月に従う。", (1,)), ("次の文。", (2,))],
    "See example.org [1; 2] for more": [("See example.org for more", (1, 2))],
    "A list [of words] is none. [3": [("A list [of words] is none. [3", ())],
    " \n\n[1]\n...": [],
}


def _split(text: str, size: int) -> list[tuple[str, tuple[int, ...]]]:
    splitter = SentenceSplitter()
    found = [each for at in range(0, len(text), size) for each in splitter.feed(text[at : at + size])]
    return [(each.text, each.numbers) for each in [*found, *splitter.end()]]


@pytest.mark.parametrize("text", _CASES)
@pytest.mark.parametrize("size", [1, 4, 1000])
def test_sentences(text: str, size: int) -> None:
    assert _split(text, size) == _CASES[text]


@examples(200)
@given(st.text("aB. [1]2!\n。e", max_size=60), st.integers(1, 9))
def test_no_letter_is_lost(text: str, size: int) -> None:
    letters = "".join(each for each, _ in _split(text, size))
    assert [c for c in letters if c in "aBe"] == [c for c in text if c in "aBe"]


def test_a_text_without_end_is_cut() -> None:
    assert len(_split("word " * 5000, 7)) > 5
