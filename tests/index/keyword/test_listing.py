"""Words, headings and chunks that have them, also where most chunks were deleted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from semantik.analysis import query_words
from semantik.index.keyword import KeywordRegistry, KeywordText
from semantik.index.keyword.texts import heading_of, heading_term

pytestmark = pytest.mark.gen_test


async def _analyse_here(function: Any, *args: Any, timeout_s: float) -> Any:
    return function(*args)


async def test_examples_are_chunks_that_exist(tmp_path: Path) -> None:
    registry = KeywordRegistry(tmp_path, _analyse_here)
    try:
        index = await registry.open("c", 1, 2)
        texts = [
            KeywordText(f"boiler {number}", heading="Guide › Start" if number % 2 else None)
            for number in range(3000)
        ]
        await index.add(np.arange(3000), texts)
        terms = [("words", "boiler"), ("words", "17"), ("words", "pump"), ("headings", heading_term("Start"))]
        boiler, number, pump, heading = await index.examples(terms, 2)
        assert len(boiler) == 2 and set(boiler) < set(range(3000))
        assert (number, pump) == ([17], [])
        assert len(heading) == 2 and all(seq % 2 for seq in heading)
        await index.delete([(18, 3000)])  # of the frequent word only the oldest chunks are left
        boiler, number, pump, heading = await index.examples(terms, 2)
        assert len(boiler) == 2 and set(boiler) < set(range(18))
        assert number == [17] and set(heading) < set(range(1, 18, 2))
        await index.delete([(0, 18)])
        assert await index.examples(terms, 2) == [[], [], [], []]
    finally:
        await registry.close()


async def test_headings_and_known_words(tmp_path: Path) -> None:
    registry = KeywordRegistry(tmp_path, _analyse_here)
    try:
        index = await registry.open("c", 1, 2)
        texts = [
            KeywordText("The boilers hum.", None, "Guide › Über  die Heizung", "en"),
            KeywordText("b", "Manual of pumps", "Guide › Über die Heizung"),
            KeywordText("c"),
        ]
        await index.add(np.arange(3), texts)
        assert await index.headings(10) == [("Über die Heizung", 2)]
        words = [
            each for text in ("boiler", "pumps", "heizung", "gauge") for each in query_words(text, ("en",))
        ]
        assert await index.knows(words) == [True, True, True, False]
    finally:
        await registry.close()


def test_a_heading_is_one_term() -> None:
    term = heading_term("Guide ›  First\tsteps ")
    assert not any(char.isspace() for char in term.replace("\x1f", ""))
    assert heading_of(term) == "First steps"
    assert heading_term(None) == heading_term(" › ") == ""
    assert len(heading_term("x" * 500)) == 100
