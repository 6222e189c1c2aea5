"""Everything that can disagree between MongoDB, the index and the streams is told, mended, and gone then."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import run
from support.api import index, new_user
from support.server import serve

from semantik.commands.store_connection import open_stores
from semantik.config.loader import load
from semantik.config.settings import Settings
from semantik.core.models import (
    Chunk,
    Collection,
    Document,
    Failure,
    FileFailure,
    Lease,
    Operation,
    Source,
    new_id,
    now,
)
from semantik.index import inspection
from semantik.integrity import CHECKS, CheckContext, Issue, check, repair
from semantik.progress import ProgressService
from semantik.storage.mongo.instances import Instance

pytestmark = [pytest.mark.gen_test, pytest.mark.embedded, pytest.mark.server]


@dataclass
class Scene:
    """A collection of three documents with their chunks, its index on the disk, and no server."""

    grounds: CheckContext
    collection: Collection
    documents: list[Document]

    @property
    def store(self) -> Any:
        return self.grounds.store

    async def change(self, table: Any, key: str, **fields: Any) -> None:
        await table._table.update_one({"_id": key}, {"$set": fields})

    async def found(self) -> list[Issue]:
        return await check(self.grounds)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("consistency")
    folder = home / "folder"
    folder.mkdir()
    for name in ("a", "b", "c"):
        (folder / f"{name}.txt").write_text(f"The lamp {name} of the pier burned all night.")

    async def fill() -> None:
        serving = serve(home / "data", "--auth-registration", "open", "--pool-workers", "1")
        await index(await new_user(serving), folder)
        assert serving.stop() == 0

    run(fill())
    return home / "data"


@asynccontextmanager
async def _scene(prepared: Path, tmp_path: Path) -> AsyncIterator[Scene]:
    data = tmp_path / "data"
    shutil.copytree(prepared, data, ignore=shutil.ignore_patterns("run", "lock"))
    (data / "lock").touch()
    settings = load(environ={}, overrides={"data": str(data)})
    async with open_stores(settings) as stores:
        [collection] = await stores.store.collections.all()
        documents = [
            one async for page in stores.store.documents.of_generation(collection.current) for one in page
        ]
        yield Scene(CheckContext(stores.store, settings, stores.redis_url, False), collection, documents)


def _chunk(seq: int, document_id: str) -> tuple[Chunk, np.ndarray]:
    vector = np.zeros(384, np.float16)
    vector[0] = 1
    return Chunk(seq, document_id, "A passage.", 0, 10, None, None), vector


async def _first_operation(scene: Scene) -> Operation:
    [operation] = await scene.store.operations.of_collections([scene.collection.id], 0)
    return operation


async def _orphans(scene: Scene) -> None:
    nowhere = dataclasses.replace(scene.collection.current, collection_id=new_id())
    await scene.store.chunks.add(nowhere, [_chunk(1, new_id())])
    document = dataclasses.replace(scene.documents[0], id=new_id(), collection_id=nowhere.collection_id)
    await scene.store.documents.register([document])
    await scene.store.collections.add_source(Source(new_id(), nowhere.collection_id, "/x", now()))
    operation = await _first_operation(scene)
    gone = dataclasses.replace(operation, id=new_id(), collection_id=nowhere.collection_id, source_id=None)
    await scene.store.operations.add(gone)
    await scene.store.failures.record(FileFailure(new_id(), new_id(), "/x", Failure("internal", "No.")))


async def _orphans_of_a_generation(scene: Scene) -> None:
    other = dataclasses.replace(scene.collection.current, number=7)
    seq = scene.collection.next_seq
    await scene.change(scene.store.collections, scene.collection.id, next_seq=seq + 1)
    await scene.store.chunks.add(other, [_chunk(seq, scene.documents[0].id)])
    await scene.store.documents.register([dataclasses.replace(scene.documents[0], id=new_id(), generation=7)])


async def _stray_chunk(scene: Scene) -> None:
    """Of a document that does not hold it, one that is not there, and one above all that is settled."""
    seq = scene.collection.next_seq
    await scene.change(scene.store.collections, scene.collection.id, next_seq=seq + 3)
    owners = (scene.documents[0].id, new_id(), scene.documents[1].id)
    for number, owner in enumerate(owners):
        await scene.store.chunks.add(scene.collection.current, [_chunk(seq + number, owner)])


async def _lacking_chunk(scene: Scene) -> None:
    seq = scene.documents[0].first_seq
    await scene.store.chunks.remove_spans(scene.collection.id, [(seq, seq + 1)])


async def _former_chunk(scene: Scene) -> None:
    seq = scene.collection.next_seq
    await scene.change(scene.store.collections, scene.collection.id, next_seq=seq + 1)
    await scene.store.chunks.add(scene.collection.current, [_chunk(seq, scene.documents[0].id)])
    await scene.change(scene.store.documents, scene.documents[0].id, old_first=seq, old_count=1)


async def _half_removed(scene: Scene) -> None:
    await scene.store.documents.mark_removing([scene.documents[0].id])


async def _wrong_counts(scene: Scene) -> None:
    await scene.change(scene.store.collections, scene.collection.id, **{"generations.g1.counts.indexed": 9})


async def _stale_mark(scene: Scene) -> None:
    operation = await _first_operation(scene)
    await scene.change(scene.store.collections, scene.collection.id, running=operation.id, fence="old")


async def _stale_fence(scene: Scene) -> None:
    await scene.change(scene.store.collections, scene.collection.id, fence="old")


async def _lost_operation(scene: Scene) -> None:
    operation = await _first_operation(scene)
    lease = Lease("a server", "token", now() - timedelta(hours=1))
    lost = dataclasses.replace(
        operation, id=new_id(), status="processing", completed_at=None, announced=False, lease=lease
    )
    await scene.store.operations.add(lost)
    await scene.store.instances.save(
        Instance("x", "h", 1, "u", "0", now(), now() + timedelta(hours=1), 1, "ready", 0)
    )


async def _stale_source(scene: Scene) -> None:
    [source] = await scene.store.collections.sources([scene.collection.id])
    await scene.store.collections.update_source(source, {"removing": True})


async def _low_numbers(scene: Scene) -> None:
    fields = {"next_seq": 0, "generations.g1.last_seq": -1, "generations.g1.settled_seq": -1}
    await scene.change(scene.store.collections, scene.collection.id, **fields)


async def _left_staging(scene: Scene) -> None:
    staging = dataclasses.replace(scene.collection.current, number=2, operation_id=new_id())
    await scene.change(scene.store.collections, scene.collection.id, fence="mine")
    await scene.store.collections.add_generation(staging, "mine")
    await scene.change(scene.store.collections, scene.collection.id, fence=None)
    await scene.store.chunks.add(staging, [_chunk(90, new_id())])
    await scene.change(scene.store.collections, scene.collection.id, next_seq=91)
    home = scene.grounds.settings.data / "index" / scene.collection.id / "2"
    home.mkdir()


async def _unretired(scene: Scene) -> None:
    await scene.change(scene.store.collections, scene.collection.id, fence="mine")
    former = dataclasses.replace(scene.collection.current, number=0)
    await scene.store.collections.add_generation(former, "mine")
    await scene.change(scene.store.collections, scene.collection.id, fence=None)


async def _abandoned_index(scene: Scene) -> None:
    home = scene.grounds.settings.data / "index"
    shutil.copytree(home / scene.collection.id, home / new_id())


async def _vector_without_chunk(scene: Scene) -> None:
    """The document goes, its vector stays."""
    gone = scene.documents[0]
    await scene.store.documents.remove_ids([gone.id])
    await scene.store.chunks.remove_spans(scene.collection.id, [(gone.first_seq, gone.first_seq + 1)])
    counts = await scene.store.documents.counts_of(scene.collection.current)
    await scene.store.collections.correct_counts(scene.collection, scene.collection.current, counts)


async def _lacking_vector(scene: Scene) -> None:
    home = scene.grounds.settings.data / "index" / scene.collection.id / "1"
    seq = scene.documents[0].first_seq
    inspection.delete_vectors(home, 384, np.array([(seq, seq + 1)]))


async def _orphaned_streams(scene: Scene) -> None:
    operation = await _first_operation(scene)
    old = now() - timedelta(days=20)
    await scene.change(
        scene.store.operations, operation.id, completed_at=int(old.timestamp() * 1000), announced=True
    )
    async with ProgressService(scene.grounds.redis_url, Settings().progress, "test") as progress:
        for operation_id in (operation.id, new_id()):
            async with progress.publisher(operation_id) as publisher:
                await publisher.publish("operation_queued", queue_position=0)


KINDS: dict[str, tuple[Callable[[Scene], Awaitable[None]], set[str]]] = {
    "orphans": (
        _orphans,
        {f"orphaned {kind}" for kind in ("chunks", "documents", "sources", "operations", "failures")},
    ),
    "orphans of a generation": (_orphans_of_a_generation, {"orphaned chunks", "orphaned documents"}),
    "stray chunks": (_stray_chunk, {"stray chunks"}),
    "missing chunks": (_lacking_chunk, {"missing chunks", "vectors without chunks"}),
    "old chunks": (_former_chunk, {"old chunks"}),
    "half-removed document": (_half_removed, {"half-removed document", "wrong counts"}),
    "wrong counts": (_wrong_counts, {"wrong counts"}),
    "stale lock": (_stale_mark, {"stale lock"}),
    "stale fence": (_stale_fence, {"stale fence"}),
    "lost operation": (_lost_operation, {"lost operation"}),
    "stale source": (_stale_source, {"stale source"}),
    "low seqs": (_low_numbers, {"low seqs"}),
    "left staging": (_left_staging, {"old generation"}),
    "unretired": (_unretired, {"old generation"}),
    "abandoned index": (_abandoned_index, {"abandoned index"}),
    "vector without chunk": (_vector_without_chunk, {"vectors without chunks"}),
    "lacking vector": (_lacking_vector, {"missing vectors"}),
    "orphaned streams": (_orphaned_streams, {"orphaned stream"}),
}


async def test_a_server_that_has_stopped_leaves_nothing_to_be_told(prepared: Path, tmp_path: Path) -> None:
    async with _scene(prepared, tmp_path) as scene:
        assert await scene.found() == []
        assert len(CHECKS) == 6


@pytest.mark.parametrize("name", KINDS)
async def test_it_is_told_and_mended(prepared: Path, tmp_path: Path, name: str) -> None:
    spoil, kinds = KINDS[name]
    async with _scene(prepared, tmp_path) as scene:
        await spoil(scene)
        told = await scene.found()
        assert {finding.kind for finding in told} == kinds
        assert all(finding.description.endswith(".") for finding in told)
        for _ in range(3):
            await repair(await scene.found())
        assert [finding for finding in await scene.found() if not finding.informational] == []


@pytest.mark.parametrize("name", ["missing chunks", "old chunks", "half-removed document"])
async def test_what_is_mended_is_looked_at_by_the_next_scan(
    prepared: Path, tmp_path: Path, name: str
) -> None:
    async with _scene(prepared, tmp_path) as scene:
        [source] = await scene.store.collections.sources([scene.collection.id])
        generation = scene.collection.current
        assert scene.collection.clean and await scene.store.folder_digests.get(generation, source.id)
        await KINDS[name][0](scene)
        await repair(await scene.found())
        assert await scene.store.folder_digests.get(generation, source.id) is None
        assert not (await scene.store.collections.get(scene.collection.id)).clean


async def test_documents_that_wait_for_the_next_scan_are_a_note(prepared: Path, tmp_path: Path) -> None:
    async with _scene(prepared, tmp_path) as scene:
        document = scene.documents[0]
        await scene.change(scene.store.documents, document.id, due=document.operation_id)
        await repair(await scene.found())  # the counts
        [note] = await scene.found()
        assert note.informational and note.description.endswith("ended early: 1.")


async def test_an_index_is_left_alone_while_a_server_has_it(prepared: Path, tmp_path: Path) -> None:
    async with _scene(prepared, tmp_path) as scene:
        await _lacking_vector(scene)
        served = dataclasses.replace(scene.grounds, served=True)
        [finding] = await check(served)
        assert finding.repair is None and finding.remedy.startswith("stop the server")


async def test_what_an_operation_is_doing_is_no_disagreement(prepared: Path, tmp_path: Path) -> None:
    """Chunks above what is settled, former ones and wrong counts are those of an operation that runs, or goes on."""
    async with _scene(prepared, tmp_path) as scene:
        operation = await _first_operation(scene)
        lease = Lease("a server", "token", now() + timedelta(hours=1))
        running = dataclasses.replace(
            operation, id=new_id(), status="processing", completed_at=None, lease=lease
        )
        await scene.store.operations.add(running)
        for spoil in (_wrong_counts, _former_chunk):
            await spoil(scene)
        assert scene.collection.next_seq - 1 == scene.collection.current.settled_seq
        await scene.change(scene.store.collections, scene.collection.id, running=running.id)
        assert await scene.found() == []
