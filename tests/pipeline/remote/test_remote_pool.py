"""A pool with a real scheduler and real workers on this machine, over TLS: it gives what local workers give."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import zipfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import run
from support.cluster import Cluster
from support.hold import held
from support.local_tls import Authority
from support.patience import deadline, patience
from support.pools import MODEL, OPTIONS, ready_pool, tasks_of
from support.server import ROOT, SAMPLES
from support.two_servers import until

from pipeline.compute.messages import (
    FileTask,
    ModelInfo,
    ModelSpec,
    PartPlace,
    ReadContainer,
    ReadDocument,
    ReadFailure,
)
from pipeline.compute.pool import ComputePool
from pipeline.remote.cluster import Cluster as Connection
from pipeline.remote.pool import RemotePool
from pipeline.remote.tls import security
from pipeline.workers.pool import Pool
from semantik.config.loader import load
from semantik.config.settings import DocumentSettings, Settings
from semantik.core.errors import ConfigError, Invalid

pytestmark = [pytest.mark.usefixtures("light_fork_server"), pytest.mark.server]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with Cluster(tmp_path_factory.mktemp("cluster")) as cluster:
        cluster.start_workers()
        yield cluster


@asynccontextmanager
async def _remote(
    cluster: Cluster, local: ComputePool, slots: int = 2, **documents: object
) -> AsyncIterator[RemotePool]:
    settings = Settings(pool=cluster.settings(), documents=DocumentSettings(**documents))  # type: ignore[arg-type]
    async with RemotePool(lambda: settings, local) as pool:
        await _until_slots(pool, slots)
        yield pool


async def _until_running(pool: RemotePool, count: int) -> None:
    """The scheduler has given so many tasks to workers."""
    client = pool._cluster._client
    assert client is not None
    given: list[str] = []
    async with deadline():
        while len(given) != count:
            await asyncio.sleep(0.05)
            given = [key for keys in (await client.processing()).values() for key in keys]


async def _until_slots(pool: RemotePool, slots: int) -> None:
    async with deadline():
        await until(lambda: pool._cluster.slots == slots)


def _samples() -> list[FileTask]:
    return [
        FileTask(each.name, str(each), each.stat().st_size, roots=("/",))
        for each in sorted(SAMPLES.iterdir())
    ]


def test_files_and_vectors_are_those_of_local_workers(cluster: Cluster) -> None:
    async def test() -> None:
        async with ready_pool() as local, _remote(cluster, local) as pool:
            assert pool.batch_workers == 2
            here, there = await local.read(_samples(), OPTIONS), await pool.read(_samples(), OPTIONS)
            assert here == there
            texts = [chunk.text for one in there if isinstance(one, ReadDocument) for chunk in one.chunks]
            assert np.allclose(await local.embed(MODEL, texts), await pool.embed(MODEL, texts), atol=1e-3)

    run(test())


class _Counting:
    """The local pool, which counts what comes back to it."""

    def __init__(self, local: Pool) -> None:
        self._local = local
        self.calls: list[str] = []

    def __getattr__(self, name: str) -> object:
        if name in ("read", "embed", "split"):
            self.calls.append(name)
        return getattr(self._local, name)


def test_a_file_in_a_container_is_read_there_as_here(cluster: Cluster, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "lamps.zip", "w") as container:
        container.writestr("lamp.txt", "The lamp of the pier burns all night.")
    path = tmp_path / "lamps.zip"
    task = FileTask("zip", str(path), path.stat().st_size, roots=("/",))

    async def test() -> None:
        async with ready_pool() as local:
            counting = _Counting(local)
            async with _remote(cluster, counting) as pool:
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
            counting = _Counting(local)
            async with _remote(cluster, counting, file_timeout_s=patience(1)) as pool:
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
            counting = _Counting(local)
            async with _remote(cluster, counting) as pool:
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
            counting = _Counting(local)
            async with _remote(cluster, counting) as pool:
                with held(folder):
                    reading = [asyncio.create_task(pool.read([task], OPTIONS)) for task in tasks]
                    await _until_running(pool, 2)
                    for one in reading:
                        one.cancel()
                    await asyncio.gather(*reading, return_exceptions=True)
                    async with deadline():
                        assert len(await pool.embed(MODEL, ["a lamp"])) == 1
            assert not counting.calls

    run(test())


class _WithModel(_Counting):
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
            async with _remote(cluster, counting) as pool:
                for _ in range(2):
                    assert len(await pool.embed(ModelSpec("/models/rare", "auto"), ["a lamp"])) == 1
                assert len(await pool.embed_queries(MODEL, ["a lamp"])) == 1
            assert counting.calls == ["/models/rare"] * 2

    run(test())
    assert caplog.text.count("The cluster does not embed with /models/rare") == 1


@pytest.mark.noisy
def test_a_scheduler_that_hangs_is_left(cluster: Cluster, tmp_path: Path) -> None:
    async def test() -> None:
        async with ready_pool() as local:
            counting = _Counting(local)
            async with _remote(cluster, counting) as pool:
                cluster.scheduler.send_signal(signal.SIGSTOP)
                try:
                    vectors = await pool.embed(MODEL, ["a lamp"])
                    (read,) = await pool.read(tasks_of(tmp_path, "one.txt"), OPTIONS)
                finally:
                    cluster.scheduler.send_signal(signal.SIGCONT)
                assert len(vectors) == 1 and isinstance(read, ReadDocument)
                assert counting.calls == ["embed", "read"]
                async with deadline():
                    await until(lambda: pool.batch_workers == 2 and pool.is_remote)
                await pool.embed(MODEL, ["a lamp"])
            assert counting.calls == ["embed", "read"]

    run(test())


def test_without_a_worker_what_was_on_its_way_is_done_here(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    tasks = tasks_of(folder, "one.txt", "two.txt")

    async def test() -> None:
        with Cluster(tmp_path / "cluster") as small:
            [worker] = small.start_workers(1)
            async with ready_pool() as local:
                counting = _Counting(local)
                async with _remote(small, counting, slots=1) as pool:
                    with held(folder):
                        reading = [asyncio.create_task(pool.read([task], OPTIONS)) for task in tasks]
                        await _until_running(pool, 2)
                        worker.process.kill()
                        async with deadline():
                            await until(lambda: counting.calls == ["read", "read"])
                    outcomes = [(await one)[0] for one in reading]
                    assert all(isinstance(one, ReadDocument) for one in outcomes)

    run(test())


@pytest.mark.noisy
def test_workers_of_another_version_get_no_tasks(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("pipeline.remote.cluster.RESOURCE", "semantik 0.0")
    caplog.set_level("INFO", "pipeline.remote.cluster")

    async def test() -> None:
        async with ready_pool() as local:
            counting = _Counting(local)
            async with _remote(cluster, counting, slots=0) as pool:
                async with deadline():
                    await until(lambda: "2 workers are not of this version" in caplog.text)
                assert len(await pool.embed(MODEL, ["a lamp"])) == 1
            assert counting.calls == ["embed"]

    run(test())


def test_nothing_is_imported_without_a_cluster() -> None:
    code = (
        "import sys, semantik.server, semantik.commands.server, semantik.commands.worker; "
        "from pipeline.workers.pool import Pool; "
        "assert not {'dask', 'distributed'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, timeout=patience())


def test_only_mutual_tls_is_accepted(tmp_path: Path, cluster: Cluster) -> None:
    with pytest.raises(ConfigError, match="tls://host:port"):
        load(environ={}, overrides={"pool.scheduler": "tcp://127.0.0.1:8786"})
    with pytest.raises(ConfigError, match=r"pool\.tls_ca_file"):
        load(environ={}, overrides={"pool.scheduler": cluster.url})
    broken = replace(cluster.settings(), tls_key_file=str(cluster.authority.issue("other")[1]))
    with pytest.raises(ConfigError, match="do not fit together"):
        security(broken)
    with pytest.raises(ConfigError, match=r"tls_ca_file = .* cannot be read"):
        security(replace(broken, tls_ca_file=str(tmp_path / "none.pem")))


@pytest.mark.noisy
def test_who_has_no_certificate_of_the_authority_is_not_let_in(cluster: Cluster, tmp_path: Path) -> None:
    strange = Authority(tmp_path)
    certificate, key = map(str, strange.issue("server"))
    settings = replace(cluster.settings(), tls_certificate_file=certificate, tls_key_file=key)

    async def test() -> None:
        changes: list[int] = []
        away = Connection(settings, changes.append)
        away.start()
        async with deadline():
            await until(lambda: away.was_away)
        assert not away.slots and not changes
        await away.close()

    run(test())
