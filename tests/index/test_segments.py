"""The files of the index after a kill at each write step, truncation, changes and loss: recovery is never partial."""

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
from test_vector_index import (
    DIMENSION,
    brute_force,
    clustered_vectors,
    merged,
    open_index,
    refill,
    same_hits,
    until,
)

from semantik.config.settings import IndexSettings
from semantik.index import VectorIndex, ranges, recovery
from semantik.index.files import tombstones
from semantik.index.files.durable import Damaged

SETTINGS = IndexSettings(engine="annoy", exact_below=300, tail_rows=100, trees=5, target_recall=0.5)
ROWS = 800
VECTORS = clustered_vectors(ROWS)
SAVED = 303  # rows in three segments before the failpoint
EARLY, LATE = (10, 20), (250, 260)  # deleted before the failpoint and during it


async def check(index: VectorIndex, deleted: set[int]) -> None:
    """After a refill the index returns the same hits as brute force."""
    stored: dict[int, NDArray[np.float16]] = {s: VECTORS[s] for s in range(ROWS) if s not in deleted}
    await refill(index, stored)
    await until(lambda: merged(index, index._context.settings))
    assert index.last_seq == ROWS - 1
    assert index.stats().vectors == len(stored)
    for own in range(0, ROWS, 37):
        query = VECTORS[own].astype(np.float32)
        assert same_hits(await index.nearest(query, ROWS), brute_force(stored, query, ROWS)), (
            "exact, because k covers every row"
        )


def file_names(folder: Path) -> set[str]:
    return {path.name for path in (folder / "c" / "0").iterdir()}


def manifest_names(folder: Path) -> set[str]:
    body = json.loads((folder / "c" / "0" / "manifest.json").read_text())["index"]
    return {"manifest.json", body["tombstones"], *(segment["name"] for segment in body["segments"])}


async def prepare(index: VectorIndex) -> None:
    """Three segments of 101 rows and a tombstone."""
    for start in range(0, SAVED, 101):
        await index.add(np.arange(start, start + 101), VECTORS[start : start + 101])
        await until(lambda: index.stats().unsaved == 0)
    await index.delete([EARLY])


async def write_until_killed(folder: Path, step: str) -> None:
    """In a separate process: flush, merge and delete until the failpoint kills it."""
    async with open_index(folder, SETTINGS) as index:
        await prepare(index)
        os.environ["SEMANTIK_INDEX_FAILPOINT"] = step
        await index.add(np.arange(SAVED, 420), VECTORS[SAVED:420])
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
def test_recovery_after_a_kill_at_each_step(tmp_path: Path, step: str) -> None:
    child = subprocess.run(
        [sys.executable, "-c", f"import test_segments as t; t.start({str(tmp_path)!r}, {step!r})"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(str(Path(__file__).parents[n]) for n in (0, 1, 2))},
        timeout=patience(),
        check=False,
    )
    assert child.returncode == -signal.SIGKILL, "the failpoint was never reached"

    async def test() -> None:
        recovery.load(tmp_path / "c" / "0", DIMENSION)
        assert file_names(tmp_path) == manifest_names(tmp_path), "leftovers are removed"
        async with open_index(tmp_path, SETTINGS) as index:
            assert index.last_seq in (SAVED - 1, 419)
            for own in range(*EARLY):
                found = await index.nearest(VECTORS[own].astype(np.float32), 1)
                assert not set(range(*EARLY)) & {hit.seq for hit in found}, "a confirmed deletion holds"
            # The caller cannot know whether the second deletion was confirmed, so it deletes again.
            await index.delete([LATE])
            await check(index, set(range(*EARLY)) | set(range(*LATE)))
        async with open_index(tmp_path, SETTINGS) as index:
            await check(index, set(range(*EARLY)) | set(range(*LATE)))

    asyncio.run(test())


def start(folder: str, step: str) -> None:
    asyncio.run(write_until_killed(Path(folder), step))


def truncate(name: str) -> Callable[[Path], None]:
    def change_file(segment: Path) -> None:
        os.truncate(segment / name, (segment / name).stat().st_size - 2)

    return change_file


def flip_bit(segment: Path) -> None:
    raw = bytearray((segment / "seqs.i64").read_bytes())
    raw[40] ^= 1
    (segment / "seqs.i64").write_bytes(raw)


def remove_vectors(segment: Path) -> None:
    (segment / "vectors.f16").unlink()


def edit_manifest(change: Callable[[str], str]) -> Callable[[Path], None]:
    def change_file(segment: Path) -> None:
        path = segment.parent / "manifest.json"
        path.write_text(change(path.read_text()))

    return change_file


def remove_manifest(segment: Path) -> None:
    (segment.parent / "manifest.json").unlink()


def truncate_tombstones(segment: Path) -> None:
    for path in segment.parent.glob("tombstones-*"):
        path.write_bytes(path.read_bytes()[:-30])


