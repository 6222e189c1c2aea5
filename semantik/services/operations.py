"""What may be done to a collection's documents: take in a folder, scan again, reindex, retry, remove a folder, cancel.

Each leaves an operation in the line, for the pipeline. The rules for folders and the pipeline's wake-up call come in as
plain callables.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from weakref import WeakValueDictionary

from semantik.auth.authorization import Authorizer
from semantik.core.errors import Conflict, Invalid, NotFound
from semantik.core.models import Collection, Counts, Operation, OperationType, Source, User, new_id, now
from semantik.storage.mongo import Store


@dataclass(frozen=True)
class ReindexOptions:
    """How a REINDEX is to cut and embed; None leaves it as it is."""

    embedding_model: str | None = None
    precision: str | None = None
    chunk_size: int | None = None
    chunk_overlap: int | None = None


@dataclass(frozen=True)
class WatchOptions:
    """When a folder is scanned again by itself: every `interval_s` seconds (0: never), and at each change in it."""

    interval_s: int | None = None
    immediate: bool | None = None


class OperationService:
    """`resolve(path)` gives the real folder or raises; `wake()` tells the dispatcher that there is work."""

    def __init__(
        self, store: Store, access: Authorizer, resolve: Callable[[str], Path], wake: Callable[[], None]
    ) -> None:
        self._store = store
        self._access = access
        self._resolve = resolve
        self._wake = wake
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def add_source(self, user: User, collection_id: str, path: str) -> tuple[Source, Operation]:
        """Add a folder to a collection and index it. One whose operation was cancelled or failed goes on."""
        collection = await self._access.collection(user, collection_id)
        return await self.index_folder(user, collection, await self.folder(path))

    async def index_folder(self, user: User, collection: Collection, path: str) -> tuple[Source, Operation]:
        """The same for a folder that was looked at."""
        async with self._collection_lock(collection.id):
            source = await self._add_source(collection, path)
            return source, await self._index(user, source)

    async def append(self, user: User, collection_id: str, source_id: str | None = None) -> Operation:
        """Scan a collection's folders again, or one of them. One that waits for it already is returned."""
        collection = await self._access.collection(user, collection_id)
        if source_id is not None:
            await self._source(collection, source_id)
        elif not await self._store.collections.sources([collection_id]):
            raise Conflict("This collection has no folder yet; add one first.")
        async with self._collection_lock(collection_id):
            waiting = await self._waiting(collection_id, "append", source_id)
            same = next((one for one in waiting if not one.options), None)
            return same or await self._add(user, collection_id, "append", source_id)

    async def retry(self, user: User, collection_id: str, document_id: str | None = None) -> Operation:
        """Read a failed document again, or all that failed. Raises Conflict when there is none."""
        collection = await self._access.collection(user, collection_id)
        wish: dict[str, object] = {"retry": "all"}
        if document_id is not None:
            document = await self._access.document(user, collection_id, document_id)
            if document.status != "failed":
                raise Conflict(f"{document.path} has not failed: it is {document.status}.")
            wish = {"retry": [document_id]}
        elif not (await self._store.documents.counts_of(collection.current)).failed:
            raise Conflict("No document of this collection has failed.")
        async with self._collection_lock(collection_id):
            waiting = await self._waiting(collection_id, "append")
            same = next((one for one in waiting if one.options == wish), None)
            return same or await self._add(user, collection_id, "append", None, wish)

    async def reindex(self, user: User, collection_id: str, wish: ReindexOptions) -> Operation:
        """Cut and embed a collection's documents anew, beside what is searched meanwhile."""
        collection = await self._access.collection(user, collection_id)
        overlap_of(
            collection.current.chunk_size if wish.chunk_size is None else wish.chunk_size,
            wish.chunk_overlap,
            collection.current.chunk_overlap,
        )
        asked = {name: value for name, value in asdict(wish).items() if value is not None}
        async with self._collection_lock(collection_id):
            for waiting in await self._waiting(collection_id, "reindex"):
                raise Conflict(
                    f"A REINDEX of this collection waits already, operation {waiting.id}: cancel it first."
                )
            return await self._add(user, collection_id, "reindex", None, asked)

    async def remove_source(self, user: User, collection_id: str, source_id: str) -> Operation:
        """Remove a folder and its documents from a collection; those that another of its folders holds too stay."""
        collection = await self._access.collection(user, collection_id)
        async with self._collection_lock(collection_id):
            source = await self._source(collection, source_id)
            wish: dict[str, object] = {"source_path": source.path}
            operation = await self._add(user, collection_id, "remove_source", source_id, wish)
            # From here on no scan of it is begun; the operation is there first, so that a crash leaves no folder so
            # marked.
            await self._store.collections.update_source(source, {"removing": True})
            return operation

    async def watch_source(
        self, user: User, collection_id: str, source_id: str, wish: WatchOptions
    ) -> Source:
        """Change when a folder is scanned again by itself."""
        collection = await self._access.collection(user, collection_id)
        source = await self._source(collection, source_id)
        fields: dict[str, object] = {}
        if wish.interval_s is not None:
            fields["interval_s"] = wish.interval_s or None
        if wish.immediate is not None:
            fields["immediate"] = wish.immediate
        changed = await self._store.collections.update_source(source, fields) if fields else source
        if changed is None:
            raise NotFound(f"There is no source {source_id} in this collection.")
        return changed

    async def cancel(self, user: User, operation_id: str) -> None:
        """Ask an operation to end; what it has stored so far stays."""
        operation = await self._access.operation(user, operation_id)
        if not await self._store.operations.request_cancel(operation.id):
            raise Conflict(f"The operation has ended already: it is {operation.status}.")
        self._wake()

    async def folder(self, path: str) -> str:
        """The real folder that `path` means; raises Invalid or Forbidden."""
        return str(await asyncio.to_thread(self._resolve, path))

    def _collection_lock(self, collection_id: str) -> asyncio.Lock:
        """Of those who ask for something at once, each sees what the one before has put into the line."""
        return self._turns.setdefault(collection_id, asyncio.Lock())

    async def _source(self, collection: Collection, source_id: str) -> Source:
        """A source that stays. Raises NotFound, or Conflict while it is being removed."""
        source = await self._store.collections.source(collection.id, source_id)
        if source is None:
            raise NotFound(f"There is no source {source_id} in this collection.")
        if source.removing:
            raise Conflict(f"{source.path} is being removed from this collection.")
        return source

    async def _add_source(self, collection: Collection, path: str) -> Source:
        for known in await self._store.collections.sources([collection.id]):
            if known.path == path:
                await self._refuse_indexed(known)
                return known
        source = Source(new_id(), collection.id, path, now())
        await self._store.collections.add_source(source)
        return source

    async def _refuse_indexed(self, source: Source) -> None:
        """Raises Conflict unless the source's last operation ended early, or a crash left it without any."""
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

    async def _index(self, user: User, source: Source) -> Operation:
        """INDEX what is the first folder of its collection, and APPEND any other."""
        sources = await self._store.collections.sources([source.collection_id])
        kind: OperationType = "index" if all(other.id == source.id for other in sources) else "append"
        return await self._add(user, source.collection_id, kind, source.id)

    async def _waiting(
        self, collection_id: str, kind: OperationType, source_id: str | None = None
    ) -> list[Operation]:
        """The operations of a kind, and on that source alone or on all, that have not begun."""
        active = await self._store.operations.active_by_collection([collection_id])
        return [
            one
            for one in active.get(collection_id, [])
            if one.status == "queued"
            and one.type == kind
            and one.source_id == source_id
            and not one.cancel_requested
        ]

    async def _add(
        self,
        user: User,
        collection_id: str,
        kind: OperationType,
        source_id: str | None,
        wish: dict[str, object] | None = None,
    ) -> Operation:
        operation = queued(user.id, collection_id, kind, source_id, wish)
        await self._store.operations.add(operation)
        self._wake()
        return operation


def queued(
    user_id: str,
    collection_id: str,
    kind: OperationType,
    source_id: str | None,
    wish: dict[str, object] | None = None,
) -> Operation:
    """A new operation, which stands last in the line."""
    return Operation(
        id=new_id(),
        collection_id=collection_id,
        user_id=user_id,
        type=kind,
        source_id=source_id,
        status="queued",
        stage=None,
        counts=Counts(),
        current_file=None,
        progress_percent=0.0,
        created_at=now(),
        options=wish or {},
    )


def overlap_of(size: int, wished: int | None, default: int) -> int:
    """The overlap to be used with chunks of `size`; raises Invalid when it is not smaller."""
    overlap = min(default, size // 4) if wished is None else wished
    if overlap >= size:
        raise Invalid(f"chunk_overlap ({overlap}) must be less than chunk_size ({size}).")
    return overlap
