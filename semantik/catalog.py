"""The reading side of the library: what a user sees of collections, sources, documents and operations."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from semantik.access import Access
from semantik.errors import Invalid
from semantik.index import IndexStats
from semantik.paging import Page, cut, decode, encode
from semantik.records import Collection, Document, Operation, Source, User
from semantik.store import Store
from semantik.vectors import Vectors


@dataclass(frozen=True)
class CollectionView:
    """A collection as its owner sees it; `status` is empty, indexing, ready or failed."""

    collection: Collection
    status: str
    active_operation_id: str | None
    is_owner: bool


@dataclass(frozen=True)
class SourceView:
    source: Source
    document_count: int


@dataclass(frozen=True)
class OperationView:
    """`queue_position` is 0 for the operation that runs or comes next; None when it has ended."""

    operation: Operation
    queue_position: int | None


class Catalog:
    """Every method answers for one user; cursors come from the page before."""

    def __init__(self, store: Store, access: Access, vectors: Vectors) -> None:
        self._store = store
        self._access = access
        self._vectors = vectors

    async def collections(self, user: User, cursor: str | None, limit: int) -> Page[CollectionView]:
        after = decode(cursor, 1)[0] if cursor else ""
        found = await self._store.collections.of_owner(user.id, after, limit + 1)
        active = await self._store.operations.active([collection.id for collection in found])
        views = [_view(user, collection, active.get(collection.id, [])) for collection in found]
        return cut(views, limit, encode(found[min(limit, len(found)) - 1].name) if found else "")

    async def collection(self, user: User, collection_id: str) -> CollectionView:
        collection = await self._access.collection(user, collection_id)
        active = await self._store.operations.active([collection_id])
        return _view(user, collection, active.get(collection_id, []))

    async def index_stats(self, collection: Collection) -> IndexStats | None:
        return await self._vectors.stats(collection)

    async def sources(self, user: User, collection_id: str) -> list[SourceView]:
        await self._access.collection(user, collection_id)
        found = await self._store.collections.sources([collection_id])
        counts = await self._store.documents.counts_by_source(collection_id)
        return [SourceView(source, counts.get(source.id, 0)) for source in found]

    async def documents(
        self,
        user: User,
        collection_id: str,
        status: str | None,
        name: str | None,
        cursor: str | None,
        limit: int,
    ) -> Page[Document]:
        await self._access.collection(user, collection_id)
        after = decode(cursor, 1)[0] if cursor else ""
        found = await self._store.documents.page(collection_id, status, name, after, limit + 1)
        return cut(found, limit, encode(found[min(limit, len(found)) - 1].path) if found else "")

    async def operation(self, user: User, operation_id: str) -> OperationView:
        operation = await self._access.operation(user, operation_id)
        active = await self._store.operations.active([operation.collection_id])
        return _position(operation, active.get(operation.collection_id, []))

    async def operations(
        self, user: User, collection_ids: list[str] | None, cursor: str | None, limit: int
    ) -> Page[OperationView]:
        ids = [collection.id for collection in await self._access.collections(user, collection_ids)]
        before = None
        if cursor:
            moment, key = decode(cursor, 2)
            before = (_moment(moment), key)
        found = await self._store.operations.of_collections(ids, limit + 1, before)
        active = await self._store.operations.active(ids)
        views = [_position(operation, active.get(operation.collection_id, [])) for operation in found]
        last = found[min(limit, len(found)) - 1] if found else None
        return cut(views, limit, encode(last.created_at.isoformat(), last.id) if last else "")


def _view(user: User, collection: Collection, active: list[Operation]) -> CollectionView:
    counts = collection.counts
    if active:
        status = "indexing"
    elif counts.indexed:
        status = "ready"
    else:
        status = "failed" if counts.failed or counts.pending else "empty"
    first = active[0].id if active else None
    return CollectionView(collection, status, first, collection.owner_id == user.id)


def _position(operation: Operation, active: list[Operation]) -> OperationView:
    ids = [other.id for other in active]
    return OperationView(operation, ids.index(operation.id) if operation.id in ids else None)


def _moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise Invalid("cursor is not one that this server gave; begin without a cursor.") from error
