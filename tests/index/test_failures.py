"""Failures around the index: invalid input, a disk that cannot be written, cancelled callers."""

from __future__ import annotations

import asyncio
import logging
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_segments import SETTINGS
from test_vector_index import DIMENSION, clustered_vectors, merged, open_index, open_registry, until

from semantik.core.errors import Conflict, Invalid, Unavailable
from semantik.index import VectorIndex, state


@pytest.mark.parametrize(
    ("seqs", "vectors"),
    [
        (np.arange(3, dtype=np.int32), clustered_vectors(3)),
        (np.arange(3), clustered_vectors(3).astype(np.float32)),
        (np.arange(3), clustered_vectors(3, DIMENSION + 1)),
        (np.arange(2), clustered_vectors(3)),
        (np.array([1, 1, 2]), clustered_vectors(3)),
        (np.array([3, 2, 1]), clustered_vectors(3)),
        (np.array([-1, 0, 1]), clustered_vectors(3)),
    ],
)
def test_invalid_vectors_and_seqs_are_refused(tmp_path: Path, seqs: Any, vectors: Any) -> None:
    async def test() -> None:
        async with open_index(tmp_path) as index:
            with pytest.raises(Invalid):
                await index.add(seqs, vectors)
            assert index.last_seq == -1

    asyncio.run(test())


def test_invalid_queries_ranges_and_names_are_refused(tmp_path: Path) -> None:
    good = np.ones(DIMENSION, np.float32)

    async def test() -> None:
        async with open_registry(tmp_path) as registry:
            index = await registry.open("c", 0, DIMENSION)
            for bad in (
                np.zeros(DIMENSION),
                good[:-1],
                good * np.nan,
                good * np.inf,
                np.ones((1, DIMENSION)),
            ):
                with pytest.raises(Invalid):
                    await index.nearest(bad.astype(np.float32), 10)
            with pytest.raises(Invalid):
                await index.nearest(good, 0)
            for wrong in ([(3, 1)], [(1, 2, 3)], [(0.5, 2)], [(1, 2), (3,)], [("a", "b")]):
                with pytest.raises(Invalid):
                    await index.nearest(good, 1, wrong)
                with pytest.raises(Invalid):
                    await index.delete(wrong)
            for name in ("", "..", "a/b", "a\0", "x" * 200):
                with pytest.raises(Invalid):
                    await registry.open(name, 0, DIMENSION)
                with pytest.raises(Invalid):
                    await registry.drop(name)
            with pytest.raises(Conflict):
                await registry.open("c", 0, DIMENSION + 1)

    asyncio.run(test())


def test_a_cancelled_add_leaves_no_gap(tmp_path: Path) -> None:
    vectors = clustered_vectors(100)

    async def test() -> None:
        async with open_index(tmp_path) as index:
            release = threading.Event()
            index._context.writer.submit(release.wait, 60)
            adding = asyncio.create_task(index.add(np.arange(50), vectors[:50]))
            await asyncio.sleep(0)
            adding.cancel()
            release.set()
            await index.add(np.arange(50, 100), vectors[50:])
            found = await index.nearest(vectors[0].astype(np.float32), 100)
            assert len(found) == 100

    asyncio.run(test())


@pytest.mark.noisy
def test_an_unwritable_disk_refuses_writes_until_it_recovers(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(state, "_MEM_TABLE_BYTES", 300 * DIMENSION * 2)
    vectors = clustered_vectors(600)
    home, aside = tmp_path / "c" / "0", tmp_path / "aside"

    async def test() -> None:
        async with open_index(tmp_path) as index:
            await index.add(np.arange(60), vectors[:60])
            await until(lambda: index.stats().unsaved == 0)
            home.rename(aside)
            home.write_text("a file where the folder was: nothing can be written")
            await index.add(np.arange(60, 200), vectors[60:200])
            await until(lambda: "saving new vectors failed" in caplog.text)
            with pytest.raises(Unavailable, match="deletion could not be saved"):
                await index.delete([(3, 4)])
            with pytest.raises(Unavailable, match="cannot take more vectors"):
                await index.add(np.arange(200, 500), vectors[200:500])
            assert index.last_seq == 199
            found = await index.nearest(vectors[3].astype(np.float32), 300)
            assert sorted(hit.seq for hit in found) == [s for s in range(200) if s != 3]
            home.unlink()
            aside.rename(home)
            await index.delete([(3, 4)])
            await index.add(np.arange(200, 500), vectors[200:500])
            await until(lambda: index.stats().unsaved == 0 and "works again" in caplog.text)
        warnings = [record for record in caplog.records if record.levelno == logging.WARNING]
        assert len(warnings) == 1, "a continuing failure is logged once"
        async with open_index(tmp_path) as index:
            assert index.last_seq == 499 and index.stats().vectors == 499

    asyncio.run(test())


@pytest.mark.noisy
def test_a_folder_that_cannot_be_created(tmp_path: Path) -> None:
    (tmp_path / "c").write_text("a file is in the way")

    async def test() -> None:
        async with open_registry(tmp_path) as registry:
            with pytest.raises(Unavailable, match="cannot be opened"):
                await registry.open("c", 0, DIMENSION)
            (tmp_path / "c").unlink()
            assert (await registry.open("c", 0, DIMENSION)).last_seq == -1

    asyncio.run(test())


@pytest.mark.noisy
@pytest.mark.parametrize("value", [np.nan, np.inf, 0.0, 2.0])
def test_an_invalid_vector_does_not_exclude_others(
    tmp_path: Path, value: float, caplog: pytest.LogCaptureFixture
) -> None:
    vectors = clustered_vectors(400)
    vectors[7], vectors[399] = value, value

    async def found(index: VectorIndex) -> set[int]:
        return {hit.seq for hit in await index.nearest(vectors[0].astype(np.float32), 500)}

    async def test() -> None:
        valid = set(range(400)) - {7, 399}
        async with open_index(tmp_path, SETTINGS) as index:
            await index.add(np.arange(90), vectors[:90])
            assert await found(index) == valid & set(range(90))
            await index.add(np.arange(60, 400), vectors[60:])
            await until(lambda: merged(index, SETTINGS))
            assert await found(index) == valid and index.last_seq == 399
        async with open_index(tmp_path, SETTINGS) as index:
            assert await found(index) == valid and index.last_seq == 399
        assert len(caplog.records) == 2 and "the first of seq 7," in caplog.records[0].getMessage()

    asyncio.run(test())


def test_a_closed_registry_opens_nothing(tmp_path: Path) -> None:
    """A search may come while the server stops, and the folder belongs to the next one then."""

    async def test() -> None:
        async with open_registry(tmp_path, SETTINGS) as registry:
            await registry.open("c", 0, DIMENSION)
        with pytest.raises(Unavailable, match="stopping"):
            await registry.open("c", 0, DIMENSION)

    asyncio.run(test())
