"""The index and what goes wrong around it: bad input, a disk that takes nothing, callers that are cancelled."""

from __future__ import annotations

import asyncio
import logging
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_vector_index import DIMENSION, an_index, clustered, indexes, until

from semantik.core.errors import Conflict, Invalid, Unavailable
from semantik.index import state


@pytest.mark.parametrize(
    ("seqs", "vectors"),
    [
        (np.arange(3, dtype=np.int32), clustered(3)),
        (np.arange(3), clustered(3).astype(np.float32)),
        (np.arange(3), clustered(3, DIMENSION + 1)),
        (np.arange(2), clustered(3)),
        (np.array([1, 1, 2]), clustered(3)),
        (np.array([3, 2, 1]), clustered(3)),
        (np.array([-1, 0, 1]), clustered(3)),
    ],
)
def test_what_cannot_be_added_is_refused(tmp_path: Path, seqs: Any, vectors: Any) -> None:
    async def test() -> None:
        async with an_index(tmp_path) as index:
            with pytest.raises(Invalid):
                await index.add(seqs, vectors)
            assert index.last_seq == -1

    asyncio.run(test())


def test_bad_questions_ranges_and_names_are_refused(tmp_path: Path) -> None:
    good = np.ones(DIMENSION, np.float32)

    async def test() -> None:
        async with indexes(tmp_path) as opened:
            index = await opened.open("c", 0, DIMENSION)
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
                    await opened.open(name, 0, DIMENSION)
                with pytest.raises(Invalid):
                    await opened.drop(name)
            with pytest.raises(Conflict):
                await opened.open("c", 0, DIMENSION + 1)

    asyncio.run(test())


def test_a_cancelled_caller_leaves_no_hole(tmp_path: Path) -> None:
    vectors = clustered(100)

    async def test() -> None:
        async with an_index(tmp_path) as index:
            busy = threading.Event()
            index._context.writer.submit(busy.wait, 60)
            adding = asyncio.create_task(index.add(np.arange(50), vectors[:50]))
            await asyncio.sleep(0)
            adding.cancel()
            busy.set()
            await index.add(np.arange(50, 100), vectors[50:])
            found = await index.nearest(vectors[0].astype(np.float32), 100)
            assert len(found) == 100

    asyncio.run(test())


@pytest.mark.noisy
def test_a_disk_that_takes_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(state, "_MEM_TABLE_BYTES", 300 * DIMENSION * 2)
    vectors = clustered(600)
    home, aside = tmp_path / "c" / "0", tmp_path / "aside"

    async def test() -> None:
        async with an_index(tmp_path) as index:
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
        assert len(warnings) == 1, "a failure that goes on is logged once"
        async with an_index(tmp_path) as index:
            assert index.last_seq == 499 and index.stats().vectors == 499

    asyncio.run(test())


@pytest.mark.noisy
def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "c").write_text("a file is in the way")

    async def test() -> None:
        async with indexes(tmp_path) as opened:
            with pytest.raises(Unavailable, match="cannot be opened"):
                await opened.open("c", 0, DIMENSION)
            (tmp_path / "c").unlink()
            assert (await opened.open("c", 0, DIMENSION)).last_seq == -1

    asyncio.run(test())
