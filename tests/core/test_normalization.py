"""Texts in the form in which they are embedded and searched."""

from __future__ import annotations

import pytest

from semantik.core.normalization import normalized


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain words", "plain words"),
        ("re\u00adfriger\u00adated", "refrigerated"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
        ("\u202bמפתח\u202c", "מפתח"),
        ("o\ufb03ce", "office"),
        ("ＱＰ－７３０２", "QP-7302"),
        ("Gro\u0308\u00dfe", "Größe"),
        ("non\u2011breaking", "non\u2010breaking"),
        ("a\u00a0b", "a b"),
        ("ﻣﻔﺘﺎﺡ", "مفتاح"),
        ("㎏ ㍿", "kg 株式会社"),
        ("heart \u2764\ufe0f", "heart \u2764"),
    ],
)
def test_what_looks_the_same_becomes_the_same(text: str, expected: str) -> None:
    assert normalized(text) == expected
    assert normalized(expected) == expected
