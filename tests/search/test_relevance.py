"""Hits that chance finds are weak; what chance finds in a large collection is measured in the background."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from support.patience import deadline

from semantik.config.settings import IndexSettings
from semantik.core.errors import Unavailable
from semantik.index import IndexRegistry
from semantik.search.backgrounds import Backgrounds
from semantik.search.candidates import SMALL_CHANCE, Background, Chance
from semantik.search.hits import Hit, Relevance, Scores
from semantik.search.relevance import in_order, relevance_of
from semantik.search.unrelated import QUERIES

_READABLE = Background(0.05, 0.1, 1000)
_UNREADABLE = Background(0.45, 0.08, 1000)
_DIMENSION = 16


@pytest.mark.parametrize(
    ("meaning", "background", "share", "expected"),
    [
        (0.75, _READABLE, 0.7, "strong"),
        (0.50, _READABLE, 0.4, "fair"),
        (0.35, _READABLE, 0.2, "weak"),
        (0.10, _READABLE, 1.0, "strong"),  # a name, which means nothing to the model
        (0.70, _UNREADABLE, 0.1, "weak"),  # the model cannot read it: its cosine says nothing
        (0.70, _UNREADABLE, 0.8, "strong"),
        (None, None, 0.9, "strong"),
        (None, None, 0.3, "weak"),
        (0.75, _READABLE, None, "strong"),
        (0.30, _READABLE, None, "weak"),
        (0.60, None, 0.6, "strong"),
    ],
)
def test_relevance_weighs_meaning_and_words(
    meaning: float | None, background: Background | None, share: float | None, expected: str
) -> None:
    assert relevance_of(meaning, meaning or 0.0, background, share) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["strong", "weak", "weak"], ["strong", "weak", "weak"]),
        (["weak", "fair", "strong", "weak"], ["fair", "fair", "strong", "weak"]),
        (["weak", "fair", "weak"], ["weak", "fair", "weak"]),
        ([None, "strong"], [None, "strong"]),
        ([], []),
    ],
)
def test_no_weak_hit_stands_before_a_strong_one(
    given: list[Relevance | None], expected: list[Relevance | None]
) -> None:
    nothing: Any = None
    hits = [Hit(nothing, nothing, nothing, Scores(None, None, 0.5), relevance=each) for each in given]
    assert [hit.relevance for hit in in_order(hits)] == expected


def test_more_is_asked_of_a_hit_where_chance_finds_more() -> None:
    high = Background(0.05, 0.1, 1_000_000, Chance(0.5, 0.65))
    assert relevance_of(0.55, 0.55, _READABLE, 0.3) != "weak"
    assert relevance_of(0.55, 0.55, high, 0.3) == "weak"


def _unit(count: int, seed: int) -> NDArray[np.float32]:
    given = np.random.default_rng(seed).standard_normal((count, _DIMENSION))
    return (given / np.linalg.norm(given, axis=1, keepdims=True)).astype(np.float32)


@pytest.mark.gen_test
@pytest.mark.parametrize("broken", [False, True])
async def test_chance_is_measured_once_in_a_large_collection(tmp_path: Path, broken: bool) -> None:
    async def unused(function: Any, *args: Any, timeout_s: float) -> Any:
        raise AssertionError("so few vectors need no merge")

    registry = IndexRegistry(tmp_path, IndexSettings(), unused)
    index = await registry.open("c", 1, _DIMENSION)
    await index.add(np.arange(1500), _unit(1500, 0).astype(np.float16))
    vectors = dict(zip(QUERIES, _unit(len(QUERIES), 1), strict=True))
    asked: list[str] = []

    async def embed(text: str) -> NDArray[np.float32]:
        asked.append(text)
        if broken:
            raise Unavailable("The model is gone.")
        return vectors[text]

    backgrounds = Backgrounds()
    query = _unit(1, 2)[0]
    first = await backgrounds.of(index, query, embed)
    assert first is not None and first.chance == SMALL_CHANCE and abs(first.mean) < 0.1
    async with deadline():
        while len(asked) < (1 if broken else len(QUERIES)):  # noqa: ASYNC110
            await asyncio.sleep(0.002)
        await asyncio.gather(*backgrounds._tasks)
    measured = await backgrounds.of(index, query, embed)
    assert measured is not None
    assert (measured.chance == SMALL_CHANCE) == broken
    if not broken:  # of so many random vectors, one is always near
        assert 0.5 < measured.chance.middle < measured.chance.high < 1
        assert asked == list(QUERIES)
    await backgrounds.close()
    await registry.close()


@pytest.mark.gen_test
async def test_few_chunks_have_no_background(tmp_path: Path) -> None:
    async def unused(*args: Any, **more: Any) -> Any:
        raise AssertionError("nothing needs it")

    registry = IndexRegistry(tmp_path, IndexSettings(), unused)
    index = await registry.open("c", 1, _DIMENSION)
    await index.add(np.arange(5), _unit(5, 0).astype(np.float16))
    assert await Backgrounds().of(index, _unit(1, 1)[0], unused) is None
    await registry.close()
