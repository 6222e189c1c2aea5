"""Words that hold a question together, in the languages that have a list of them."""

from __future__ import annotations

import pytest

from semantik.analysis import is_function_word, query_words


@pytest.mark.parametrize(
    ("language", "question", "telling"),
    [
        ("en", "How do I sort a hash by value?", ["sort", "hash", "value"]),
        ("de", "Wie wird der Käse im Keller gelagert?", ["kase", "keller", "gelagert"]),
        ("fr", "Où est la clé de la cave ?", ["cle", "cave"]),
        ("es", "¿Cuándo sale el barco de Cádiz?", ["sale", "barco", "cadiz"]),
        ("ru", "Когда отходит паром на остров?", ["отходит", "паром", "остров"]),
        ("xx", "how do I", ["how", "do", "i"]),
    ],
)
def test_what_a_question_is_about_is_left(language: str, question: str, telling: list[str]) -> None:
    words = [each.word for each in query_words(question, (language,))]
    assert [word for word in words if not is_function_word(word, (language,))] == telling
