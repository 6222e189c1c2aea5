"""Concurrent queries are embedded in one batch; one that times out or fails does not affect the others."""

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
    """Embeds once `go` is set; records its calls."""

    def __init__(self) -> None:
        self.calls: list[list[str]] = []
        self.go = asyncio.Event()

    async def embed(self, model: str, precision: str, texts: Sequence[str]) -> NDArray[np.float32]:
        self.calls.append(list(texts))
        await self.go.wait()
        if "bad" in texts:
            raise Invalid("The model does not like this.")
        return np.array([[len(text), 0.0] for text in texts], np.float32)


async def test_waiting_queries_are_embedded_in_one_call_and_cached() -> None:
    model = Model()
    embedder = QueryEmbedder(model.embed, lambda: SearchSettings(timeout_s=5))
    first = asyncio.create_task(embedder.embed("m", "auto", "first"))
    await asyncio.sleep(0)
    later = [asyncio.create_task(embedder.embed("m", "auto", "x" * n)) for n in (1, 2, 3, 3)]
    await asyncio.sleep(0)
    model.go.set()
    assert [float((await task)[0]) for task in (first, *later)] == [5, 1, 2, 3, 3]
    assert sorted(text for call in model.calls for text in call) == ["first", "x", "xx", "xxx"]
    assert len(model.calls) <= 2
    await embedder.embed("m", "auto", "first")
    assert len(model.calls) <= 2
    await embedder.close()


async def test_timed_out_query_is_unavailable_and_its_vector_is_cached() -> None:
    model = Model()
    embedder = QueryEmbedder(model.embed, lambda: SearchSettings(timeout_s=0.01))
    with pytest.raises(Unavailable, match="loading"):
        await embedder.embed("m", "auto", "hello")
    model.go.set()
    await asyncio.sleep(0.02)
    assert float((await embedder.embed("m", "auto", "hello"))[0]) == 5
    assert len(model.calls) == 1
    await embedder.close()


async def test_failure_is_raised_and_not_cached() -> None:
    model = Model()
    model.go.set()
    embedder = QueryEmbedder(model.embed, lambda: SearchSettings(timeout_s=5))
    with pytest.raises(Invalid):
        await embedder.embed("m", "auto", "bad")
    with pytest.raises(Invalid):
        await embedder.embed("m", "auto", "bad")
    assert len(model.calls) == 2
    await embedder.close()


async def test_closing_fails_waiting_queries() -> None:
    model = Model()
    embedder = QueryEmbedder(model.embed, lambda: SearchSettings(timeout_s=5))
    waiting = [asyncio.create_task(embedder.embed("m", "auto", text)) for text in ("a", "b")]
    await asyncio.sleep(0)
    await embedder.close()
    for task in waiting:
        with pytest.raises(Unavailable, match="shutting down"):
            await task
