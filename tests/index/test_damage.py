"""Damaged files of the index, and folders, FIFOs or loops in their place: detected, removed, rebuilt."""

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
from test_vector_index import (
    DIMENSION,
    merged,
    open_index,
    open_registry,
    same_hits,
    until,
)

from semantik.config.settings import IndexSettings
from semantik.core.errors import Unavailable
from semantik.core.models import Generation, VectorBlock
from semantik.index.engines.registry import ENGINES
from semantik.index.files import durable
from semantik.search.index_sync import IndexSync
from semantik.search.vector_sync import LocalVectors
from semantik.storage.mongo import Store


def flip_bit(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw)


def zero_bytes(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    raw[200:600] = bytes(400)
    path.write_bytes(raw)


def cut_and_extend(path: Path) -> None:
    size = path.stat().st_size
    os.truncate(path, size // 2)
    os.truncate(path, size)


def overwrite(path: Path) -> None:
    """Write node numbers that would make an Annoy search read far outside of its file."""
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 4 : -200] = b"\x7f" * (len(raw) - len(raw) // 4 - 200)
    path.write_bytes(raw)


def make_folder(path: Path) -> None:
    remove(path)
    (path / "child").mkdir(parents=True)


def make_fifo(path: Path) -> None:
    remove(path)
    os.mkfifo(path)


def make_loop(path: Path) -> None:
    remove(path)
    path.symlink_to(path)


def remove(path: Path) -> None:
    shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def second_segment(home: Path) -> Path:
    (found,) = home.glob("101-201-*")
    return found


async def three_segments(folder: Path) -> Path:
    async with open_index(folder, SETTINGS) as index:
        await prepare(index)
    return folder / "c" / "0"


async def one_segment(folder: Path, settings: IndexSettings = SETTINGS) -> Path:
    """Build an index of one segment; returns the path of its engine file."""
    async with open_index(folder, settings) as index:
        await index.add(np.arange(ROWS), VECTORS)
        await until(lambda: merged(index, settings))
        assert index.stats().engine == settings.engine and index.stats().segments == 1
    (path,) = folder.rglob(ENGINES[settings.engine].FILE)
    return path


@pytest.mark.noisy
@pytest.mark.parametrize("name", ["vectors.f16", "seqs.i64"])
@pytest.mark.parametrize("damage", [flip_bit, zero_bytes, cut_and_extend])
def test_damage_that_keeps_the_size_is_detected(
    tmp_path: Path, name: str, damage: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    async def test() -> None:
        home = await three_segments(tmp_path)
        path = second_segment(home) / name
        damage(path)
        async with open_index(tmp_path, SETTINGS) as index:
            assert index.last_seq == 100
            assert len(caplog.records) == 1 and f"{path} is not what was written" in caplog.text
            await check(index, set(range(*EARLY)))
        async with open_index(tmp_path, SETTINGS) as index:
            await check(index, set(range(*EARLY)))
        assert len(caplog.records) == 1

    asyncio.run(test())


@pytest.mark.noisy
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    "damage", [flip_bit, overwrite, cut_and_extend, make_folder, make_fifo, make_loop, remove]
)
def test_a_damaged_engine_file_is_rebuilt(
    tmp_path: Path, engine: str, damage: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    """The vectors in the same segment are valid, so a merge rebuilds the file from them and nothing is added again."""
    settings = dataclasses.replace(SETTINGS, engine=engine)

    async def test() -> None:
        path = await one_segment(tmp_path, settings)
        damage(path)
        async with open_index(tmp_path, settings) as index:
            assert index.last_seq == ROWS - 1
            await until(lambda: not path.parent.exists() and merged(index, settings))
            assert len(caplog.records) == 1 and str(path) in caplog.text
            assert index.stats().engine == engine
            await check(index, set())
        (built,) = tmp_path.rglob(path.name)
        assert built != path

    asyncio.run(test())


def test_an_engine_file_is_used_only_after_its_check(tmp_path: Path) -> None:
    async def test() -> None:
        await one_segment(tmp_path)
        async with open_registry(tmp_path, SETTINGS) as registry:
            index = await registry.open("c", 0, DIMENSION)
            (segment,) = index._state.snapshot.segments
            release = threading.Event()
            index._context.checker.submit(release.wait, 60)
            query = VECTORS[5].astype(np.float32)
            assert segment.engine_pending
            assert same_hits(await index.nearest(query, 9), (await index.nearest(query, ROWS))[:9])
            release.set()
            await until(lambda: not segment.engine_pending)
            assert (await index.nearest(query, 1))[0].seq == 5

    asyncio.run(test())


@pytest.mark.noisy
@pytest.mark.parametrize("replace", [make_folder, make_fifo, make_loop])
@pytest.mark.parametrize("place", ["manifest.json", "tombstones", "segment", "vectors.f16", "seqs.i64"])
def test_entries_that_are_no_files_are_removed(
    tmp_path: Path, place: str, replace: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    async def test() -> None:
        home = await three_segments(tmp_path)
        segment = second_segment(home)
        (tombstones,) = home.glob("tombstones-*")
        places = {"manifest.json": home / place, "tombstones": tombstones, "segment": segment}
        path = places.get(place, segment / place)
        replace(path)
        replace(home / "manifest.json.new")
        async with open_index(tmp_path, SETTINGS) as index:
            assert index.last_seq == (-1 if path.parent == home and path != segment else 100)
            assert len(caplog.records) == 1 and str(path) in caplog.text
            if index.last_seq < 0:
                await index.delete([EARLY])
            await check(index, set(range(*EARLY)))
        async with open_index(tmp_path, SETTINGS) as index:
            await check(index, set(range(*EARLY)))
        assert len(caplog.records) == 1 and (home / "manifest.json").is_file()

    asyncio.run(test())


@pytest.mark.noisy
def test_an_entry_that_cannot_be_removed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    async def test() -> None:
        home = await three_segments(tmp_path)
        make_folder(home / "manifest.json")
        async with open_registry(tmp_path, SETTINGS) as registry:
            with monkeypatch.context() as patched:
                patched.setattr(durable.shutil, "rmtree", refuse)
                with pytest.raises(
                    Unavailable, match=r"manifest\.json: Permission denied\. Let the server's user"
                ):
                    await registry.open("c", 0, DIMENSION)
            await check(await registry.open("c", 0, DIMENSION), set())

    asyncio.run(test())


@pytest.mark.noisy
def test_damage_found_by_a_merge_closes_the_index(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A copy would get a valid checksum, so the index closes; who reopens it adds the missing vectors."""

    async def test() -> None:
        home = await three_segments(tmp_path)
        async with open_registry(tmp_path, SETTINGS) as registry:
            index = await registry.open("c", 0, DIMENSION)
            await until(lambda: merged(index, SETTINGS))
            path = second_segment(home) / "vectors.f16"
            flip_bit(path)
            await index.delete([(101, 180)])
            await until(lambda: index.closed)
            with pytest.raises(Unavailable):
                await index.nearest(VECTORS[0].astype(np.float32), 1)
            reopened = await registry.open("c", 0, DIMENSION)
            assert reopened.last_seq == 100
            await check(reopened, {*range(*EARLY), *range(101, 180)})
        assert len(caplog.records) == 2
        assert all(str(path) in r.getMessage() for r in caplog.records)

    asyncio.run(test())


def test_a_reopened_index_is_filled_again(tmp_path: Path) -> None:
    """Trailing seqs without chunks are queried once per open index, not once per collection."""
    queried: list[int] = []

    async def vectors(generation: Generation, after: int, last: int) -> AsyncIterator[VectorBlock]:
        queried.append(after)
        seqs = np.arange(after + 1, ROWS)
        if len(seqs):
            yield VectorBlock(seqs, VECTORS[seqs])

    store = cast(Store, SimpleNamespace(chunks=SimpleNamespace(vectors=vectors)))
    generation = Generation("c", 0, "m", "auto", 200, 20, DIMENSION, last_seq=ROWS + 5)

    async def test() -> None:
        async with open_registry(tmp_path, SETTINGS) as registry:
            sync = IndexSync(store, LocalVectors(store, registry))
            for _ in range(3):
                index = await sync.get_synced_vectors(generation)
            assert index is not None and queried == [-1]
            index.stop()
            await index.wait_stopped()
            shutil.rmtree(tmp_path / "c" / "0")
            reopened = await sync.get_synced_vectors(generation)
            assert reopened is not None and reopened.last_seq == ROWS - 1 and queried == [-1, -1]

    asyncio.run(test())


def test_a_drop_during_the_check_closes_the_index(tmp_path: Path) -> None:
    async def test() -> None:
        await three_segments(tmp_path)
        async with open_registry(tmp_path, SETTINGS) as registry:
            release = threading.Event()
            registry._checker.submit(release.wait, 60)
            opening = asyncio.create_task(registry.open("c", 0, DIMENSION))
            await asyncio.sleep(0)
            dropping = asyncio.create_task(registry.drop("c"))
            await asyncio.sleep(0)
            release.set()
            await dropping
            with pytest.raises(Unavailable, match="closed"):
                await opening
            assert (await registry.open("c", 0, DIMENSION)).last_seq == -1

    asyncio.run(test())
