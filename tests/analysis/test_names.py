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
    ],
)
def test_other_queries_are_none(text: str) -> None:
    assert not is_name(text)
