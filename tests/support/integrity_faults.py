"""A data folder without a server, and one function for each inconsistency of MongoDB, the index and Redis in it."""

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
from support.copied_stores import copied_stores

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
from semantik.index.keyword.inspection import delete_words
from semantik.integrity import CheckContext, Issue, check
from semantik.progress import ProgressService
from semantik.storage.mongo.instances import Instance


@dataclass
class Scene:
    """A collection of three documents with their chunks and its index on disk. No server runs on it."""

    context: CheckContext
    collection: Collection
    documents: list[Document]

    @property
    def store(self) -> Any:
        return self.context.store

    async def update(self, table: Any, key: str, **fields: Any) -> None:
        await table._table.update_one({"_id": key}, {"$set": fields})

    async def issues(self) -> list[Issue]:
        return await check(self.context)


@asynccontextmanager
async def open_scene(prepared: Path, tmp_path: Path) -> AsyncIterator[Scene]:
    data = tmp_path / "data"
    shutil.copytree(prepared, data, ignore=shutil.ignore_patterns("run", "lock"))
    (data / "lock").touch()
    settings = load(environ=copied_stores(prepared, data), overrides={"data": str(data)})
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


async def first_operation(scene: Scene) -> Operation:
    [operation] = await scene.store.operations.of_collections([scene.collection.id], 0)
    return operation


async def _orphans(scene: Scene) -> None:
    missing = dataclasses.replace(scene.collection.current, collection_id=new_id())
    await scene.store.chunks.add(missing, [_chunk(1, new_id())])
    document = dataclasses.replace(scene.documents[0], id=new_id(), collection_id=missing.collection_id)
    await scene.store.documents.register([document])
    await scene.store.collections.add_source(Source(new_id(), missing.collection_id, "/x", now()))
    operation = await first_operation(scene)
    orphan = dataclasses.replace(operation, id=new_id(), collection_id=missing.collection_id, source_id=None)
    await scene.store.operations.add(orphan)
    await scene.store.failures.record(FileFailure(new_id(), new_id(), "/x", Failure("internal", "No.")))


async def _orphans_of_a_generation(scene: Scene) -> None:
    other = dataclasses.replace(scene.collection.current, number=7)
    seq = scene.collection.next_seq
    await scene.update(scene.store.collections, scene.collection.id, next_seq=seq + 1)
    await scene.store.chunks.add(other, [_chunk(seq, scene.documents[0].id)])
    await scene.store.documents.register([dataclasses.replace(scene.documents[0], id=new_id(), generation=7)])


async def _stray_chunk(scene: Scene) -> None:
    """A chunk of a document that does not include it, one of a missing document, and one above the settled seq."""
    seq = scene.collection.next_seq
    await scene.update(scene.store.collections, scene.collection.id, next_seq=seq + 3)
    owners = (scene.documents[0].id, new_id(), scene.documents[1].id)
    for number, owner in enumerate(owners):
        await scene.store.chunks.add(scene.collection.current, [_chunk(seq + number, owner)])


async def _missing_chunk(scene: Scene) -> None:
    seq = scene.documents[0].first_seq
    await scene.store.chunks.remove_spans(scene.collection.id, [(seq, seq + 1)])


async def old_chunk(scene: Scene) -> None:
    seq = scene.collection.next_seq
    await scene.update(scene.store.collections, scene.collection.id, next_seq=seq + 1)
    await scene.store.chunks.add(scene.collection.current, [_chunk(seq, scene.documents[0].id)])
    await scene.update(scene.store.documents, scene.documents[0].id, old_first=seq, old_count=1)


async def _half_removed(scene: Scene) -> None:
    await scene.store.documents.mark_removing([scene.documents[0].id])


async def _orphaned_part(scene: Scene) -> None:
    await scene.update(scene.store.documents, scene.documents[0].id, container_id=new_id(), part="a.txt")


async def wrong_counts(scene: Scene) -> None:
    await scene.update(scene.store.collections, scene.collection.id, **{"generations.g1.counts.indexed": 9})


async def _stale_lock(scene: Scene) -> None:
    operation = await first_operation(scene)
    await scene.update(scene.store.collections, scene.collection.id, running=operation.id, fence="old")


async def _stale_fence(scene: Scene) -> None:
    await scene.update(scene.store.collections, scene.collection.id, fence="old")


async def _lost_operation(scene: Scene) -> None:
    operation = await first_operation(scene)
    lease = Lease("a server", "token", now() - timedelta(hours=1))
    expired = dataclasses.replace(
        operation, id=new_id(), status="processing", completed_at=None, announced=False, lease=lease
    )
    await scene.store.operations.add(expired)
    await scene.store.instances.save(
        Instance("x", "h", 1, "u", "0", now(), now() + timedelta(hours=1), 1, "ready", 0)
    )


