"""The index's files, killed at every step of a write, truncated, changed, lost: what opens is never half."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from support.patience import patience
from test_vector_index import DIMENSION, an_index, brute, clustered, merged, refill, same, until

from semantik.config.settings import IndexSettings
from semantik.index import VectorIndex, ranges, recovery
from semantik.index.files import tombstones
from semantik.index.files.durable import Damaged

SETTINGS = IndexSettings(engine="annoy", exact_below=300, tail_rows=100, trees=5, target_recall=0.5)
ROWS = 800
VECTORS = clustered(ROWS)
KEPT = 303  # rows in three segments before the step that kills
EARLY, LATE = (10, 20), (250, 260)  # deleted before that step, and in it


async def check(index: VectorIndex, gone: set[int]) -> None:
    """After a refill the index answers as brute force does."""
    held: dict[int, NDArray[np.float16]] = {s: VECTORS[s] for s in range(ROWS) if s not in gone}
    await refill(index, held)
    await until(lambda: merged(index, index._context.settings))
    assert index.last_seq == ROWS - 1
    assert index.stats().vectors == len(held)
    for own in range(0, ROWS, 37):
        query = VECTORS[own].astype(np.float32)
        assert same(await index.nearest(query, ROWS), brute(held, query, ROWS)), (
            "all of them: no engine helps"
        )


def names(folder: Path) -> set[str]:
    return {path.name for path in (folder / "c" / "0").iterdir()}


def named(folder: Path) -> set[str]:
    body = json.loads((folder / "c" / "0" / "manifest.json").read_text())["index"]
    return {"manifest.json", body["tombstones"], *(segment["name"] for segment in body["segments"])}


async def prepare(index: VectorIndex) -> None:
    """Three segments of 101 rows and a tombstone."""
    for start in range(0, KEPT, 101):
        await index.add(np.arange(start, start + 101), VECTORS[start : start + 101])
        await until(lambda: index.stats().unsaved == 0)
    await index.delete([EARLY])


async def die(folder: Path, step: str) -> None:
    """In a process of its own: freeze, merge and delete until the failpoint kills it."""
    async with an_index(folder, SETTINGS) as index:
        await prepare(index)
        os.environ["SEMANTIK_INDEX_FAILPOINT"] = step
        await index.add(np.arange(KEPT, 420), VECTORS[KEPT:420])
        await index.delete([LATE])
        await until(lambda: False)


STEPS = [
    "segment-vectors",
    "segment-seqs",
    "segment-synced",
    "manifest-written",
    "manifest-renamed",
    "tombstones-written",
    "tombstones-synced",
    "tombstones-created",
    "merge-engine",
    "merge-removed",
]


@pytest.mark.parametrize("step", STEPS)
def test_killed_at_every_step(tmp_path: Path, step: str) -> None:
    child = subprocess.run(
        [sys.executable, "-c", f"import test_segments as t; t.start({str(tmp_path)!r}, {step!r})"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(str(Path(__file__).parents[n]) for n in (0, 1, 2))},
        timeout=patience(),
        check=False,
    )
    assert child.returncode == -signal.SIGKILL, "the step was never reached"

    async def test() -> None:
        recovery.load(tmp_path / "c" / "0", DIMENSION)
        assert names(tmp_path) == named(tmp_path), "leftovers are removed"
        async with an_index(tmp_path, SETTINGS) as index:
            assert index.last_seq in (KEPT - 1, 419)
            for own in range(*EARLY):
                found = await index.nearest(VECTORS[own].astype(np.float32), 1)
                assert not set(range(*EARLY)) & {hit.seq for hit in found}, "a confirmed deletion holds"
            # Whether the second deletion was confirmed the caller cannot know, so it deletes again.
            await index.delete([LATE])
            await check(index, set(range(*EARLY)) | set(range(*LATE)))
        async with an_index(tmp_path, SETTINGS) as index:
            await check(index, set(range(*EARLY)) | set(range(*LATE)))

    asyncio.run(test())


def start(folder: str, step: str) -> None:
    asyncio.run(die(Path(folder), step))


def truncate(name: str) -> Callable[[Path], None]:
    def harm(segment: Path) -> None:
        os.truncate(segment / name, (segment / name).stat().st_size - 2)

    return harm


def flip(segment: Path) -> None:
    raw = bytearray((segment / "seqs.i64").read_bytes())
    raw[40] ^= 1
    (segment / "seqs.i64").write_bytes(raw)


def lose(segment: Path) -> None:
    (segment / "vectors.f16").unlink()


def edit_manifest(change: Callable[[str], str]) -> Callable[[Path], None]:
    def harm(segment: Path) -> None:
        path = segment.parent / "manifest.json"
        path.write_text(change(path.read_text()))

    return harm


def lose_manifest(segment: Path) -> None:
    (segment.parent / "manifest.json").unlink()


def empty_tombstones(segment: Path) -> None:
    for path in segment.parent.glob("tombstones-*"):
        path.write_bytes(path.read_bytes()[:-30])


DAMAGES = {
    "vectors truncated": (truncate("vectors.f16"), 1),
    "vectors lost": (lose, 1),
    "seqs truncated": (truncate("seqs.i64"), 1),
    "seqs changed": (flip, 1),
    "manifest changed": (edit_manifest(lambda text: text.replace('"rows": 101', '"rows": 100')), 0),
    "manifest cut": (edit_manifest(lambda text: text[:-100]), 0),
    "manifest empty": (edit_manifest(lambda text: ""), 0),
    "manifest of another kind": (edit_manifest(lambda text: "[1, 2]"), 0),
    "manifest lost": (lose_manifest, 0),
}


@pytest.mark.noisy
@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_goes_with_all_that_follows(
    tmp_path: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    harm, sound = DAMAGES[damage]

    async def test() -> None:
        async with an_index(tmp_path, SETTINGS) as index:
            await prepare(index)
        second = sorted((tmp_path / "c" / "0").glob("101-201-*"))
        harm(second[0])
        async with an_index(tmp_path, SETTINGS) as index:
            assert len(caplog.records) == 1 and "will be added again" in caplog.text
            assert index.last_seq == (100 if sound else -1)
            if not sound:
                await index.delete([EARLY])
            await check(index, set(range(*EARLY)))
        async with an_index(tmp_path, SETTINGS) as index:
            await check(index, set(range(*EARLY)))
        assert len(caplog.records) == 1

    asyncio.run(test())


@pytest.mark.noisy
def test_a_damaged_annoy_segment(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def test() -> None:
        async with an_index(tmp_path, SETTINGS) as index:
            await index.add(np.arange(ROWS), VECTORS)
            await index.delete([EARLY])
            await until(lambda: merged(index, SETTINGS))
            assert index.stats().engine == "annoy"
        (forest,) = tmp_path.rglob("forest.annoy")
        truncate("vectors.f16")(forest.parent)
        async with an_index(tmp_path, SETTINGS) as index:
            assert index.last_seq == -1 and len(caplog.records) == 1
            await check(index, set(range(*EARLY)))

    asyncio.run(test())


@pytest.mark.noisy
def test_another_dimension_starts_anew(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def test() -> None:
        async with an_index(tmp_path, SETTINGS) as index:
            await prepare(index)
        body = (tmp_path / "c" / "0" / "manifest.json").read_text()
        assert f'"dimension": {DIMENSION}' in body
        opened = recovery.load(tmp_path / "c" / "0", 8)
        assert opened.last_seq == -1 and "8 are needed" in caplog.text

    asyncio.run(test())


@pytest.mark.noisy
def test_lost_tombstones_lose_the_index(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing deleted may come back: without its tombstones no segment can be trusted."""

    async def test() -> None:
        async with an_index(tmp_path, SETTINGS) as index:
            await prepare(index)
            # Closing saves these, and a manifest that knows how many tombstones there were.
            await index.add(np.arange(KEPT, 350), VECTORS[KEPT:350])
        empty_tombstones(next((tmp_path / "c" / "0").glob("0-*")))
        async with an_index(tmp_path, SETTINGS) as index:
            assert index.last_seq == -1 and "tombstones" in caplog.text

    asyncio.run(test())


