"""The public interface of the vector index, compared with brute force through adds, deletes, merges and restarts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from support.patience import deadline

from semantik.config.settings import IndexSettings
from semantik.core.errors import Unavailable
from semantik.index import IndexRegistry, ScoredSeq, VectorIndex
from semantik.index.segments.merge_policy import MergeCandidate, choose_merge

DIMENSION = 24
EXACT = IndexSettings(exact_below=1_000_000, tail_rows=50)


def clustered_vectors(rows: int, dimension: int = DIMENSION, seed: int = 0) -> NDArray[np.float16]:
    """Unit float16 vectors, shape (rows, dimension), in nested clusters like those of text embeddings."""
    rng = np.random.default_rng(seed)
    topics = rng.standard_normal((12, dimension))
    themes = topics[rng.integers(0, 12, 60)] + 0.6 * rng.standard_normal((60, dimension))
    vectors = themes[rng.integers(0, 60, rows)] + 0.35 * rng.standard_normal((rows, dimension))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float16)


def brute_force(
    stored: dict[int, NDArray[np.float16]],
    query: NDArray[np.float32],
    k: int,
    allowed: Sequence[tuple[int, int]] | None = None,
    threshold: float = -2.0,
) -> list[ScoredSeq]:
    """The exact result of a search."""
    seqs = [s for s in sorted(stored) if allowed is None or any(a <= s < b for a, b in allowed)]
    if not seqs:
        return []
    rows = np.stack([stored[s] for s in seqs]).astype(np.float64)
    unit = query.astype(np.float64) / np.linalg.norm(query.astype(np.float64))
    cosines = (rows * unit).sum(axis=1) / np.sqrt((rows * rows).sum(axis=1))
    order = sorted(range(len(seqs)), key=lambda i: (-cosines[i], seqs[i]))[:k]
    return [ScoredSeq(seqs[i], float(cosines[i])) for i in order if cosines[i] >= threshold]


def same_hits(found: list[ScoredSeq], expected: list[ScoredSeq]) -> bool:
    return [hit.seq for hit in found] == [hit.seq for hit in expected] and np.allclose(
        [hit.score for hit in found], [hit.score for hit in expected], atol=1e-9
    )


async def in_thread(function: Callable[..., Any], *args: Any, timeout_s: float) -> Any:
    async with asyncio.timeout(timeout_s):
        return await asyncio.to_thread(function, *args)


@asynccontextmanager
async def open_registry(
    folder: Path, settings: IndexSettings = EXACT, run: Any = in_thread
) -> AsyncIterator[IndexRegistry]:
    registry = IndexRegistry(folder, settings, run, retry_s=0.01)
    try:
        yield registry
    finally:
        await registry.close()


@asynccontextmanager
async def open_index(
    folder: Path, settings: IndexSettings = EXACT, run: Any = in_thread
) -> AsyncIterator[VectorIndex]:
    async with open_registry(folder, settings, run) as registry:
        yield await registry.open("c", 0, DIMENSION)


async def until(condition: Callable[[], bool]) -> None:
    """Wait for the effect of background work; fail after the deadline."""
    async with deadline():
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.002)


def merged(index: VectorIndex, settings: IndexSettings) -> bool:
    """Whether no merge is due, every engine file is in use, and the MemTable is within its limit."""
    segments = index._state.snapshot.segments
    if any(segment.engine_pending for segment in segments):
        return False
    due = [MergeCandidate(len(s.rows), s.rows.live_count, s.record.engine) for s in segments]
    return choose_merge(due, settings) is None and index.stats().unsaved <= settings.tail_rows


async def refill(index: VectorIndex, stored: dict[int, NDArray[np.float16]]) -> None:
    """Add the vectors that are newer than the index, as its caller does from MongoDB."""
    seqs = np.array([s for s in sorted(stored) if s > index.last_seq], np.int64)
    if len(seqs):
        await index.add(seqs, np.stack([stored[int(s)] for s in seqs]))


@pytest.mark.parametrize("seed", range(4))
def test_random_operations_equal_brute_force(tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    pool = clustered_vectors(3000, seed=seed)
    # Equal vectors are common in documents, and must be returned in the order of their seqs.
    pool[rng.integers(0, 3000, 300)] = pool[7]
    stored: dict[int, NDArray[np.float16]] = {}
    used, seq = 0, 0

    async def mutate(index: VectorIndex) -> None:
        nonlocal used, seq
        for _ in range(40):
            match rng.integers(0, 4):
                case 0 | 1 if used < 2800:
                    count = int(rng.choice([1, 5, 40, 130]))
                    seqs = seq + np.cumsum(rng.integers(1, 4, count))
                    await index.add(seqs, pool[used : used + count])
                    stored.update(zip(seqs.tolist(), pool[used : used + count], strict=True))
                    used, seq = used + count, int(seqs[-1])
                case 2 if stored and rng.random() < 0.5:
                    starts = rng.integers(0, seq + 1, 3)
                    deleted = [(int(s), int(s + rng.integers(0, 30))) for s in starts]
                    deleted = [(a, min(b, seq + 1)) for a, b in deleted]
                    await index.delete(deleted)
                    for a, b in deleted:
                        for s in range(a, b):
                            stored.pop(s, None)
            query = rng.standard_normal(DIMENSION).astype(np.float32)
            if rng.random() < 0.3:
                query = pool[7].astype(np.float32) * 3
            bounds = np.unique(rng.integers(0, seq + 10, 2 * int(rng.integers(1, 20))))
            some = [(int(a), int(b)) for a, b in zip(bounds[::2], bounds[1::2], strict=False)]
            for allowed in (None, some, [(0, seq + 1)], [(seq // 2, seq // 2 + 3)], []):
                k = int(rng.choice([1, 10, 200]))
                limit = float(rng.choice([-1.0, 0.2]))
                found = await index.nearest(query, k, allowed, limit)
                assert same_hits(found, brute_force(stored, query, k, allowed, limit))
            sample = await index.sample(50)
            assert sample.shape == (min(50, len(stored)), DIMENSION)
            live = {vector.tobytes() for vector in stored.values()}
            assert {vector.tobytes() for vector in sample.astype(np.float16)} <= live

    async def test() -> None:
        for _ in range(4):
            async with open_index(tmp_path) as index:
                assert index.last_seq == (seq if used else -1)
                await mutate(index)
        async with open_index(tmp_path) as index:
            await until(lambda: merged(index, EXACT))
            assert index.stats().vectors == len(stored)
            assert index.stats().segments <= 12
            assert same_hits(
                await index.nearest(pool[0].astype(np.float32), 50), brute_force(stored, pool[0], 50)
            )

    asyncio.run(test())


def test_added_vectors_are_found_at_once_and_only_once(tmp_path: Path) -> None:
    vectors = clustered_vectors(120)

    async def test() -> None:
        async with open_index(tmp_path) as index:
            await index.add(np.arange(60), vectors[:60])
            await index.add(np.arange(30, 120), vectors[30:])
            await index.add(np.arange(10), vectors[:10])
            assert index.last_seq == 119
            found = await index.nearest(vectors[70].astype(np.float32), 200)
            assert found[0].seq == 70 and found[0].score == pytest.approx(1.0, abs=1e-6)
            assert sorted(hit.seq for hit in found) == list(range(120))
            assert all(-1.0 <= hit.score <= 1.0 for hit in found)

    asyncio.run(test())


def test_a_deletion_also_covers_vectors_added_later(tmp_path: Path) -> None:
    vectors = clustered_vectors(500)

    async def test() -> None:
        async with open_index(tmp_path) as index:
            await index.delete([(5, 8), (415, 417)])
        async with open_index(tmp_path) as index:
            for start in range(0, 400, 100):
                await index.add(np.arange(start, start + 100), vectors[start : start + 100])
                await until(lambda: index.stats().unsaved == 0)
            await until(lambda: merged(index, EXACT))
            assert index.stats().segments == 1
        async with open_index(tmp_path) as index:
            await index.add(np.arange(400, 500), vectors[400:])
            found = {hit.seq for hit in await index.nearest(vectors[5].astype(np.float32), 500)}
            assert found == set(range(500)) - {5, 6, 7, 415, 416}

    asyncio.run(test())


def test_a_search_accepts_hundreds_of_thousands_of_ranges(tmp_path: Path) -> None:
    vectors = clustered_vectors(4000)

    async def test() -> None:
        async with open_index(tmp_path) as index:
            await index.add(np.arange(4000) * 100, vectors)
            allowed = [(start, start + 1) for start in range(0, 400_000, 2)]
            found = await index.nearest(vectors[3].astype(np.float32), 5, allowed)
            stored = {100 * row: vectors[row] for row in range(4000)}
            assert same_hits(found, brute_force(stored, vectors[3].astype(np.float32), 5))
            assert (
                await index.nearest(vectors[3].astype(np.float32), 5, [(s + 1, s + 2) for s, _ in allowed])
                == []
            )

    asyncio.run(test())


def test_open_returns_one_index_until_it_is_dropped(tmp_path: Path) -> None:
    vectors = clustered_vectors(300)

    async def test() -> None:
        async with open_registry(tmp_path) as registry:
            first, second = await asyncio.gather(*(registry.open("c", 0, DIMENSION) for _ in range(2)))
            assert first is second
            other = await registry.open("c", 1, DIMENSION)
            await first.add(np.arange(300), vectors)
            await other.add(np.arange(10), vectors[:10])
            await registry.drop("c", 0)
            with pytest.raises(Unavailable):
                await first.nearest(vectors[0].astype(np.float32), 1)
            assert len(await other.nearest(vectors[0].astype(np.float32), 20)) == 10
            assert (await registry.open("c", 0, DIMENSION)).last_seq == -1
            _, fresh = await asyncio.gather(registry.drop("c"), registry.open("c", 1, DIMENSION))
            await fresh.add(np.arange(60), vectors[:60])
            await until(lambda: fresh.stats().unsaved == 0)
            await registry.drop("never-seen")
        assert [path.name for path in tmp_path.iterdir()] == ["c"]

    asyncio.run(test())


def test_an_interrupted_drop_is_completed_at_the_next_start(tmp_path: Path) -> None:
    (tmp_path / "dropped.1234" / "0").mkdir(parents=True)

    async def test() -> None:
        async with open_index(tmp_path):
            assert [path.name for path in tmp_path.iterdir()] == ["c"]

    asyncio.run(test())


def test_searches_during_adds_deletes_merges_and_a_drop(tmp_path: Path) -> None:
    vectors = clustered_vectors(6000)

    async def search_on(index: VectorIndex, stop: asyncio.Event) -> int:
        rng, count = np.random.default_rng(5), 0
        while not stop.is_set():
            known = index.last_seq
            own = int(rng.integers(0, max(1, known + 1)))
            found = await index.nearest(vectors[own].astype(np.float32), 10)
            if known >= 0 and own % 10:
                assert found[0].seq == own, "added vectors must be found while segments are built and merged"
            assert all(hit.seq % 10 or hit.seq > known - 60 for hit in found)
            count += 1
        return count

    async def test() -> None:
        async with open_registry(tmp_path) as registry:
            index = await registry.open("c", 0, DIMENSION)
            stop = asyncio.Event()
            searching = [asyncio.create_task(search_on(index, stop)) for _ in range(3)]
            for start in range(0, 6000, 60):
                await index.add(np.arange(start, start + 60), vectors[start : start + 60])
                await index.delete([(s, s + 1) for s in range(start, start + 60, 10)])
            await until(lambda: merged(index, EXACT))
            stop.set()
            assert min(await asyncio.gather(*searching)) > 0
            assert index.stats().vectors == 5400
            racing = [
                asyncio.create_task(index.nearest(vectors[i].astype(np.float32), 3)) for i in range(1, 40)
            ]
            await asyncio.sleep(0)
            await registry.drop("c")
            for result in await asyncio.gather(*racing, return_exceptions=True):
                assert isinstance(result, Unavailable) or (isinstance(result, list) and len(result) == 3)

    asyncio.run(test())