DAMAGES = {
    "vectors truncated": (truncate("vectors.f16"), 1),
    "vectors lost": (remove_vectors, 1),
    "seqs truncated": (truncate("seqs.i64"), 1),
    "seqs changed": (flip_bit, 1),
    "manifest changed": (edit_manifest(lambda text: text.replace('"rows": 101', '"rows": 100')), 0),
    "manifest cut": (edit_manifest(lambda text: text[:-100]), 0),
    "manifest empty": (edit_manifest(lambda text: ""), 0),
    "manifest of another kind": (edit_manifest(lambda text: "[1, 2]"), 0),
    "manifest lost": (remove_manifest, 0),
}


@pytest.mark.noisy
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_segment_is_removed_with_all_later_ones(
    tmp_path: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    damage_segment, rest_is_valid = DAMAGES[damage]

    async def test() -> None:
        async with open_index(tmp_path, SETTINGS) as index:
            await prepare(index)
        second = sorted((tmp_path / "c" / "0").glob("101-201-*"))
        damage_segment(second[0])
        async with open_index(tmp_path, SETTINGS) as index:
            assert len(caplog.records) == 1 and "will be added again" in caplog.text
            assert index.last_seq == (100 if rest_is_valid else -1)
            if not rest_is_valid:
                await index.delete([EARLY])
            await check(index, set(range(*EARLY)))
        async with open_index(tmp_path, SETTINGS) as index:
            await check(index, set(range(*EARLY)))
        assert len(caplog.records) == 1

    asyncio.run(test())


@pytest.mark.noisy
def test_a_damaged_annoy_segment_is_rebuilt(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def test() -> None:
        async with open_index(tmp_path, SETTINGS) as index:
            await index.add(np.arange(ROWS), VECTORS)
            await index.delete([EARLY])
            await until(lambda: merged(index, SETTINGS))
            assert index.stats().engine == "annoy"
        (forest,) = tmp_path.rglob("forest.annoy")
        truncate("vectors.f16")(forest.parent)
        async with open_index(tmp_path, SETTINGS) as index:
            assert index.last_seq == -1 and len(caplog.records) == 1
            await check(index, set(range(*EARLY)))

    asyncio.run(test())


@pytest.mark.noisy
def test_another_dimension_discards_the_index(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def test() -> None:
        async with open_index(tmp_path, SETTINGS) as index:
            await prepare(index)
        body = (tmp_path / "c" / "0" / "manifest.json").read_text()
        assert f'"dimension": {DIMENSION}' in body
        opened = recovery.load(tmp_path / "c" / "0", 8)
        assert opened.last_seq == -1 and "8 are needed" in caplog.text

    asyncio.run(test())


@pytest.mark.noisy
def test_lost_tombstones_discard_the_index(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """No deleted vector may come back: without its tombstones no segment can be trusted."""

    async def test() -> None:
        async with open_index(tmp_path, SETTINGS) as index:
            await prepare(index)
            # Closing saves these and a manifest with the number of tombstones.
            await index.add(np.arange(SAVED, 350), VECTORS[SAVED:350])
        truncate_tombstones(next((tmp_path / "c" / "0").glob("0-*")))
        async with open_index(tmp_path, SETTINGS) as index:
            assert index.last_seq == -1 and "tombstones" in caplog.text

    asyncio.run(test())


def test_the_tombstone_log_recovers_from_partial_records(tmp_path: Path) -> None:
    path = tmp_path / "log"
    first, second = ranges.normalize([(1, 5), (7, 9)]), ranges.normalize([(20, 30)])
    tombstones.create(path, first)
    count = tombstones.append(path, 2, second)
    complete = path.read_bytes()
    assert count == 3 and tombstones.read(path, 2)[0].tolist() == [[1, 5], [7, 9], [20, 30]]
    for size in range(len(complete) - 1, len(complete) - 20, -1):
        path.write_bytes(complete[:size])
        assert tombstones.read(path, 2)[1] == 2, "a partial record was never confirmed"
        with pytest.raises(Damaged):
            tombstones.read(path, 3)
    path.write_bytes(complete[:45])
    tombstones.append(path, 2, second)
    assert path.read_bytes() == complete, "the partial record is overwritten"
    path.write_bytes(complete + bytes(40))
    assert tombstones.read(path, 3)[1] == 3, "a page of zeros is no record"
    path.write_bytes(complete[:20] + bytes(20) + complete[40:])
    with pytest.raises(Damaged):
        tombstones.read(path, 2)
    path.unlink()
    with pytest.raises(Damaged):
        tombstones.read(path, 0)


def test_leftovers_are_removed(tmp_path: Path) -> None:
    async def test() -> None:
        async with open_index(tmp_path, SETTINGS) as index:
            await prepare(index)
        home = tmp_path / "c" / "0"
        (home / "5-9-abcdef01").mkdir()
        (home / "5-9-abcdef01" / "vectors.f16").write_bytes(b"half")
        (home / "manifest.json.new").write_text("half")
        (home / "tombstones-old").write_text("old")
        recovery.load(home, DIMENSION)
        assert file_names(tmp_path) == manifest_names(tmp_path)
        async with open_index(tmp_path, SETTINGS) as index:
            await check(index, set(range(*EARLY)))

    asyncio.run(test())
