"""How files are grouped for the workers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import pytest

from pipeline.ingest.batches import file_batches
from semantik.config.settings import PoolSettings
from semantik.core.models import Document

pytestmark = pytest.mark.gen_test
LIMITS = PoolSettings(batch_files=128, batch_bytes=1 << 20)


def of_size(number: int, size: int) -> Document:
    return Document(
        id=f"d{number}",
        collection_id="c",
        generation=1,
        source_id="s",
        operation_id="o",
        path=f"/d/{number:06}.txt",
        size=size,
        modified_ns=1,
        status="pending",
    )


async def batch_sizes(sizes: Sequence[int], limits: PoolSettings = LIMITS) -> list[int]:
    async def pages() -> AsyncIterator[list[Document]]:
        yield [of_size(number, size) for number, size in enumerate(sizes)]

    return [len(batch) async for batch in file_batches(pages(), limits)]


async def test_a_batch_of_small_files_has_as_many_as_the_setting_says() -> None:
    assert await batch_sizes([40] * 300) == [128, 128, 44]


async def test_a_batch_of_larger_files_has_sixteen() -> None:
    assert await batch_sizes([20_000] * 40) == [16, 16, 8]


async def test_small_files_of_a_batch_have_64_kib_together_at_most() -> None:
    assert await batch_sizes([1_000] * 130) == [65, 65]


async def test_a_larger_file_ends_a_batch_of_many_small_ones() -> None:
    assert await batch_sizes([40] * 50 + [100_000] + [40] * 5) == [50, 6]


async def test_small_files_never_exceed_the_bytes_of_the_setting() -> None:
    assert await batch_sizes([40] * 10, PoolSettings(batch_files=128, batch_bytes=100)) == [2] * 5


async def test_a_lower_setting_holds_for_files_of_any_size() -> None:
    assert await batch_sizes([40] * 7, PoolSettings(batch_files=3, batch_bytes=1 << 20)) == [3, 3, 1]
    assert await batch_sizes([40_000] * 7, PoolSettings(batch_files=3, batch_bytes=1 << 20)) == [3, 3, 1]


async def test_a_large_file_is_a_batch_of_its_own() -> None:
    assert sorted(await batch_sizes([40, 1 << 20, 40])) == [1, 2]
