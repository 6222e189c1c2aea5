"""Completions from the beginning of any word: the same texts as a plain comparison finds."""

import random

import numpy as np
import pytest

from semantik.query.folding import words_key
from semantik.search.completion_index import CompletionIndex


def index_of(*texts: str) -> CompletionIndex:
    return CompletionIndex(texts, np.zeros(len(texts), np.float32))


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("boi", ["Boiler manual", "The old boiler"]), ("BOILER", ["Boiler manual", "The old boiler"]),
        ("man", ["Boiler manual"]), ("boiler m", ["Boiler manual"]), ("boiler ", ["Boiler manual"]), ("oiler", []),
        ("uber", ["Über den Kessel"]), ("Über d", ["Über den Kessel"]), ("kes", ["Über den Kessel"]),
        ("热", ["热泵系统"]),
        ("系", ["热泵系统"]), ("泵系", ["热泵系统"]), ("", []), ("?!", []),
        ("introduction to p", ["An introduction to pumps"]),
        ("introduction to x", []), ("the o", ["The old boiler"]), ("v1.2", ["Notes on v1.2.3"]),
    ],
)  # fmt: skip
def test_completions(typed: str, expected: list[str]) -> None:
    index = index_of(
        "The old boiler", "Boiler manual", "Über den Kessel", "热泵系统", "An introduction to pumps",
        "Notes on v1.2.3", "",
    )  # fmt: skip
    assert [index.texts[number] for number in index.complete(typed, 10)] == expected


def test_random_texts_are_completed_as_by_comparison() -> None:
    rng = random.Random(17)
    texts = [" ".join("".join(rng.choices("abé", k=rng.randint(1, 9))) for _ in range(4)) for _ in range(500)]
    scores = np.array([rng.random() for _ in texts], np.float32)
    index = CompletionIndex(texts, scores)
    for _ in range(300):
        start = rng.choice(texts)
        typed = start[rng.randrange(10) :][: rng.randint(1, 25)].strip()
        key = words_key(typed).rstrip()
        expected = {n for n, text in enumerate(texts) if key.strip() and key in words_key(text)}
        assert set(index.complete(typed, 1000)) == expected
        few = index.complete(typed, 5)
        assert len(few) == min(5, len(expected))


def test_the_best_come_first_and_the_beginning_of_a_text_counts() -> None:
    texts = ("a boiler", "boiler b", "boiler c", "the boiler room")
    index = CompletionIndex(texts, np.array([0.5, 0, 0.2, 3], np.float32))
    assert index.complete("boi", 3) == [3, 2, 1]
