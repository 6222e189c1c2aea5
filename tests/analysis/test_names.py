"""Which queries look like names: words count more there than meaning."""

from __future__ import annotations

import pytest

from semantik.analysis import is_name


@pytest.mark.parametrize(
    "text",
    [
        "Marigold",
        "42.7",
        "KX-5519",
        "Grace Hopper",
        "La Florida",
        "Jean-Luc O'Hara",
        "J. S. Bach",
        "Élan Vital",
        " Grace Hopper ",
        "HTTP 404",
        "AB 1234/5",
        "ab 1234 5",
        "DE89 3704 0044 0532 0130 00",
        "2.5 mm",
    ],
)
def test_a_word_alone_or_words_with_capitals_are_a_name(text: str) -> None:
    assert is_name(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "heat pump",
        "Who was Grace Hopper?",
        "Grace hopper",
        "Annual Report Of The Year",
        "手机 电池",
        "lamp of Grace",
        "who won in 1966",
        "lamps 2024",
        "How much is 5 %?",
    ],
)
def test_other_queries_are_none(text: str) -> None:
    assert not is_name(text)
