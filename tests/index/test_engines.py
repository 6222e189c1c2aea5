"""Segments with an engine: calibrated when built, exact if calibration fails, built in a pool whose workers may die."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_vector_index import (
    DIMENSION,
    brute_force,
    clustered_vectors,
    in_thread,
    merged,
    open_index,
    same_hits,
    until,
)

from semantik.config.settings import IndexSettings
from semantik.index import VectorIndex
from semantik.index.engines.registry import ENGINES

ROWS = 3000
SETTINGS = IndexSettings(engine="annoy", exact_below=500, tail_rows=100, trees=10, target_recall=0.9)
VECTORS = clustered_vectors(ROWS)
EACH_ENGINE = pytest.mark.parametrize("engine", ENGINES)
STORED = {2 * row: VECTORS[row] for row in range(ROWS)}


async def fill(index: VectorIndex, settings: IndexSettings = SETTINGS, vectors: Any = VECTORS) -> None:
    for start in range(0, ROWS, 250):
        await index.add(2 * np.arange(start, start + 250), vectors[start : start + 250])
    await until(lambda: merged(index, settings))


def queries(count: int) -> np.ndarray:
    return clustered_vectors(count, seed=99).astype(np.float32) + VECTORS[:count].astype(np.float32)


@EACH_ENGINE
def test_recall_matches_the_measured_recall(tmp_path: Path, engine: str) -> None:
    settings = dataclasses.replace(SETTINGS, engine=engine)

    async def test() -> None:
        async with open_index(tmp_path, settings) as index:
            await fill(index, settings)
            stats = index.stats()
            assert stats.engine == engine and stats.vectors == ROWS and stats.segments <= 8
            assert stats.measured_recall is not None and stats.measured_recall >= 0.9
            assert stats.effort is not None and stats.effort < ROWS
            for k in (1, 10, 30, 400):
                hits = expected = 0
                for query in queries(50):
                    found = await index.nearest(query, k)
                    best = brute_force(STORED, query, k)
                    assert len(found) == k
                    assert all(hit.score == pytest.approx(_cosine(hit.seq, query), abs=1e-9) for hit in found)
                    assert found == sorted(found, key=lambda hit: (-hit.score, hit.seq))
                    hits += len({hit.seq for hit in found} & {hit.seq for hit in best})
                    expected += k
                assert hits / expected >= 0.85
        async with open_index(tmp_path, settings) as index:
            assert dataclasses.replace(index.stats(), segments=0) == dataclasses.replace(stats, segments=0)

    asyncio.run(test())


def _cosine(seq: int, query: np.ndarray) -> float:
    vector = STORED[seq].astype(np.float64)
    return float(vector @ query / np.linalg.norm(vector) / np.linalg.norm(query.astype(np.float64)))


@EACH_ENGINE
def test_few_allowed_vectors_are_scanned_exactly(tmp_path: Path, engine: str) -> None:
    settings = dataclasses.replace(SETTINGS, engine=engine)

    async def test() -> None:
        async with open_index(tmp_path, settings) as index:
            await fill(index, settings)
            for query in queries(20):
                for allowed in ([(100, 160)], [(s, s + 3) for s in range(0, 6000, 50)]):
                    assert same_hits(
                        await index.nearest(query, 12, allowed), brute_force(STORED, query, 12, allowed)
                    )

    asyncio.run(test())


@EACH_ENGINE
def test_many_allowed_vectors_are_found_with_the_same_recall(tmp_path: Path, engine: str) -> None:
    """Also if the allowed vectors are the nearest to the query, or the farthest."""
    settings = dataclasses.replace(SETTINGS, engine=engine)

    async def test() -> None:
        async with open_index(tmp_path, settings) as index:
            await fill(index, settings)
            hits = 0
            for query in queries(30):
                order = [hit.seq for hit in brute_force(STORED, query, ROWS)]
                near, far = sorted(order[: ROWS // 2]), sorted(order[ROWS // 2 :])
                for seqs in (near, far):
                    allowed = [(seq, seq + 1) for seq in seqs]
                    found = await index.nearest(query, 10, allowed)
                    best = brute_force({seq: STORED[seq] for seq in seqs}, query, 10)
                    assert len(found) == 10 and {hit.seq for hit in found} <= set(seqs)
                    hits += len({hit.seq for hit in found} & {hit.seq for hit in best})
            assert hits / (30 * 2 * 10) >= 0.85

    asyncio.run(test())


@EACH_ENGINE
def test_tombstones_around_the_query_leave_k_results(tmp_path: Path, engine: str) -> None:
    """All nearest vectors are deleted, so the first candidates of Annoy are useless. There are k results still."""
    settings = dataclasses.replace(SETTINGS, engine=engine)

    async def test() -> None:
        async with open_index(tmp_path, settings) as index:
            await fill(index, settings)
            query = VECTORS[77].astype(np.float32)
            deleted = {hit.seq for hit in brute_force(STORED, query, 300)}
            await index.delete([(seq, seq + 1) for seq in deleted])
            left = {seq: vector for seq, vector in STORED.items() if seq not in deleted}
            found = await index.nearest(query, 10)
            assert len(found) == 10 and not deleted & {hit.seq for hit in found}
            best = {hit.seq for hit in brute_force(left, query, 10)}
            assert len(best & {hit.seq for hit in found}) >= 7
            await index.delete([(0, 4000)])
            await until(lambda: merged(index, settings))
            assert index.stats().vectors == sum(seq >= 4000 for seq in left)

    asyncio.run(test())


def test_segments_below_the_target_recall_are_scanned_exactly(tmp_path: Path) -> None:
    settings = dataclasses.replace(SETTINGS, trees=1, target_recall=1.0)
    noise = np.random.default_rng(3).standard_normal((ROWS, DIMENSION))
    vectors = (noise / np.linalg.norm(noise, axis=1, keepdims=True)).astype(np.float16)
    stored = {2 * row: vectors[row] for row in range(ROWS)}

    async def test() -> None:
        async with open_index(tmp_path, settings) as index:
            await fill(index, settings, vectors)
            assert index.stats().engine == "exact" and index.stats().measured_recall is None
            for query in queries(10):
                assert same_hits(await index.nearest(query, 10), brute_force(stored, query, 10))
        assert not list(tmp_path.rglob("forest.annoy"))

    asyncio.run(test())


@EACH_ENGINE
def test_the_same_vectors_make_the_same_files(tmp_path: Path, engine: str) -> None:
    settings = dataclasses.replace(SETTINGS, engine=engine)

    async def test(folder: Path) -> list[bytes]:
        async with open_index(folder, settings) as index:
            await index.add(np.arange(ROWS), VECTORS)
            await until(lambda: merged(index, settings))
        return [path.read_bytes() for path in sorted(folder.rglob(ENGINES[engine].FILE))]

    first, second = asyncio.run(test(tmp_path / "a")), asyncio.run(test(tmp_path / "b"))
    assert first == second and len(first) == 1


@pytest.mark.noisy
def test_a_merge_is_retried_after_its_worker_was_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    calls = 0

    async def run(function: Callable[..., Any], *args: Any, timeout_s: float) -> Any:
        nonlocal calls
        calls += 1
        with (
            monkeypatch.context() as patched,
            ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool,
        ):
            if calls == 1:
                patched.setenv("SEMANTIK_INDEX_FAILPOINT", "merge-engine")
            return await asyncio.wait_for(asyncio.wrap_future(pool.submit(function, *args)), timeout_s)

    async def test() -> None:
        async with open_index(tmp_path, SETTINGS, run) as index:
            await index.add(2 * np.arange(ROWS), VECTORS)
            await until(lambda: merged(index, SETTINGS))
            assert calls == 2 and index.stats().engine == "annoy"
            warnings = [each for each in caplog.records if each.levelno >= logging.WARNING]
            assert len(warnings) == 1 and "merging segments failed" in caplog.text
            found = await index.nearest(VECTORS[5].astype(np.float32), 3)
            assert found[0].seq == 10 and found[0].score == pytest.approx(1, abs=1e-6)
        assert len(list((tmp_path / "c" / "0").glob("0-*"))) == 1, (
            "leftovers of the killed worker are removed"
        )

    asyncio.run(test())


def test_searches_and_writes_continue_while_a_merge_hangs(tmp_path: Path) -> None:
    entered, release = asyncio.Event(), asyncio.Event()

    async def run(function: Callable[..., Any], *args: Any, timeout_s: float) -> Any:
        entered.set()
        await release.wait()
        return await in_thread(function, *args, timeout_s=timeout_s)

    async def test() -> None:
        async with open_index(tmp_path, SETTINGS, run) as index:
            await index.add(2 * np.arange(1000), VECTORS[:1000])
            await entered.wait()
            query = VECTORS[4].astype(np.float32)
            assert (await index.nearest(query, 1))[0].seq == 8
            await index.delete([(8, 9)])
            await index.add(2 * np.arange(1000, 1200), VECTORS[1000:1200])
            await until(lambda: index.stats().unsaved == 0)
            release.set()
            await until(lambda: merged(index, SETTINGS))
            stored = {s: v for s, v in STORED.items() if s < 2400 and s != 8}
            assert same_hits(await index.nearest(query, 1199), brute_force(stored, query, 1199))
            assert index.stats().vectors == 1199
        release.clear()
        entered.clear()
        async with open_index(tmp_path, SETTINGS, run) as index:
            await index.add(2 * np.arange(1200, ROWS), VECTORS[1200:])
            await entered.wait()
        async with open_index(tmp_path, SETTINGS) as index:
            assert index.last_seq == 2 * (ROWS - 1) and index.dimension == DIMENSION

    asyncio.run(test())
