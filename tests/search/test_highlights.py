"""Which words are marked in a text, and which sentence is the best: words as the keyword index takes them."""

from __future__ import annotations

import pytest

from semantik.query import parse
from semantik.search.highlights import highlight
from semantik.search.matching import QueryMatcher, WordWorth, words_of

_WORTH = {"the": 0.1, "of": 0.1, "a": 0.1}


def _matcher(query: str, language: str = "en") -> QueryMatcher:
    words = words_of(parse(query), (language,))
    values = [_WORTH.get(each.word, 5.0) for each in words.words]
    return QueryMatcher(words, WordWorth(values, 0.6 * max(values, default=0.0)))


@pytest.mark.parametrize(
    ("query", "text", "marked"),
    [
        (
            "generators fail",
            "When the Generator fails, failing pumps stop.",
            ["Generator", "fails", "failing"],
        ),
        ("the pump of a ship", "The pump of the ship.", ["pump", "ship"]),
        ("the", "The pump.", ["The"]),
        ("cafe", "Le Café — CAFÉS.", ["Café", "CAFÉS"]),
        ("Größe", "Die GRÖSSE zählt.", ["GRÖSSE"]),
        ("KX-5519", "Part KX-5519 (not KX-5520).", ["KX-5519", "KX"]),
        ("heat*", "A heater heats; reheat it.", ["heater", "heats"]),
        ('"oil pressure"', "Oil: no. The oil pressure. Pressure of oil.", ["oil", "pressure"]),
        ('"oil pressure" oil', "Oil first. The oil pressure.", ["Oil", "oil", "pressure"]),
        ("-oil pump", "An oil pump.", ["pump"]),
        ("主鏡", "望遠鏡の主鏡を洗う。", ["主鏡"]),
        ("snow", "❄ snow 🙂 snow", ["snow", "snow"]),
        ("interrupt", "KeyboardInterrupt was raised", ["Interrupt"]),
        ("pump", "", []),
        ('"', "Nothing.", []),
    ],
)
def test_words_are_marked_in_their_forms(query: str, text: str, marked: list[str]) -> None:
    found = highlight(text, _matcher(query, "de" if "Gr" in query else "en"))
    assert [text[start:end] for start, end in found.ranges] == marked


def test_best_sentence_has_most_of_what_the_words_are_worth() -> None:
    text = "The valve is red. Close the valve before the pump starts!\n\nThe pump is blue."
    found = highlight(text, _matcher("valve pump"))
    assert found.best_sentence is not None
    assert text[slice(*found.best_sentence)] == "Close the valve before the pump starts!"
    assert found.found_share == 1.0 and found.matched == ("valve", "pump")
    assert highlight("One sentence about a pump.", _matcher("pump")).best_sentence is None
    half = highlight("The pump is blue. It hums.", _matcher("valve pump"))
    assert half.found_share == 0.5 and half.matched == ("pump",)


def test_a_word_that_is_typed_twice_is_one_word() -> None:
    found = highlight("A pump.", _matcher("pump Pump pumps"))
    assert found.found_share == pytest.approx(1.0) and found.ranges == ((2, 6),)


def test_long_texts_are_marked_at_their_beginning() -> None:
    text = "pump " * 100_000
    assert 0 < len(highlight(text, _matcher("pump")).ranges) <= 4000
