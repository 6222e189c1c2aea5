"""Files of the index that look right and are not, and things that are no files: noticed, thrown away, rebuilt."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import shutil
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest
from test_segments import EARLY, ROWS, SETTINGS, VECTORS, check, prepare
from test_vector_index import DIMENSION, an_index, clustered, indexes, merged, same, until

from semantik.config.settings import IndexSettings
from semantik.core.errors import Unavailable
from semantik.core.models import Generation, VectorBlock
from semantik.index import VectorIndex
from semantik.index.engines.registry import ENGINES
from semantik.index.files import durable
from semantik.search.index_sync import IndexSync
from semantik.storage.mongo import Store


def flip(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw)


def zero(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    raw[200:600] = bytes(400)
    path.write_bytes(raw)


def cut_and_extend(path: Path) -> None:
    size = path.stat().st_size
    os.truncate(path, size // 2)
    os.truncate(path, size)


def wipe(path: Path) -> None:
    """Numbers that lead an Annoy search far out of its file."""
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 4 : -200] = b"\x7f" * (len(raw) - len(raw) // 4 - 200)
    path.write_bytes(raw)


def folder(path: Path) -> None:
    _away(path)
    (path / "in it").mkdir(parents=True)


def fifo(path: Path) -> None:
    _away(path)
    os.mkfifo(path)


def loop(path: Path) -> None:
    _away(path)
    path.symlink_to(path)


def _away(path: Path) -> None:
    shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def second_segment(home: Path) -> Path:
    (found,) = home.glob("101-201-*")
    return found


async def three_segments(folder: Path) -> Path:
    async with an_index(folder, SETTINGS) as index:
        await prepare(index)
    return folder / "c" / "0"


async def one_segment(folder: Path, settings: IndexSettings = SETTINGS) -> Path:
    """An index of one segment; the path of its engine's file."""
    async with an_index(folder, settings) as index:
        await index.add(np.arange(ROWS), VECTORS)
        await until(lambda: merged(index, settings))
        assert index.stats().engine == settings.engine and index.stats().segments == 1
    (path,) = folder.rglob(ENGINES[settings.engine].FILE)
    return path