async def _stale_source(scene: Scene) -> None:
    [source] = await scene.store.collections.sources([scene.collection.id])
    await scene.store.collections.update_source(source, {"removing": True})


async def _low_seqs(scene: Scene) -> None:
    fields = {"next_seq": 0, "generations.g1.last_seq": -1, "generations.g1.settled_seq": -1}
    await scene.update(scene.store.collections, scene.collection.id, **fields)


async def _left_staging(scene: Scene) -> None:
    staging = dataclasses.replace(scene.collection.current, number=2, operation_id=new_id())
    await scene.update(scene.store.collections, scene.collection.id, fence="mine")
    await scene.store.collections.add_generation(staging, "mine")
    await scene.update(scene.store.collections, scene.collection.id, fence=None)
    await scene.store.chunks.add(staging, [_chunk(90, new_id())])
    await scene.update(scene.store.collections, scene.collection.id, next_seq=91)
    home = scene.context.settings.data / "index" / scene.collection.id / "2"
    home.mkdir()


async def _unretired_generation(scene: Scene) -> None:
    await scene.update(scene.store.collections, scene.collection.id, fence="mine")
    old = dataclasses.replace(scene.collection.current, number=0)
    await scene.store.collections.add_generation(old, "mine")
    await scene.update(scene.store.collections, scene.collection.id, fence=None)


async def _abandoned_index(scene: Scene) -> None:
    home = scene.context.settings.data / "index"
    shutil.copytree(home / scene.collection.id, home / new_id())


async def _vector_without_chunk(scene: Scene) -> None:
    """The document is removed, its vector stays."""
    removed = scene.documents[0]
    await scene.store.documents.remove_ids([removed.id])
    await scene.store.chunks.remove_spans(scene.collection.id, [(removed.first_seq, removed.first_seq + 1)])
    counts = await scene.store.documents.counts_of(scene.collection.current)
    await scene.store.collections.correct_counts(scene.collection, scene.collection.current, counts)


async def missing_vector(scene: Scene) -> None:
    home = scene.context.settings.data / "index" / scene.collection.id / "1"
    seq = scene.documents[0].first_seq
    inspection.delete_vectors(home, np.array([(seq, seq + 1)]))


async def _abandoned_words(scene: Scene) -> None:
    home = scene.context.settings.data / "keywords"
    shutil.copytree(home / scene.collection.id, home / new_id())


async def _missing_words(scene: Scene) -> None:
    home = scene.context.settings.data / "keywords" / scene.collection.id / "1"
    seq = scene.documents[0].first_seq
    delete_words(home, np.array([(seq, seq + 1)]))


async def _orphaned_streams(scene: Scene) -> None:
    operation = await first_operation(scene)
    old = now() - timedelta(days=20)
    await scene.update(
        scene.store.operations, operation.id, completed_at=int(old.timestamp() * 1000), announced=True
    )
    async with ProgressService(scene.context.redis_url, Settings().progress, "test") as progress:
        for operation_id in (operation.id, new_id()):
            async with progress.publisher(operation_id) as publisher:
                await publisher.publish("operation_queued", queue_position=0)


FAULTS: dict[str, tuple[Callable[[Scene], Awaitable[None]], set[str]]] = {
    "orphans": (
        _orphans,
        {f"orphaned {kind}" for kind in ("chunks", "documents", "sources", "operations", "failures")},
    ),
    "orphans of a generation": (_orphans_of_a_generation, {"orphaned chunks", "orphaned documents"}),
    "stray chunks": (_stray_chunk, {"stray chunks"}),
    "missing chunks": (_missing_chunk, {"missing chunks", "vectors without chunks", "words without chunks"}),
    "old chunks": (old_chunk, {"old chunks"}),
    "half-removed document": (_half_removed, {"half-removed document", "wrong counts"}),
    "orphaned part": (_orphaned_part, {"orphaned part"}),
    "wrong counts": (wrong_counts, {"wrong counts"}),
    "stale lock": (_stale_lock, {"stale lock"}),
    "stale fence": (_stale_fence, {"stale fence"}),
    "lost operation": (_lost_operation, {"lost operation"}),
    "stale source": (_stale_source, {"stale source"}),
    "low seqs": (_low_seqs, {"low seqs"}),
    "left staging": (_left_staging, {"old generation"}),
    "unretired": (_unretired_generation, {"old generation"}),
    "abandoned index": (_abandoned_index, {"abandoned index"}),
    "vector without chunk": (_vector_without_chunk, {"vectors without chunks", "words without chunks"}),
    "lacking vector": (missing_vector, {"missing vectors"}),
    "abandoned words": (_abandoned_words, {"abandoned index"}),
    "lacking words": (_missing_words, {"missing words"}),
    "orphaned streams": (_orphaned_streams, {"orphaned stream"}),
}
