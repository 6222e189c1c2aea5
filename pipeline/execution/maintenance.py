"""Background work beside the dispatcher: purges deleted collections, removes retired generations, syncs indexes.

Runs on the loop, in tasks of its own: the dispatcher must not wait for a large deletion.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta

from pipeline import failpoints
from pipeline.connectors.upkeep import kept_sources, remove_kept
from pipeline.context.context import Dependencies
from semantik.core.errors import NotFound, Unavailable
from semantik.core.models import Operation, now

log = logging.getLogger("semantik.operations")

_CLEAN_S = 1.0
_ORPHANS_S = 5.0


class Maintenance:
    """`owner` is this server, as leases name it."""

    def __init__(self, deps: Dependencies, owner: str) -> None:
        self._deps = deps
        self._owner = owner

    async def clean_forever(self) -> None:
        while True:
            with suppress(Unavailable):  # the dispatcher logs it
                await self._purge_deleted_collections()
                await self._remove_retired_generations()
                await self._sync_staging_indexes()
            await asyncio.sleep(_CLEAN_S)

    async def drop_orphans_forever(self) -> None:
        """Drop the indexes of what another server has removed: they may be open here, in memory and on the disk."""
        while True:
            await asyncio.sleep(_ORPHANS_S)
            with suppress(Unavailable):  # the dispatcher logs it; tried again in the next round
                await self._deps.index_sync.drop_orphans()
                await self._drop_kept_files()

    async def _drop_kept_files(self) -> None:
        """Remove the files of sources that are gone, which this server may have fetched."""
        data, collections = self._deps.settings.data, self._deps.store.collections
        kept = await asyncio.to_thread(kept_sources, data)
        for source_id in kept - await collections.existing_sources(kept):
            await asyncio.to_thread(remove_kept, data, source_id)

    async def _purge_deleted_collections(self) -> None:
        """Cancel the operations of deleted collections, and purge the collections where all have ended."""
        store = self._deps.store
        for collection_id in await store.collections.deleted_ids():
            operations = await store.operations.of_collections([collection_id], 0)
            for operation in operations:
                if not operation.ended:
                    await store.operations.request_cancel(operation.id)
            if all(self._has_ended(operation) for operation in operations):
                with suppress(NotFound):  # another server was faster
                    await self._purge(collection_id, operations)

    def _has_ended(self, operation: Operation) -> bool:
        """Whether an operation has ended, and its subscribers have had the time to receive its last message."""
        linger = timedelta(seconds=self._deps.settings.progress.linger_s + _CLEAN_S)
        return (
            operation.completed_at is not None
            and operation.announced
            and operation.completed_at + linger < now()
        )

    async def _purge(self, collection_id: str, operations: Sequence[Operation]) -> None:
        """The collection's own record goes last: as long as it exists, a purge continues after a crash."""
        store = self._deps.store
        for operation in operations:
            await self._deps.progress.delete(operation.id)
        collection = await store.collections.get_including_deleted(collection_id)
        await self._deps.index_sync.drop(collection)
        await store.chunks.remove_spans(collection_id, [(0, collection.next_seq)])
        await store.documents.remove(collection_id)
        await store.folder_digests.remove_all(collection_id)
        await store.recognised_pages.remove_all(collection_id)
        await store.uploads.remove_all(collection_id)
        await store.alerts.remove_collection(collection_id)
        await store.saved_searches.remove_collection(collection_id)
        await store.deliveries.remove_collection(collection_id)
        await store.failures.remove([operation.id for operation in operations])
        await store.operations.remove(collection_id)
        await store.shares.remove_collection(collection_id)
        await store.collections.remove(collection_id)
        log.info("purged   collection %s", collection_id)

    async def _remove_retired_generations(self) -> None:
        """Remove the generations that a REINDEX has replaced."""
        store = self._deps.store
        for collection in await store.collections.with_retired_generations():
            for generation in collection.generations:
                if generation.number < collection.generation:
                    await self._deps.index_sync.drop_generation(generation)
                    await store.chunks.remove_generation(generation, collection.next_seq)
                    failpoints.die_at("retired.chunks")
                    await store.documents.remove(collection.id, generation.number)
                    await store.collections.drop_generation(generation)
                    log.info("retired  generation %d of %s", generation.number, collection.name)
            await store.collections.clear_retirement(collection)

    async def _sync_staging_indexes(self) -> None:
        """Sync the index of what other servers build, so that searches need not wait for it after the switch.

        What this server has begun, before a restart too, it may drop at the same time.
        """
        store = self._deps.store
        for operation in await store.operations.with_status("processing"):
            lease = operation.lease
            if operation.type == "reindex" and lease is not None and lease.owner != self._owner:
                collection = await store.collections.get(operation.collection_id)
                if collection is not None and collection.staging is not None:
                    await self._deps.index_sync.get_synced(collection.staging)
