"""The connection to a cluster: who is let in, and what happens when the scheduler or the workers have gone."""

from __future__ import annotations

import asyncio
import signal
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import run
from support.cluster import Cluster, cluster
from support.hold import held
from support.local_tls import Authority
from support.patience import deadline, patience
from support.pools import MODEL, OPTIONS, ready_pool, tasks_of
from support.processes import suspend
from support.remote_pools import Counting, remote_pool, until_running
from support.server import ROOT
from support.two_servers import until

from pipeline.compute.messages import ReadDocument
from pipeline.remote.cluster import Cluster as Connection
from pipeline.remote.tls import security
from semantik.config.loader import load
from semantik.core.errors import ConfigError

__all__ = ["cluster"]

pytestmark = [pytest.mark.usefixtures("light_fork_server"), pytest.mark.server]


@pytest.mark.noisy
def test_a_scheduler_that_hangs_is_left(cluster: Cluster, tmp_path: Path) -> None:
    async def test() -> None:
        async with ready_pool() as local:
            counting = Counting(local)
            async with remote_pool(cluster, counting) as pool:
                suspend(cluster.scheduler.pid)
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


def test_a_task_that_is_cancelled_spoils_no_later_one(cluster: Cluster) -> None:
    """`distributed` fetches the results of several tasks together: who cancels one while it begins cancels all."""

    async def test() -> None:
        async with ready_pool() as local:
            counting = Counting(local)
            async with remote_pool(cluster, counting) as pool:
                client = pool._cluster._client
                assert client is not None
                for _ in range(5):  # as if it was fetching five results
                    await client._gather_semaphore.acquire()
                cancelled = asyncio.create_task(pool.embed(MODEL, ["a lamp"]))
                async with deadline():
                    await until(lambda: client._gather_future is not None)
                cancelled.cancel()
                await asyncio.wait({cancelled})
                for _ in range(5):
                    client._gather_semaphore.release()
                async with deadline():
                    assert len(await pool.embed(MODEL, ["a pier"])) == 1
            assert cancelled.cancelled() and not counting.calls

    run(test())


def test_without_a_worker_what_was_on_its_way_is_done_here(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    tasks = tasks_of(folder, "one.txt", "two.txt")

    async def test() -> None:
        with Cluster(tmp_path / "cluster") as small:
            [worker] = small.start_workers(1)
            async with ready_pool() as local:
                counting = Counting(local)
                async with remote_pool(small, counting, slots=1) as pool:
                    with held(folder):
                        reading = [asyncio.create_task(pool.read([task], OPTIONS)) for task in tasks]
                        await until_running(pool, 2)
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
            counting = Counting(local)
            async with remote_pool(cluster, counting, slots=0) as pool:
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


def test_a_port_that_is_taken_is_named_and_the_worker_ends(cluster: Cluster, tmp_path: Path) -> None:
    with socket.create_server(("", 0)) as taken:
        port = str(taken.getsockname()[1])
        command = [sys.executable, str(ROOT / "tests" / "support" / "light_worker.py")]
        command += ["--data", str(tmp_path / "data"), "--pool-workers", "1", "--listen-port", port]
        ended = subprocess.run(
            [*command, *cluster.flags("worker")],
            capture_output=True,
            text=True,
            timeout=patience(),
            check=False,
        )
    assert ended.returncode == 2
    reason = f"Port {port} of this machine cannot be used (Address already in use)"
    assert ended.stderr == f"semantik-worker: {reason}; choose another with --listen-port.\n"
