"""Rerank: the best hits in the model's order, never later than the budget, and never an error of the search."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from support.patience import patience

from semantik.config.settings import SearchSettings
from semantik.core.errors import Invalid
from semantik.search.hits import Hit, Scores
from semantik.search.rerank import CANDIDATES, Reranker

ON = SearchSettings(reranker="small", rerank_budget_ms=200)


def _hits(count: int) -> list[Hit]:
    """Hits whose texts are their numbers; reranking reads nothing else of them."""
    nothing: Any = None
    hits = []
    for number in range(count):
        chunk: Any = SimpleNamespace(text=str(number), embedded=str(number))
        hits.append(Hit(chunk, nothing, nothing, Scores(0.5, 1.0, 1 - number / 100)))
    return hits


def _order(hits: Sequence[Hit]) -> list[int]:
    return [int(hit.chunk.text) for hit in hits]


async def _by_number(model: str, query: str, texts: Sequence[str]) -> list[float]:
    return [float(text) for text in texts]


@pytest.mark.gen_test
async def test_the_best_are_in_the_models_order_and_the_others_follow() -> None:
    reranked = await Reranker(_by_number, lambda: replace(ON, rerank_budget_ms=60_000)).rerank(
        "q", _hits(CANDIDATES + 5)
    )
    expected = [*reversed(range(CANDIDATES)), *range(CANDIDATES, CANDIDATES + 5)]
    assert _order(reranked.hits) == expected
    assert reranked.hits[0].scores.rerank == CANDIDATES - 1
    assert reranked.hits[-1].scores.rerank is None


@pytest.mark.gen_test
async def test_without_a_model_nothing_changes() -> None:
    reranked = await Reranker(_by_number, SearchSettings).rerank("q", _hits(3))
    assert _order(reranked.hits) == [0, 1, 2] and reranked.failure is None


@pytest.mark.gen_test
async def test_what_is_not_scored_in_time_keeps_its_place() -> None:
    calls: list[int] = []
    never = asyncio.Event()

    async def score(model: str, query: str, texts: Sequence[str]) -> list[float]:
        calls.append(len(texts))
        if len(calls) > 1:
            await never.wait()
        return [float(text) for text in texts]

    reranker = Reranker(score, lambda: ON)
    started = time.monotonic()
    reranked = await reranker.rerank("q", _hits(12))
    took_s = time.monotonic() - started
    first = calls[0]
    assert _order(reranked.hits) == [*reversed(range(first)), *range(first, 12)]
    assert 0.19 < took_s < patience(5)
    await reranker.close()


@pytest.mark.gen_test
async def test_a_call_that_is_late_is_not_cancelled_and_the_next_search_does_not_wait_longer() -> None:
    loading, scored = asyncio.Event(), []

    async def score(model: str, query: str, texts: Sequence[str]) -> list[float]:
        await loading.wait()
        scored.append(query)
        return [float(text) for text in texts]

    reranker = Reranker(score, lambda: replace(ON, rerank_budget_ms=20))
    for query in ("first", "second"):
        assert _order((await reranker.rerank(query, _hits(3))).hits) == [0, 1, 2]
    loading.set()
    reranked = await Reranker(_by_number, lambda: ON).rerank("q", _hits(3))
    assert _order(reranked.hits) == [2, 1, 0]
    await asyncio.sleep(0)
    await reranker.close()
    assert scored == ["first"]  # the second search had ended before its turn


@pytest.mark.gen_test
async def test_too_many_waiting_searches_are_not_reranked() -> None:
    never = asyncio.Event()

    async def score(model: str, query: str, texts: Sequence[str]) -> list[float]:
        await never.wait()
        return []

    reranker = Reranker(score, lambda: replace(ON, rerank_budget_ms=60_000))
    waiting = [asyncio.ensure_future(reranker.rerank(str(number), _hits(3))) for number in range(4)]
    await asyncio.sleep(0)
    assert _order((await asyncio.wait_for(reranker.rerank("q", _hits(3)), 5)).hits) == [0, 1, 2]
    for each in waiting:
        each.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    await reranker.close()


@pytest.mark.noisy
@pytest.mark.gen_test
async def test_a_model_that_cannot_be_loaded_is_said_and_not_tried_with_every_search() -> None:
    tried: list[str] = []

    async def score(model: str, query: str, texts: Sequence[str]) -> list[float]:
        tried.append(model)
        raise Invalid("There is no model 'small' on this machine.")

    reranker = Reranker(score, lambda: ON)
    for _ in range(2):
        reranked = await reranker.rerank("q", _hits(3))
        assert _order(reranked.hits) == [0, 1, 2]
        assert reranked.failure == "There is no model 'small' on this machine."
    assert tried == ["small"]
