"""Scans are recognised on a cluster during an operation: every page once, whatever happens to the cluster."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.api import documents, index, new_user
from support.cluster import Cluster, RemoteWorker, cluster
from support.hold import held
from support.operation_fixtures import SMALL_STEPS, begin, content, is_as_undisturbed, until_ended
from support.patience import deadline
from support.remote_pools import ended_requests
from support.scans import encoded, lines_of_text, page
from support.server import Serving, serve
from support.two_servers import says, until

from semantik.storage.mongo import Store

__all__ = ["cluster"]

pytestmark = [pytest.mark.gen_test, pytest.mark.noisy, pytest.mark.server]

_FLAGS = (*SMALL_STEPS, "--auth-registration", "open", "--pool-workers", "1", "--documents-ocr", "on")


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory, cluster: Cluster) -> Iterator[Serving]:
    """One server, whose cluster is whole again after each test."""
    serving = serve(tmp_path_factory.mktemp("with") / "data", *_FLAGS, *cluster.flags())
    yield serving
    assert serving.stop() == 0


async def _until_workers(serving: Serving, cluster: Cluster, count: int, after: int = 0) -> None:
    async with deadline():
        await says(serving, after, f"The cluster at {cluster.url} has {count} workers")


def _orchard(folder: Path, *numbers: int) -> Path:
    """A folder with a scanned page for each number."""
    folder.mkdir()
    for number in numbers:
        (folder / f"basket-{number}.png").write_bytes(encoded(page(lines_of_text(number, 3, 4)), "PNG"))
    return folder


def _recognises(worker: RemoteWorker) -> bool:
    """Whether it has begun with a page that it has not ended."""
    return worker.log.read_text().count("RecogniseRequest") % 2 == 1


async def _texts(serving: Serving, collection_id: str) -> dict[str, str]:
    found = await content(serving.stores, collection_id)
    return {Path(path).stem: " ".join(one[2] for one in chunks) for path, (chunks, _) in found.items()}


async def test_scans_are_recognised_by_semantik_worker(tmp_path: Path) -> None:
    folder = _orchard(tmp_path / "orchard", 1, 2, 3)
    with Cluster(tmp_path / "cluster") as small:
        [worker] = small.start_workers(1, real=True)
        serving = serve(tmp_path / "data", *_FLAGS, *small.flags())
        await _until_workers(serving, small, 1)
        collection_id, messages = await index(await new_user(serving), folder)
        assert messages[-1]["data"]["status"] == "completed"
        texts = await _texts(serving, collection_id)
        assert all(f"Basket {1000 + number}" in texts[f"basket-{number}"] for number in (1, 2, 3))
        assert ended_requests([worker], "Recognise") == [3]
        assert serving.stop() == 0


async def test_pages_of_a_large_file_share_its_bytes(
    serving: Serving, cluster: Cluster, tmp_path: Path
) -> None:
    await _until_workers(serving, cluster, 2)
    folder = _orchard(tmp_path / "orchard")
    first, *more = [page(lines_of_text(number, 9, 6), 60) for number in range(1, 7)]
    path = folder / "baskets.tif"
    path.write_bytes(encoded(first, "TIFF", save_all=True, append_images=more))
    assert 3 << 20 < path.stat().st_size < 32 << 20
    before = sum(ended_requests(cluster.workers, "Recognise"))
    collection_id, _ = await index(await new_user(serving), folder)
    text = (await _texts(serving, collection_id))["baskets"]
    assert all(f"Basket {1000 + number}" in text for number in range(1, 7))
    tasks = [3, 2, 1]  # pages: two workers share what is left
    assert sum(ended_requests(cluster.workers, "Recognise")) == before + len(tasks)


async def test_without_a_scheduler_local_workers_recognise_the_rest(
    serving: Serving, cluster: Cluster, tmp_path: Path
) -> None:
    await _until_workers(serving, cluster, 2)
    client = await new_user(serving)
    folder = _orchard(tmp_path / "orchard", *range(1, 9))
    after = len(serving.log.read_text())
    async with Store(serving.stores.mongo_url, serving.stores.database) as store, deadline():
        with held(folder, "*.page-1"):
            begun = await begin("index", client, folder)
            await until(lambda: all(map(_recognises, cluster.workers)))
            cluster.kill_scheduler()
            await says(serving, after, "is away, local workers take its tasks")
        assert (await until_ended(store, begun)).status == "completed"
    texts = await _texts(serving, begun.collection_id)
    assert all(f"Basket {1000 + number}" in texts[f"basket-{number}"] for number in range(1, 9))
    cluster.start_scheduler()
    await _until_workers(serving, cluster, 2, after)
    await is_as_undisturbed(begun, client, serving.stores)


async def test_a_killed_worker_costs_no_page(serving: Serving, cluster: Cluster, tmp_path: Path) -> None:
    await _until_workers(serving, cluster, 2)
    client = await new_user(serving)
    folder = _orchard(tmp_path / "orchard", *range(1, 7))
    async with Store(serving.stores.mongo_url, serving.stores.database) as store, deadline():
        with held(folder, "*.page-1"):
            begun = await begin("index", client, folder)
            await until(lambda: all(map(_recognises, cluster.workers)))
            cluster.workers.pop().process.kill()
        assert (await until_ended(store, begun)).status == "completed"
    texts = await _texts(serving, begun.collection_id)
    assert all(f"Basket {1000 + number}" in texts[f"basket-{number}"] for number in range(1, 7))
    after = len(serving.log.read_text())
    cluster.start_workers(1)
    await _until_workers(serving, cluster, 2, after)


async def test_a_poison_page_costs_one_failure(cluster: Cluster, tmp_path: Path) -> None:
    serving = serve(
        tmp_path / "data",
        *_FLAGS,
        *cluster.flags(),
        env={"SEMANTIK_FAILPOINT": "recognise:crash:basket-2"},
    )
    await _until_workers(serving, cluster, 2)
    pids = [worker.process.pid for worker in cluster.workers]
    client = await new_user(serving)
    collection_id, messages = await index(client, _orchard(tmp_path / "orchard", *range(1, 5)))
    assert messages[-1]["data"]["status"] == "completed"
    found = await documents(client, collection_id)
    assert {name for name, one in found.items() if one["status"] != "indexed"} == {"basket-2.png"}
    assert "its recognition failed" in found["basket-2.png"]["error"]["message"]
    assert [worker.process.pid for worker in cluster.workers if worker.process.poll() is None] == pids
    assert serving.stop() == 0
