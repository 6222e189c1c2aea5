"""Similar words: the same as a plain computation finds, and the likeliest of them."""

import random

import pytest

from semantik.search.spelling import Similar, SpellingIndex
from semantik.search.spelling_choice import as_typed, meant


def distance(left: str, right: str) -> int:
    """The optimal string alignment, as it is defined."""
    table = [[i + j for j in range(len(right) + 1)] for i in range(len(left) + 1)]
    for i in range(1, len(left) + 1):
        for j in range(1, len(right) + 1):
            replaced = table[i - 1][j - 1] + (left[i - 1] != right[j - 1])
            table[i][j] = min(table[i - 1][j] + 1, table[i][j - 1] + 1, replaced)
            if i > 1 and j > 1 and left[i - 1] == right[j - 2] and left[i - 2] == right[j - 1]:
                table[i][j] = min(table[i][j], table[i - 2][j - 2] + 1)
    return table[-1][-1]


@pytest.mark.parametrize("letters", ["abcde", "абвгд", "αβγδε", "aъγéü"])
def test_all_similar_words_are_found_and_no_others(letters: str) -> None:
    rng = random.Random(17)
    words = {"".join(rng.choices(letters, k=rng.randint(3, 8))): rng.randint(1, 9) for _ in range(2000)}
    index = SpellingIndex(words.items())
    for _ in range(30):
        word = "".join(rng.choices(letters + "x", k=rng.randint(1, 9)))
        for limit in (1, 2):
            expected = {
                Similar(other, count, distance(word, other))
                for other, count in words.items()
                if distance(word, other) <= limit
            }
            assert set(index.similar(word, limit)) == expected


def test_words_that_are_no_letters_are_not_indexed() -> None:
    index = SpellingIndex([("v123", 5), ("𝔞𝔟𝔠", 5), ("boiler", 5), ("x" * 40, 5)])
    for word in ("v124", "𝔞𝔟𝔡", "", "x" * 39):
        assert index.similar(word, 2) == []
    assert index.similar("boilre", 1) == [Similar("boiler", 5, 1)]


@pytest.mark.parametrize(
    ("typed", "candidates", "expected"),
    [
        (
            "boilr",
            [("boiler", 3, 1), ("boils", 9, 1)],
            "boiler",
        ),  # a letter is sooner left out than another hit
        ("vavle", [("valve", 2, 1), ("vale", 9, 1)], "valve"),  # a swap sooner than a letter too many
        ("cable", [("table", 50, 1), ("cables", 1, 1)], "table"),  # but many times as frequent
        ("presure", [("pressure", 1, 1), ("treasure", 20, 2)], "pressure"),
        ("abc", [], None),
    ],
)
def test_the_likeliest_word(typed: str, candidates: list[tuple[str, int, int]], expected: str | None) -> None:
    best = meant(typed, [Similar(*each) for each in candidates], 3000)
    assert (best and best.word) == expected


def test_a_slip_has_to_be_likelier_than_a_new_word() -> None:
    """In a small collection most unknown words are right; long ones are hardly like another by chance."""
    short, long = [Similar("tower", 1, 1)], [Similar("thermometer", 1, 1)]
    assert meant("power", short, 30) is None
    assert meant("power", [Similar("tower", 50, 1)], 3000) is not None
    assert meant("thermometr", long, 30) == long[0]
    assert meant("xhermometre", [Similar("thermometer", 1, 2)], 30) is None


@pytest.mark.parametrize(
    ("instead", "typed", "expected"),
    [
        ("franzosisch", "französich", "französisch"),
        ("boiler", "Biler", "Boiler"),
        ("boiler", "BOILR", "BOILER"),
        ("thermometer", "Zhermometer", "Thermometer"),
        ("strasse", "straßse", "strasse"),
        ("котел", "котeл", "котел"),
    ],
)
def test_accents_and_capitals_stay_as_they_were_typed(instead: str, typed: str, expected: str) -> None:
    assert as_typed(instead, typed) == expected