def test_the_log_of_tombstones(tmp_path: Path) -> None:
    path = tmp_path / "log"
    first, second = ranges.normalize([(1, 5), (7, 9)]), ranges.normalize([(20, 30)])
    tombstones.create(path, first)
    held = tombstones.append(path, 2, second)
    whole = path.read_bytes()
    assert held == 3 and tombstones.read(path, 2)[0].tolist() == [[1, 5], [7, 9], [20, 30]]
    for cut in range(len(whole) - 1, len(whole) - 20, -1):
        path.write_bytes(whole[:cut])
        assert tombstones.read(path, 2)[1] == 2, "a torn record was never confirmed"
        with pytest.raises(Damaged):
            tombstones.read(path, 3)
    path.write_bytes(whole[:45])
    tombstones.append(path, 2, second)
    assert path.read_bytes() == whole, "the torn record is written over"
    path.write_bytes(whole + bytes(40))
    assert tombstones.read(path, 3)[1] == 3, "a page of zeros is no record"
    path.write_bytes(whole[:20] + bytes(20) + whole[40:])
    with pytest.raises(Damaged):
        tombstones.read(path, 2)
    path.unlink()
    with pytest.raises(Damaged):
        tombstones.read(path, 0)


def test_leftovers_are_removed(tmp_path: Path) -> None:
    async def test() -> None:
        async with an_index(tmp_path, SETTINGS) as index:
            await prepare(index)
        home = tmp_path / "c" / "0"
        (home / "5-9-abcdef01").mkdir()
        (home / "5-9-abcdef01" / "vectors.f16").write_bytes(b"half")
        (home / "manifest.json.new").write_text("half")
        (home / "tombstones-old").write_text("old")
        recovery.load(home, DIMENSION)
        assert names(tmp_path) == named(tmp_path)
        async with an_index(tmp_path, SETTINGS) as index:
            await check(index, set(range(*EARLY)))

    asyncio.run(test())
