"""Every retriever behaves alike: the same calls on each implementation, compared with brute force."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from support.retrievers import DIMENSION, IMPLEMENTATIONS, KEY, Implementation

from semantik.core.errors import Invalid, Unavailable
from semantik.index import RetrievalQuery, ScoredSeq

pytestmark = pytest.mark.gen_test


@pytest.fixture(params=IMPLEMENTATIONS)
def implementation(request: pytest.FixtureRequest) -> Implementation:
    return IMPLEMENTATIONS[request.param]


class Reference:
    """What a retriever must find: the contents by seq, without those deleted, by brute force."""

    def __init__(self, implementation: Implementation) -> None:
        self._implementation = implementation
        self.added: dict[int, Any] = {}
        self.deleted: set[int] = set()

    def add(self, seqs: NDArray[np.int64], contents: Any) -> None:
        for seq, content in zip(seqs.tolist(), contents, strict=True):
            self.added.setdefault(seq, content)

    def delete(self, seqs: Sequence[tuple[int, int]]) -> None:
        for start, end in seqs:
            self.deleted.update(range(start, end))

    @property
    def live(self) -> list[int]:
        return sorted(self.added.keys() - self.deleted)

    def search(
        self,
        query: RetrievalQuery,
        k: int,
        allowed: Sequence[tuple[int, int]] | None = None,
        threshold: float | None = None,
    ) -> list[ScoredSeq]:
        seqs = [
            seq for seq in self.live if allowed is None or any(start <= seq < end for start, end in allowed)
        ]
        scores = self.scores(query, seqs)
        lowest = self._implementation.found_above
        found = [ScoredSeq(seq, score) for seq, score in scores.items() if lowest is None or score > lowest]
        ranked = sorted(found, key=lambda each: (-each.score, each.seq))[:k]
        return [each for each in ranked if threshold is None or each.score >= threshold]

    def scores(self, query: RetrievalQuery, seqs: Sequence[int]) -> dict[int, float]:
        if not seqs:
            return {}
        scores = self._implementation.scores(np.stack([self.added[seq] for seq in seqs]), query)
        return dict(zip(seqs, scores.tolist(), strict=True))

    def assert_same(self, found: list[ScoredSeq], expected: list[ScoredSeq]) -> None:
        assert [each.seq for each in found] == [each.seq for each in expected]
        self.assert_same_scores([each.score for each in found], [each.score for each in expected])

    def assert_same_scores(self, found: list[float], expected: list[float]) -> None:
        comparable = self._implementation.comparable
        tolerance = self._implementation.tolerance
        assert np.allclose(comparable(found), comparable(expected), atol=tolerance)


@pytest.mark.parametrize("seed", range(3))
async def test_random_calls_equal_brute_force(
    implementation: Implementation, tmp_path: Path, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    pool = implementation.contents(1000)
    reference = Reference(implementation)
    next_seq = 0
    for _ in range(3):
        async with implementation.registry(tmp_path) as registry:
            retriever = await registry.open(*KEY)
            # Rows that a crash may have lost are added again, as the caller does from MongoDB.
            lost = [seq for seq in sorted(reference.added) if seq > retriever.last_seq]
            if lost:
                await retriever.add(np.array(lost), np.stack([reference.added[seq] for seq in lost]))
            for _ in range(20):
                step = rng.integers(0, 4)
                if step <= 1 and len(reference.added) < 900:
                    seqs = next_seq + np.cumsum(rng.integers(1, 4, rng.integers(1, 60)))
                    contents = pool[len(reference.added) : len(reference.added) + len(seqs)]
                    await retriever.add(seqs, contents)
                    reference.add(seqs, contents)
                    next_seq = int(seqs[-1]) + 1
                elif step == 2:
                    start = int(rng.integers(0, next_seq + 20))
                    ranges = [(start, start + int(rng.integers(0, 8)))]
                    await retriever.delete(ranges)
                    reference.delete(ranges)
                assert retriever.last_seq == max(reference.added, default=-1)
                assert retriever.size == len(reference.live)
                query = implementation.query(pool, int(rng.integers(0, len(pool))))
                k = int(rng.choice([1, 10, 2000]))
                start = int(rng.integers(0, next_seq + 1))
                allowed = [None, [(start, start + 40), (start + 60, start + 61)]][int(rng.integers(0, 2))]
                threshold = [None, implementation.threshold][int(rng.integers(0, 2))]
                reference.assert_same(
                    await retriever.search(query, k, allowed, threshold),
                    reference.search(query, k, allowed, threshold),
                )
                asked = rng.integers(0, next_seq + 20, 30).tolist()
                expected = reference.scores(query, [seq for seq in reference.live if seq in asked])
                found = await retriever.scores(query, asked)
                assert sorted(found) == sorted(expected)
                reference.assert_same_scores([found[seq] for seq in expected], [*expected.values()])


async def test_seqs_up_to_the_last_one_are_skipped(implementation: Implementation, tmp_path: Path) -> None:
    contents = implementation.contents(30)
    reference = Reference(implementation)
    reference.add(np.arange(30), contents)
    async with implementation.registry(tmp_path) as registry:
        retriever = await registry.open(*KEY)
        await retriever.add(np.arange(20), contents[:20])
        await retriever.add(np.arange(30), np.concatenate((contents[10:20], contents[:10], contents[20:])))
        query = implementation.query(contents, 3)
        reference.assert_same(await retriever.search(query, 30), reference.search(query, 30))


async def test_deletion_applies_to_seqs_added_later(implementation: Implementation, tmp_path: Path) -> None:
    contents = implementation.contents(10)
    for _ in range(2):
        async with implementation.registry(tmp_path) as registry:
            retriever = await registry.open(*KEY)
            await retriever.delete([(3, 6)])
            await retriever.add(np.arange(10), contents)
            found = await retriever.search(implementation.query(contents, 4), 10)
            assert sorted(each.seq for each in found) == [0, 1, 2, 6, 7, 8, 9]
            assert retriever.last_seq == 9 and retriever.size == 7


async def test_invalid_calls_are_rejected(implementation: Implementation, tmp_path: Path) -> None:
    contents = implementation.contents(3)
    query = implementation.query(contents, 0)
    async with implementation.registry(tmp_path) as registry:
        retriever = await registry.open(*KEY)
        for seqs in ([2, 1, 3], [1, 1, 2], [-1, 0, 1]):
            with pytest.raises(Invalid):
                await retriever.add(np.array(seqs), contents)
        with pytest.raises(Invalid):
            await retriever.add(np.arange(2), contents)
        with pytest.raises(Invalid):
            await retriever.delete([(3, 1)])
        with pytest.raises(Invalid):
            await retriever.search(query, 1, [(3, 1)])
        with pytest.raises(Invalid):
            await retriever.search(query, 0)
        assert retriever.last_seq == -1 and retriever.size == 0


async def test_query_is_embedded_only_when_its_vector_is_needed(
    implementation: Implementation, tmp_path: Path
) -> None:
    contents = implementation.contents(3)
    embedded = 0

    async def embed() -> NDArray[np.float32]:
        nonlocal embedded
        embedded += 1
        raise Unavailable("There is no model.", 5)

    query = RetrievalQuery(implementation.query(contents, 0).text, embed)
    async with implementation.registry(tmp_path) as registry:
        retriever = await registry.open(*KEY)
        await retriever.add(np.arange(3), contents)
        if implementation.embeds:
            with pytest.raises(Unavailable, match="no model"):
                await retriever.search(query, 3)
        else:
            assert len(await retriever.search(query, 3)) == 3
    assert embedded == implementation.embeds


async def test_registry_opens_drops_and_closes_retrievers(
    implementation: Implementation, tmp_path: Path
) -> None:
    contents = implementation.contents(8)
    query = implementation.query(contents, 1)
    async with implementation.registry(tmp_path) as registry:
        assert registry.get_if_open("c", 1) is None and registry.open_keys() == []
        first, other = await registry.open(*KEY), await registry.open("c", 2, DIMENSION)
        assert await registry.open(*KEY) is first is registry.get_if_open("c", 1)
        assert sorted(registry.open_keys()) == [("c", 1), ("c", 2)]
        for each in (first, other):
            await each.add(np.arange(8), contents)
        await registry.drop("c", 1)
        assert registry.get_if_open("c", 1) is None and registry.open_keys() == [("c", 2)]
        with pytest.raises(Unavailable):
            await first.search(query, 1)
        with pytest.raises(Unavailable):
            await first.add(np.arange(8, 16), contents)
        assert (await registry.open(*KEY)).last_seq == -1
        assert len(await other.search(query, 8)) == 8
        await registry.drop("c")
        assert registry.open_keys() == []
    with pytest.raises(Unavailable):
        await other.search(query, 1)
