"""Operations of a server with a cluster: the result is that of local workers, whatever happens to the cluster."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from support.api import documents, index, new_user
from support.cluster import Cluster, RemoteWorker, cluster
from support.hold import held
from support.operation_fixtures import (
    SMALL_STEPS,
    begin,
    content,
    in_the_middle,
    is_as_undisturbed,
    make_folder,
    until_ended,
)
from support.patience import deadline
from support.processes import still_running
from support.remote_pools import ended_requests
from support.server import SAMPLES, Serving, serve
from support.two_servers import says, until

from semantik.storage.mongo import Store

__all__ = ["cluster"]

pytestmark = [pytest.mark.gen_test, pytest.mark.noisy, pytest.mark.server]

_FLAGS = (*SMALL_STEPS, "--auth-registration", "open", "--progress-linger-s", "0.5")


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory, cluster: Cluster) -> Iterator[Serving]:
    """One server, whose cluster is whole again after each test."""
    serving = serve(tmp_path_factory.mktemp("with") / "data", *_FLAGS, *cluster.flags())
    yield serving
    assert serving.stop() == 0


async def _until_whole(serving: Serving, cluster: Cluster, after: int = 0) -> None:
    async with deadline():
        await says(serving, after, f"The cluster at {cluster.url} has 2 workers")


def _is_busy(worker: RemoteWorker) -> bool:
    """Whether it has a task that it has not ended."""
    log = worker.log.read_text()
    return log.count(" begins") > log.count(" ended after ")


async def test_an_index_is_identical_to_that_of_local_workers(
    serving: Serving, cluster: Cluster, tmp_path: Path
) -> None:
    await _until_whole(serving, cluster)
    folder = make_folder(tmp_path / "folder", 40)
    for sample in SAMPLES.iterdir():
        shutil.copy(sample, folder)
    alone = serve(tmp_path / "alone", *_FLAGS)
    contents = []
    for one in (serving, alone):
        collection_id, messages = await index(await new_user(one), folder)
        assert messages[-1]["data"]["status"] == "completed"
        contents.append(await content(one.stores, collection_id))
    assert alone.stop() == 0
    there, here = contents
    assert there.keys() == here.keys() and len(here) > 40
    for path, (text, vectors) in here.items():
        assert there[path][0] == text, path
        assert np.allclose(there[path][1], vectors, atol=1e-3), path
    assert all(ended_requests(cluster.workers, "Read")) and all(ended_requests(cluster.workers, "Embed"))


@pytest.mark.parametrize("kind", ["index", "reindex"])
async def test_a_killed_worker_costs_nothing(
    serving: Serving, cluster: Cluster, tmp_path: Path, kind: str
) -> None:
    await _until_whole(serving, cluster)
    client = await new_user(serving)
    begun = await begin(kind, client, make_folder(tmp_path / "folder"))
    async with Store(serving.stores.mongo_url, serving.stores.database) as store, deadline():
        await in_the_middle(store, begun)
        killed = cluster.workers.pop()
        children = killed.children
        killed.process.kill()
        assert (await until_ended(store, begun)).status == "completed"
    await is_as_undisturbed(begun, client, serving.stores)
    assert not still_running(children)
    after = len(serving.log.read_text())
    cluster.start_workers(1)
    await _until_whole(serving, cluster, after)


async def test_without_a_scheduler_local_workers_go_on(
    serving: Serving, cluster: Cluster, tmp_path: Path
) -> None:
    await _until_whole(serving, cluster)
    client = await new_user(serving)
    folder = make_folder(tmp_path / "folder")
    after = len(serving.log.read_text())
    async with Store(serving.stores.mongo_url, serving.stores.database) as store, deadline():
        with held(folder, "lamp-07*.txt"):
            begun = await begin("index", client, folder)
            await in_the_middle(store, begun)
            cluster.kill_scheduler()
            await says(serving, after, "is away, local workers take its tasks")
        assert (await until_ended(store, begun)).status == "completed"
    await is_as_undisturbed(begun, client, serving.stores)
    cluster.start_scheduler()
    await _until_whole(serving, cluster, after)


async def test_a_poison_file_costs_one_failure(cluster: Cluster, tmp_path: Path) -> None:
    poisoned = {"SEMANTIK_FAILPOINT": "extract:crash:venom"}
    serving = serve(tmp_path / "data", *_FLAGS, *cluster.flags(), env=poisoned)
    await _until_whole(serving, cluster)
    folder = make_folder(tmp_path / "folder", 20)
    (folder / "venom.txt").write_text("A poison.")
    pids = [worker.process.pid for worker in cluster.workers]
    client = await new_user(serving)
    collection_id, messages = await index(client, folder)
    assert messages[-1]["data"]["status"] == "completed"
    found = await documents(client, collection_id)
    assert {name for name, one in found.items() if one["status"] != "indexed"} == {"venom.txt"}
    assert [worker.process.pid for worker in cluster.workers if worker.process.poll() is None] == pids
    assert serving.stop() == 0


async def test_a_cancelled_operation_leaves_the_workers_free(
    serving: Serving, cluster: Cluster, tmp_path: Path
) -> None:
    await _until_whole(serving, cluster)
    client = await new_user(serving)
    folder = make_folder(tmp_path / "folder")
    async with Store(serving.stores.mongo_url, serving.stores.database) as store, deadline():
        with held(folder):
            begun = await begin("index", client, folder)
            await until(lambda: all(map(_is_busy, cluster.workers)))
            await client.call("DELETE", f"operations/{begun.operation_id}")
            assert (await until_ended(store, begun)).status == "cancelled"
            # Another folder is read, though the held files would never end by themselves.
            _, messages = await index(client, make_folder(tmp_path / "other", 8))
            assert messages[-1]["data"]["status"] == "completed"
