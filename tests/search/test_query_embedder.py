"""Questions that come together are embedded together; one that is late, or fails, harms no other."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from semantik.config.settings import SearchSettings
from semantik.core.errors import Invalid, Unavailable
from semantik.search.query_embedder import QueryEmbedder

pytestmark = pytest.mark.gen_test


class Model:
    """Embeds when it is let; remembers what it was asked."""

    def __init__(self) -> None:
        self.calls: list[list[str]] = []
        self.go = asyncio.Event()

    async def embed(self, model: str, precision: str, texts: Sequence[str]) -> NDArray[np.float32]:
        self.calls.append(list(texts))
        await self.go.wait()
        if "bad" in texts:
            raise Invalid("The model does not like this.")
        return np.array([[len(text), 0.0] for text in texts], np.float32)


async def test_those_that_wait_are_embedded_in_one_call_and_remembered() -> None:
    model = Model()
    questions = QueryEmbedder(model.embed, lambda: SearchSettings(timeout_s=5))
    first = asyncio.create_task(questions.embed("m", "auto", "first"))
    await asyncio.sleep(0)
    later = [asyncio.create_task(questions.embed("m", "auto", "x" * n)) for n in (1, 2, 3, 3)]
    await asyncio.sleep(0)
    model.go.set()
    assert [float((await task)[0]) for task in (first, *later)] == [5, 1, 2, 3, 3]
    assert sorted(text for call in model.calls for text in call) == ["first", "x", "xx", "xxx"]
    assert len(model.calls) <= 2
    await questions.embed("m", "auto", "first")
    assert len(model.calls) <= 2
    await questions.close()


async def test_one_that_is_late_gets_unavailable_and_the_answer_is_kept_for_the_next() -> None:
    model = Model()
    questions = QueryEmbedder(model.embed, lambda: SearchSettings(timeout_s=0.01))
    with pytest.raises(Unavailable, match="loading"):
        await questions.embed("m", "auto", "hello")
    model.go.set()
    await asyncio.sleep(0.02)
    assert float((await questions.embed("m", "auto", "hello"))[0]) == 5
    assert len(model.calls) == 1
    await questions.close()


async def test_a_failure_is_told_and_is_not_remembered() -> None:
    model = Model()
    model.go.set()
    questions = QueryEmbedder(model.embed, lambda: SearchSettings(timeout_s=5))
    with pytest.raises(Invalid):
        await questions.embed("m", "auto", "bad")
    with pytest.raises(Invalid):
        await questions.embed("m", "auto", "bad")
    assert len(model.calls) == 2
    await questions.close()


async def test_closing_lets_nobody_wait() -> None:
    model = Model()
    questions = QueryEmbedder(model.embed, lambda: SearchSettings(timeout_s=5))
    asked = [asyncio.create_task(questions.embed("m", "auto", text)) for text in ("a", "b")]
    await asyncio.sleep(0)
    await questions.close()
    for task in asked:
        with pytest.raises(Unavailable, match="shutting down"):
            await task
