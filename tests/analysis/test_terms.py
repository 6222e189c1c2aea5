"""What is stored of a text, by table: its words, their other forms, and the wholes."""

from __future__ import annotations

import pytest

from semantik.analysis import Terms, query_words, terms, tokens

TABLE = [
    ("The lantern burned.", "the lantern burned", "burn", ""),
    ("foo_bar", "foo bar", "foobar", "foo_bar"),
    ("v1.2.3", "v1 2 3", "v123", "v1.2.3 1.2.3"),
    ("C++", "c", "", "c++"),
    ("KX-5519", "kx 5519", "kx5519", "kx-5519"),
    ("don't", "don t", "dont", "don't"),
    ("Müller", "muller", "", "müller"),
    ("iPhone15手机", "iphone15 手机", "phone 15 手 机", ""),
]


@pytest.mark.parametrize(("text", "words", "stems", "wholes"), TABLE)
def test_terms(text: str, words: str, stems: str, wholes: str) -> None:
    assert terms(text, "en") == Terms(words.split(), stems.split(), wholes.split())


@pytest.mark.parametrize("row", TABLE)
def test_tokens_are_the_words_of_terms(row: tuple[str, str, str, str]) -> None:
    assert [token.word for token in tokens(row[0])] == terms(row[0], None).words


def test_offsets_are_those_of_the_original_text() -> None:
    text = "ﬁne ｶﾞｿﾘﾝ a\u00adb"
    assert [text[each.start : each.end] for each in tokens(text)] == ["ﬁne", "ｶﾞｿ", "ｿﾘ", "ﾘﾝ", "a\u00adb"]


def test_each_word_of_a_question_is_looked_up_as_itself_and_by_its_stem() -> None:
    (word,) = query_words("burning", ["en"])
    assert {(each.field, each.term) for each in word.terms} == {
        ("words", "burning"), ("stems", "burning"), ("words", "burn"), ("stems", "burn"),
    }  # fmt: skip
