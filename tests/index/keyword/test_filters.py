"""Filters of any shape, and deletions: what is found is exactly what brute force finds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from support.keyword_registry import found, open_keywords, words

from semantik.index.keyword import KeywordText, queries, searching, state

pytestmark = pytest.mark.gen_test

N = 3000


def counts() -> NDArray[np.int64]:
    """How often the word is in each of the texts, which have the same length; in many not at all."""
    return np.maximum(0, np.random.default_rng(1).integers(-20, 8, N))


def texts(given: NDArray[np.int64]) -> list[KeywordText]:
    return [KeywordText(" ".join(["kite"] * count + ["boat"] * (8 - count))) for count in given.tolist()]


def brute_force(given: NDArray[np.int64], allowed: NDArray[np.bool_], k: int) -> list[int]:
    seqs = np.flatnonzero(allowed & (given > 0))
    return [int(seq) for seq in seqs[np.lexsort((seqs, -given[seqs]))][:k]]


SHAPES = {
    "one": [(100, 2000)],
    "few": [(n, n + 40) for n in range(0, N, 500)],
    "single seqs": [(n, n + 1) for n in range(0, N, 30)],
    "many": [(n, n + 5) for n in range(0, N, 50)],
    "most": [(n, n + 9) for n in range(0, N, 10)],
    "beyond": [(N - 5, N + 10**15), (10**17, 10**18)],
    "none": [],
    "empty": [(5, 5)],
    "overlapping": [(10, 500), (400, 600), (0, 20)],
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("limit", [10_000, 200])
async def test_a_filter_finds_what_brute_force_finds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shape: str, limit: int
) -> None:
    """With low limits each way of filtering is used: by ranges, by seqs, by blocks, afterwards, and in parts."""
    monkeypatch.setattr(searching, "_FEW_SEQS", 50)
    monkeypatch.setattr(searching, "_MOST_FETCHED", limit)
    monkeypatch.setattr(state, "_MAX_DEAD", 20)
    given = counts()
    async with open_keywords(tmp_path) as index:
        for at in range(0, N, 700):
            await index.add(np.arange(at, min(at + 700, N)), texts(given[at : at + 700]))
            await found(index, "kite")  # a segment for each
        allowed = np.zeros(N, np.bool_)
        for start, end in SHAPES[shape]:
            allowed[start:end] = True
        for deleted in ([], [(7, 9), (100, 101)], [(n, n + 2) for n in range(0, N, 7)]):
            await index.delete(deleted)
            for start, end in deleted:
                allowed[start:end] = False
            for k in (1, 10, 100, N):
                assert await found(index, "kite", k, allowed=SHAPES[shape]) == brute_force(given, allowed, k)


async def test_common_words_order_what_rare_words_find(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of many chunks the common words are looked up only in the best; the order is the same."""
    rng = np.random.default_rng(2)
    rare = rng.random(2000) < 0.03
    common = rng.random(2000) < 0.3
    given = [
        KeywordText(" ".join(["kite" if r else "boat", "red" if c else "dull", "the"]))
        for r, c in zip(rare.tolist(), common.tolist(), strict=True)
    ]
    async with open_keywords(tmp_path) as index:
        await index.add(np.arange(2000), given)
        exact = await index.search(words("the red kite"), 10)
        monkeypatch.setattr(queries, "_MANY_CHUNKS", 100)
        quick = await index.search(words("the red kite"), 10)
        both = np.flatnonzero(rare & common)
        assert [each.seq for each in quick] == [each.seq for each in exact] == both[:10].tolist()
        scores = await index.scores(words("the red kite"), [each.seq for each in quick])
        assert scores == pytest.approx({each.seq: each.score for each in quick}, abs=1e-5)
        assert len(await found(index, "the red", 2000)) == int(common.sum())
        assert len(await found(index, "the", 2000)) == 2000
        assert set(await found(index, "the red kite", 2000)) >= set(np.flatnonzero(rare | common).tolist())
