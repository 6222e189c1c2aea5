"""Copies among texts: what counts as one, which is kept, and that thousands of characters take little time."""

from __future__ import annotations

import random
import time

import pytest

from semantik.search.duplicates import copies

_RANDOM = random.Random(17)
_WORDS = ["".join(_RANDOM.choices("aeiourstlnmdg", k=_RANDOM.randint(2, 9))) for _ in range(3000)]


def _text(seed: int, words: int = 160) -> str:
    return " ".join(random.Random(seed).choices(_WORDS, k=words)) + "."


def _changed(text: str, count: int) -> str:
    words = text.split()
    for place in range(count):
        words[(place * 37 + 5) % len(words)] = "changed"
    return " ".join(words)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (_text(1), _text(1)),
        (_text(1), _text(1).upper().replace(" ", "\n\n ")),
        ("Der ﬁnale Be\u00adricht liegt vor", "Der finale Bericht  liegt vor"),
        (_text(1), _changed(_text(1), 2)),
        (_text(1), "Copy: " + _text(1)),
        (
            "山の天文台の望遠鏡は" + "とても大きいですねえ" * 2 + _text(1),
            "山の天文台の望遠鏡は" + "とても大きいですねえ" * 2 + _text(1) + "。",
        ),
        ("ok", " OK "),
        ("\ud800 broken", "\ud800  broken"),
    ],
)
def test_nearly_the_same_text_is_a_copy(one: str, other: str) -> None:
    assert copies([one, _text(2), other, _text(3), one]) == [0, 1, 0, 3, 0]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (_text(1), _changed(_text(1), 20)),
        (_text(1), _text(1) + " " + _text(4, 40)),
        (_text(1) + " Invoice 17", _text(1) + " Invoice 18"),
        ("yes", "no"),
        ("", "no"),
        ("天文台的望远镜在山上。", "天文台的望远镜在海上。"),
    ],
)
def test_a_text_that_says_something_else_is_no_copy(one: str, other: str) -> None:
    assert copies([one, other]) == [0, 1]


def test_copies_refer_to_the_first_which_is_the_best() -> None:
    texts = [_text(1), _text(2), _changed(_text(2), 1), _changed(_text(1), 1), _text(2)]
    assert copies(texts) == [0, 1, 1, 0, 1]
    assert copies([]) == []


def test_each_copy_is_found_among_many_texts() -> None:
    originals = [_text(seed) for seed in range(300)]
    found = copies([*originals, *(_changed(text, 2) for text in originals)])
    assert found == [*range(300), *range(300)]


def test_fifty_chunks_take_a_few_milliseconds() -> None:
    texts = [_text(seed, 200)[:1000] for seed in range(50)]
    best = min(_seconds(texts) for _ in range(20))
    assert best < 0.02  # 0.001 to 0.002 on a processor of its own


def _seconds(texts: list[str]) -> float:
    start = time.process_time()
    copies(texts)
    return time.process_time() - start
