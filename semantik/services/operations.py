"""Queues operations on a collection: index a folder, append, reindex, retry, remove a source; and cancels them.

Knows no pipeline: the rule for folders and the pipeline's wake-up call are plain callables. Runs on the loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from weakref import WeakValueDictionary

from semantik.auth.authorization import Authorizer
from semantik.auth.folder_access import FolderAccess
from semantik.auth.principal import Principal
from semantik.config.settings import EmbeddingSettings
from semantik.core.errors import Conflict, NotFound
from semantik.core.globs import Globs
from semantik.core.models import Collection, Operation, OperationType, Source, new_id, now
from semantik.core.upload_paths import is_upload
from semantik.services.model_rules import check_model, effective_overlap
from semantik.services.operation_options import ReindexOptions, WatchOptions
from semantik.services.queued_operation import queued_operation
from semantik.services.server_labels import ServerLabels, require_same_server
from semantik.storage.mongo import Store


class OperationService:
    """`resolve(path, roots)` returns the real folder or raises; `wake()` wakes the dispatcher;
    `embedding()` are the current settings."""

    def __init__(
        self,
        store: Store,
        authorizer: Authorizer,
        folder_access: FolderAccess,
        resolve: Callable[[str, Sequence[str]], Path],
        wake: Callable[[], None],
        embedding: Callable[[], EmbeddingSettings],
        labels: ServerLabels,
    ) -> None:
        self._store = store
        self._authorizer = authorizer
        self._folder_access = folder_access
        self._resolve = resolve
        self._wake = wake
        self._embedding = embedding
        self.labels = labels
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def add_source(
        self, principal: Principal, collection_id: str, path: str, server: str = ""
    ) -> tuple[Source, Operation]:
        """Add a folder to a collection and index it, or resume a source whose operation was cancelled or failed.

        `server` is the label of the servers that see the folder; "": this one does.

        Raises Invalid or Forbidden for the folder, Conflict when it is indexed already or being indexed or removed.
        """
        collection = await self._authorizer.collection(principal, collection_id, "write")
        folder = await self.resolve_folder(principal, path, server)
        return await self.index_folder(principal, collection, folder, server)

    async def index_folder(
        self, principal: Principal, collection: Collection, path: str, server: str = ""
    ) -> tuple[Source, Operation]:
        """As `add_source`, for a path that `resolve_folder` returned."""
        async with self._collection_lock(collection.id):
            source = await self._add_source(principal, collection, path, server=server)
            return source, await self._index(principal, source)

    async def index_source(
        self, principal: Principal, collection: Collection, source: Source
    ) -> tuple[Source, Operation]:
        """Add a source that is no folder, and index it; raises Conflict as `add_source`."""
        async with self._collection_lock(collection.id):
            added = await self._add_source(principal, collection, source.path, source)
            return added, await self._index(principal, added)

    async def append(
        self, principal: Principal, collection_id: str, source_id: str | None = None
    ) -> Operation:
        """Scan a collection's sources again, or one of them. An equal operation that is still queued is returned."""
        collection = await self._authorizer.collection(principal, collection_id, "write")
        if source_id is not None:
            await self._source(collection, source_id)
        elif sources := await self._store.collections.sources([collection_id]):
            require_same_server(sources)
        else:
            raise Conflict("This collection has no source yet; add a folder first.")
        async with self._collection_lock(collection_id):
            queued = await self._queued(collection_id, "append", source_id)
            same = next((one for one in queued if not one.options), None)
            return same or await self._add(principal, collection_id, "append", source_id)

    async def append_uploads(self, source: Source) -> Operation:
        """Index the files that were uploaded to a source, on behalf of who began it; one queued operation does it."""
        async with self._collection_lock(source.collection_id):
            queued = await self._queued(source.collection_id, "append", source.id)
            if same := next((one for one in queued if not one.options), None):
                return same
            operation = queued_operation(source.user_id, source.collection_id, "append", source.id)
            await self._store.operations.add(operation)
            self._wake()
            return operation

    async def retry(
        self, principal: Principal, collection_id: str, document_id: str | None = None
    ) -> Operation:
        """Read a failed document again, or all of them. Raises Conflict when none has failed."""
        collection = await self._authorizer.collection(principal, collection_id, "write")
        options: dict[str, object] = {"retry": "all"}
        if document_id is not None:
            document = await self._authorizer.document(principal, collection_id, document_id)
            if document.status != "failed":
                raise Conflict(f"{document.path} has not failed: it is {document.status}.")
            options = {"retry": [document_id]}
        elif not (await self._store.documents.counts_of(collection.current)).failed:
            raise Conflict("No document of this collection has failed.")
        require_same_server(await self._store.collections.sources([collection_id]))
        async with self._collection_lock(collection_id):
            queued = await self._queued(collection_id, "append")
            same = next((one for one in queued if one.options == options), None)
            return same or await self._add(principal, collection_id, "append", None, options)

    async def on_documents(
        self, principal: Principal, collection_id: str, options: dict[str, object]
    ) -> Operation:
        """Queue what is to be done with chosen documents: `retry` or `remove`, a list of their ids."""
        await self._authorizer.collection(principal, collection_id, "write")
        async with self._collection_lock(collection_id):
            return await self._add(principal, collection_id, "append", None, options)

    async def reindex(self, principal: Principal, collection_id: str, options: ReindexOptions) -> Operation:
        """Split and embed a collection's documents again; the present chunks are searched until it has completed."""
        collection = await self._authorizer.collection(principal, collection_id, "manage")
        if options.embedding_model is not None and options.embedding_model != collection.current.model:
            check_model(options.embedding_model, self._embedding())
        effective_overlap(
            collection.current.chunk_size if options.chunk_size is None else options.chunk_size,
            options.chunk_overlap,
            collection.current.chunk_overlap,
        )
        require_same_server(await self._store.collections.sources([collection_id]))
        given = {name: value for name, value in asdict(options).items() if value is not None}
        async with self._collection_lock(collection_id):
            for queued in await self._queued(collection_id, "reindex"):
                raise Conflict(
                    f"A REINDEX of this collection waits already, operation {queued.id}: cancel it first."
                )
            return await self._add(principal, collection_id, "reindex", None, given)

    async def remove_source(self, principal: Principal, collection_id: str, source_id: str) -> Operation:
        """Remove a source and its documents from a collection; documents that another source holds too stay."""
        collection = await self._authorizer.collection(principal, collection_id, "write")
        async with self._collection_lock(collection_id):
            source = await self._source(collection, source_id)
            options: dict[str, object] = {"source_path": source.path}
            operation = await self._add(principal, collection_id, "remove_source", source_id, options)
            # This keeps further scans of the source from starting. The operation is added first: after a crash
            # in between no source stays marked without an operation that removes it.
            await self._store.collections.update_source(source, {"removing": True})
            return operation

    async def watch_source(
        self, principal: Principal, collection_id: str, source_id: str, options: WatchOptions
    ) -> Source:
        """Change when a source is scanned automatically, and by which servers."""
        collection = await self._authorizer.collection(principal, collection_id, "write")
        source = await self._source(collection, source_id)
        if is_upload(source.path):
            raise Conflict("Uploads are indexed as they come: there is no folder to watch.")
        fields: dict[str, object] = {}
        if options.interval_s is not None:
            fields["interval_s"] = options.interval_s or None
        if options.immediate is not None:
            fields["immediate"] = options.immediate
        if options.exclude is not None:
            Globs(options.exclude)  # raises Invalid for a bad one
            fields["exclude"] = list(options.exclude)
        if options.include_excluded:
            fields["excluded"] = []
        if options.exclude is not None or options.include_excluded:
            # The next scan compares all folders: what was passed over there was not looked at.
            await self._store.folder_digests.remove([source.id])
        if options.server is not None:
            await self.labels.check(options.server)
            fields["server"] = options.server
        changed = await self._store.collections.update_source(source, fields) if fields else source
        if changed is None:
            raise NotFound(f"There is no source {source_id} in this collection.")
        return changed

    async def cancel(self, principal: Principal, operation_id: str) -> None:
        """Request that an operation ends; what it has stored so far stays."""
        operation = await self._authorizer.operation(principal, operation_id, "write")
        if not await self._store.operations.request_cancel(operation.id):
            raise Conflict(f"The operation has ended already: it is {operation.status}.")
        self._wake()

    async def resolve_folder(self, principal: Principal, path: str, server: str = "") -> str:
        """The real folder behind `path`, which the principal may index; raises Invalid or Forbidden.

        That of a `server` with another label is checked there, when it is read.
        """
        if elsewhere := await self.labels.folder_elsewhere(server, path):
            return elsewhere
        roots = await self._folder_access.roots(principal)
        return str(await asyncio.to_thread(self._resolve, path, roots))

    def _collection_lock(self, collection_id: str) -> asyncio.Lock:
        """Serialises requests for a collection: each sees what the one before it has queued."""
        return self._locks.setdefault(collection_id, asyncio.Lock())

    async def _source(self, collection: Collection, source_id: str) -> Source:
        """A source by id. Raises NotFound, or Conflict while it is being removed."""
        source = await self._store.collections.source(collection.id, source_id)
        if source is None:
            raise NotFound(f"There is no source {source_id} in this collection.")
        if source.removing:
            raise Conflict(f"{source.path} is being removed from this collection.")
        return source

    async def _add_source(
        self,
        principal: Principal,
        collection: Collection,
        path: str,
        new: Source | None = None,
        server: str = "",
    ) -> Source:
        """Store a folder's source, or `new`. One that is known by its path and has to be resumed gets what is new."""
        for known in await self._store.collections.sources([collection.id]):
            if known.path == path:
                await self._refuse_indexed(known)
                fields: dict[str, object] = {"server": new.server if new else server}
                if new is not None:
                    fields |= {"options": new.options, "secret": new.secret}
                return await self._store.collections.update_source(known, fields) or known
        source = new or Source(new_id(), collection.id, path, now(), user_id=principal.user.id, server=server)
        await self._store.collections.add_source(source)
        return source

    async def _refuse_indexed(self, source: Source) -> None:
        """Raises Conflict unless the source's last operation ended early, or a crash left the source without one."""
        if source.removing:
            raise Conflict(
                f"{source.path} is being removed from this collection; add it again when it is gone."
            )
        last = await self._store.operations.last_of_source(source.id)
        if last is not None and not last.ended:
            raise Conflict(f"{source.path} is being indexed already, by operation {last.id}.")
        if last is not None and last.status == "completed":
            raise Conflict(
                f"{source.path} is a source of this collection already, and it is indexed: to find what has changed "
                "in it, scan it again (append)."
            )

    async def _index(self, principal: Principal, source: Source) -> Operation:
        """Queue an INDEX for the first source of its collection, and an APPEND for any other."""
        sources = await self._store.collections.sources([source.collection_id])
        type: OperationType = "index" if all(other.id == source.id for other in sources) else "append"
        return await self._add(principal, source.collection_id, type, source.id)

    async def _queued(
        self, collection_id: str, type: OperationType, source_id: str | None = None
    ) -> list[Operation]:
        """The operations of a type that have not started, for this source, or for all sources."""
        active = await self._store.operations.active_by_collection([collection_id])
        return [
            one
            for one in active.get(collection_id, [])
            if one.status == "queued"
            and one.type == type
            and one.source_id == source_id
            and not one.cancel_requested
        ]

    async def _add(
        self,
        principal: Principal,
        collection_id: str,
        type: OperationType,
        source_id: str | None,
        options: dict[str, object] | None = None,
    ) -> Operation:
        operation = queued_operation(principal.user.id, collection_id, type, source_id, options)
        await self._store.operations.add(operation)
        self._wake()
        return operation