@pytest.mark.noisy
@pytest.mark.parametrize("name", ["vectors.f16", "seqs.i64"])
@pytest.mark.parametrize("harm", [flip, zero, cut_and_extend])
def test_damage_at_the_same_size(
    tmp_path: Path, name: str, harm: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    async def test() -> None:
        home = await three_segments(tmp_path)
        path = second_segment(home) / name
        harm(path)
        async with an_index(tmp_path, SETTINGS) as index:
            assert index.last_seq == 100
            assert len(caplog.records) == 1 and f"{path} is not what was written" in caplog.text
            await check(index, set(range(*EARLY)))
        async with an_index(tmp_path, SETTINGS) as index:
            await check(index, set(range(*EARLY)))
        assert len(caplog.records) == 1

    asyncio.run(test())


@pytest.mark.noisy
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("harm", [flip, wipe, cut_and_extend, folder, fifo, loop, _away])
def test_a_bad_file_of_an_engine_is_never_used(
    tmp_path: Path, engine: str, harm: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    """The vectors beside it are sound, so nothing has to be fetched: a merge builds it again from them."""
    settings = dataclasses.replace(SETTINGS, engine=engine)

    async def test() -> None:
        path = await one_segment(tmp_path, settings)
        harm(path)
        async with an_index(tmp_path, settings) as index:
            assert index.last_seq == ROWS - 1
            await until(lambda: not path.parent.exists() and merged(index, settings))
            assert len(caplog.records) == 1 and str(path) in caplog.text
            assert index.stats().engine == engine
            await check(index, set())
        (built,) = tmp_path.rglob(path.name)
        assert built != path

    asyncio.run(test())


def test_the_file_of_an_engine_is_used_only_when_it_was_checked(tmp_path: Path) -> None:
    async def test() -> None:
        await one_segment(tmp_path)
        async with indexes(tmp_path, SETTINGS) as opened:
            index = await opened.open("c", 0, DIMENSION)
            (segment,) = index._state.snapshot.segments
            busy = threading.Event()
            index._context.checker.submit(busy.wait, 60)
            query = VECTORS[5].astype(np.float32)
            assert segment.engine_pending
            assert same(await index.nearest(query, 9), (await index.nearest(query, ROWS))[:9])
            busy.set()
            await until(lambda: not segment.engine_pending)
            assert (await index.nearest(query, 1))[0].seq == 5

    asyncio.run(test())


@pytest.mark.noisy
@pytest.mark.parametrize("odd", [folder, fifo, loop])
@pytest.mark.parametrize("place", ["manifest.json", "tombstones", "segment", "vectors.f16", "seqs.i64"])
def test_what_is_no_file_is_removed(
    tmp_path: Path, place: str, odd: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    async def test() -> None:
        home = await three_segments(tmp_path)
        segment = second_segment(home)
        (tombstones,) = home.glob("tombstones-*")
        places = {"manifest.json": home / place, "tombstones": tombstones, "segment": segment}
        path = places.get(place, segment / place)
        odd(path)
        odd(home / "manifest.json.new")
        async with an_index(tmp_path, SETTINGS) as index:
            assert index.last_seq == (-1 if path.parent == home and path != segment else 100)
            assert len(caplog.records) == 1 and str(path) in caplog.text
            if index.last_seq < 0:
                await index.delete([EARLY])
            await check(index, set(range(*EARLY)))
        async with an_index(tmp_path, SETTINGS) as index:
            await check(index, set(range(*EARLY)))
        assert len(caplog.records) == 1 and (home / "manifest.json").is_file()

    asyncio.run(test())


@pytest.mark.noisy
def test_what_cannot_be_removed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    async def test() -> None:
        home = await three_segments(tmp_path)
        folder(home / "manifest.json")
        async with indexes(tmp_path, SETTINGS) as opened:
            with monkeypatch.context() as patched:
                patched.setattr(durable.shutil, "rmtree", refuse)
                with pytest.raises(
                    Unavailable, match=r"manifest\.json: Permission denied\. Let the server's user"
                ):
                    await opened.open("c", 0, DIMENSION)
            await check(await opened.open("c", 0, DIMENSION), set())

    asyncio.run(test())


@pytest.mark.noisy
def test_damage_that_a_merge_meets(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Copied, it would get a good checksum: the index closes instead, and who opens it again adds what lacks."""

    async def test() -> None:
        home = await three_segments(tmp_path)
        async with indexes(tmp_path, SETTINGS) as opened:
            index = await opened.open("c", 0, DIMENSION)
            await until(lambda: merged(index, SETTINGS))
            path = second_segment(home) / "vectors.f16"
            flip(path)
            await index.delete([(101, 180)])
            await until(lambda: index.closed)
            with pytest.raises(Unavailable):
                await index.nearest(VECTORS[0].astype(np.float32), 1)
            again = await opened.open("c", 0, DIMENSION)
            assert again.last_seq == 100
            await check(again, {*range(*EARLY), *range(101, 180)})
        assert len(caplog.records) == 2
        assert all(str(path) in r.getMessage() for r in caplog.records)

    asyncio.run(test())


def test_an_index_opened_anew_is_filled_again(tmp_path: Path) -> None:
    """Seqs without chunks at the end are looked for once in the life of an index, not of a collection."""
    asked: list[int] = []

    async def vectors(generation: Generation, after: int, last: int) -> AsyncIterator[VectorBlock]:
        asked.append(after)
        seqs = np.arange(after + 1, ROWS)
        if len(seqs):
            yield VectorBlock(seqs, VECTORS[seqs])

    store = cast(Store, SimpleNamespace(chunks=SimpleNamespace(vectors=vectors)))
    generation = Generation("c", 0, "m", "auto", 200, 20, DIMENSION, last_seq=ROWS + 5)

    async def test() -> None:
        async with indexes(tmp_path, SETTINGS) as opened:
            kept = IndexSync(store, opened)
            for _ in range(3):
                index = await kept.get_synced_vectors(generation)
            assert index is not None and asked == [-1]
            index.stop()
            await index.wait_stopped()
            shutil.rmtree(tmp_path / "c" / "0")
            again = await kept.get_synced_vectors(generation)
            assert again is not None and again.last_seq == ROWS - 1 and asked == [-1, -1]

    asyncio.run(test())


def test_closed_while_it_is_checked(tmp_path: Path) -> None:
    async def test() -> None:
        await three_segments(tmp_path)
        async with indexes(tmp_path, SETTINGS) as opened:
            busy = threading.Event()
            opened._checker.submit(busy.wait, 60)
            opening = asyncio.create_task(opened.open("c", 0, DIMENSION))
            await asyncio.sleep(0)
            dropping = asyncio.create_task(opened.drop("c"))
            await asyncio.sleep(0)
            busy.set()
            await dropping
            with pytest.raises(Unavailable, match="closed"):
                await opening
            assert (await opened.open("c", 0, DIMENSION)).last_seq == -1

    asyncio.run(test())


@pytest.mark.noisy
@pytest.mark.parametrize("value", [np.nan, np.inf, 0.0, 2.0])
def test_a_vector_that_is_none_keeps_out_no_other(
    tmp_path: Path, value: float, caplog: pytest.LogCaptureFixture
) -> None:
    vectors = clustered(400)
    vectors[7], vectors[399] = value, value

    async def found(index: VectorIndex) -> set[int]:
        return {hit.seq for hit in await index.nearest(vectors[0].astype(np.float32), 500)}

    async def test() -> None:
        sound = set(range(400)) - {7, 399}
        async with an_index(tmp_path, SETTINGS) as index:
            await index.add(np.arange(90), vectors[:90])
            assert await found(index) == sound & set(range(90))
            await index.add(np.arange(60, 400), vectors[60:])
            await until(lambda: merged(index, SETTINGS))
            assert await found(index) == sound and index.last_seq == 399
        async with an_index(tmp_path, SETTINGS) as index:
            assert await found(index) == sound and index.last_seq == 399
        assert len(caplog.records) == 2 and "the first of seq 7," in caplog.records[0].getMessage()

    asyncio.run(test())
