"""A pool with a real scheduler and real workers on this machine, over TLS: it gives what local workers give."""

from __future__ import annotations

import asyncio
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from conftest import run
from support.cluster import Cluster, cluster
from support.hold import held
from support.patience import deadline, patience
from support.pools import MODEL, OPTIONS, ready_pool, tasks_of
from support.remote_pools import Counting, remote_pool, until_running
from support.server import SAMPLES

from pipeline.compute.messages import (
    FileTask,
    ModelInfo,
    ModelSpec,
    PartPlace,
    ReadContainer,
    ReadDocument,
    ReadFailure,
)
from semantik.core.errors import Invalid

__all__ = ["cluster"]

pytestmark = [pytest.mark.usefixtures("light_fork_server"), pytest.mark.server]


def _samples() -> list[FileTask]:
    return [
        FileTask(each.name, str(each), each.stat().st_size, roots=("/",))
        for each in sorted(SAMPLES.iterdir())
    ]


def test_files_and_vectors_are_those_of_local_workers(cluster: Cluster) -> None:
    async def test() -> None:
        async with ready_pool() as local, remote_pool(cluster, local) as pool:
            assert pool.batch_workers == 2
            here, there = await local.read(_samples(), OPTIONS), await pool.read(_samples(), OPTIONS)
            assert here == there
            texts = [chunk.text for one in there if isinstance(one, ReadDocument) for chunk in one.chunks]
            assert np.allclose(await local.embed(MODEL, texts), await pool.embed(MODEL, texts), atol=1e-3)

    run(test())


def test_a_file_in_a_container_is_read_there_as_here(cluster: Cluster, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "lamps.zip", "w") as container:
        container.writestr("lamp.txt", "The lamp of the pier burns all night.")
    path = tmp_path / "lamps.zip"
    task = FileTask("zip", str(path), path.stat().st_size, roots=("/",))

    async def test() -> None:
        async with ready_pool() as local:
            counting = Counting(local)
            async with remote_pool(cluster, counting) as pool:
                (found,) = await pool.read([task], OPTIONS)
                assert isinstance(found, ReadContainer) and found.parts is not None
                assert found.modified_ns == path.stat().st_mtime_ns
                name, size, _, locator = found.parts[0]
                place = PartPlace(((name, locator),), path.stat().st_size, path.stat().st_mtime_ns)
                (part,) = await pool.read(
                    [FileTask("part", str(path), size, place=place, roots=("/",))], OPTIONS
                )
                assert isinstance(part, ReadDocument) and "pier" in part.chunks[0].text
            assert not counting.calls

    run(test())


@pytest.mark.parametrize(("action", "category"), [("crash", "worker_died"), ("hang", "timeout")])
def test_a_file_that_ends_its_process_costs_one_failure_and_no_worker(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, action: str, category: str
) -> None:
    monkeypatch.setenv("SEMANTIK_FAILPOINT", f"extract:{action}:poison")
    files = tasks_of(tmp_path, "one.txt", "poison.txt", "two.txt")

    async def test() -> None:
        async with ready_pool() as local:
            counting = Counting(local)
            async with remote_pool(cluster, counting, file_timeout_s=patience(1)) as pool:
                one, poison, two = await pool.read(files, OPTIONS)
                assert isinstance(one, ReadDocument) and isinstance(two, ReadDocument)
                assert isinstance(poison, ReadFailure) and poison.category == category
            assert not counting.calls

    run(test())
    assert [worker.process.poll() for worker in cluster.workers] == [None, None]


def test_a_chunk_that_ends_its_process_is_named(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEMANTIK_FAILPOINT", "embed:crash:poison")

    async def test() -> None:
        async with ready_pool() as local:
            counting = Counting(local)
            async with remote_pool(cluster, counting) as pool:
                with pytest.raises(Invalid, match=r"poison.*cannot be embedded"):
                    await pool.embed(MODEL, ["a lamp", "a poison", "a pier"])
                assert len(await pool.embed(MODEL, ["a lamp", "a pier"])) == 2
            assert not counting.calls

    run(test())


def test_a_cancelled_task_ends_in_its_worker_at_once(cluster: Cluster, tmp_path: Path) -> None:
    """The scheduler would let it run: with both workers busy for ever, nothing else could be done."""
    folder = tmp_path / "folder"
    folder.mkdir()
    tasks = tasks_of(folder, "one.txt", "two.txt")

    async def test() -> None:
        async with ready_pool() as local:
            counting = Counting(local)
            async with remote_pool(cluster, counting) as pool:
                with held(folder):
                    reading = [asyncio.create_task(pool.read([task], OPTIONS)) for task in tasks]
                    await until_running(pool, 2)
                    for one in reading:
                        one.cancel()
                    await asyncio.gather(*reading, return_exceptions=True)
                    async with deadline():
                        assert len(await pool.embed(MODEL, ["a lamp"])) == 1
            assert not counting.calls

    run(test())


class _WithModel(Counting):
    """A local pool that has a model which the workers lack."""

    async def describe(self, model: ModelSpec) -> ModelInfo:
        return ModelInfo(model.name, 384, 254, "float32")

    async def embed(self, model: ModelSpec, texts: Sequence[str]) -> np.ndarray:
        self.calls.append(model.name)
        return np.ones((len(texts), 384), np.float16)


@pytest.mark.noisy
def test_a_model_that_no_worker_has_is_used_here(cluster: Cluster, caplog: pytest.LogCaptureFixture) -> None:
    async def test() -> None:
        async with ready_pool() as local:
            counting = _WithModel(local)
            async with remote_pool(cluster, counting) as pool:
                for _ in range(2):
                    assert len(await pool.embed(ModelSpec("/models/rare", "auto"), ["a lamp"])) == 1
                assert len(await pool.embed_queries(MODEL, ["a lamp"])) == 1
            assert counting.calls == ["/models/rare"] * 2

    run(test())
    assert caplog.text.count("The cluster does not embed with /models/rare") == 1
