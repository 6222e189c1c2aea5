"""The read side: what a user sees of collections, sources, documents and operations. Runs on the loop."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from semantik.auth.authorization import Authorizer, access_of
from semantik.auth.principal import Principal
from semantik.config.operation_settings import OperationSettings
from semantik.core.errors import Invalid
from semantik.core.models import (
    Access,
    Collection,
    CollectionStatus,
    Document,
    DocumentStatus,
    FileFailure,
    Operation,
    Source,
    now,
    queue_position,
)
from semantik.core.pagination import Page, decode_cursor, encode_cursor, page_of
from semantik.index import IndexStats
from semantik.search.index_sync import IndexSync, WordsStats
from semantik.storage.mongo import Store

_RENEWED_WITHIN = timedelta(seconds=5)


@dataclass(frozen=True)
class CollectionView:
    """A collection as somebody sees it who has this access; `owner` is the user name of its owner.

    `watched`: a source of it is scanned again automatically.
    """

    collection: Collection
    status: CollectionStatus
    active_operation_id: str | None
    access: Access
    owner: str
    watched: bool = False


@dataclass(frozen=True)
class SourceView:
    source: Source
    document_count: int


@dataclass(frozen=True)
class OperationView:
    """`queue_position` is the number of operations that have to end first; None when it has ended. `runs`: a server
    was at work on it a moment ago, so that what its record says of the pace holds."""

    operation: Operation
    queue_position: int | None
    runs: bool = False


class ViewService:
    """Each method answers for one user; a cursor is the one that the page before returned.

    `limits()` are the current settings of operations.
    """

    def __init__(
        self,
        store: Store,
        authorizer: Authorizer,
        index_sync: IndexSync,
        limits: Callable[[], OperationSettings],
    ) -> None:
        self._store = store
        self._authorizer = authorizer
        self._index_sync = index_sync
        self._limits = limits

    async def collections(self, principal: Principal, cursor: str | None, limit: int) -> Page[CollectionView]:
        name, key = decode_cursor(cursor, 2) if cursor else ("", "")
        found = await self._authorizer.page(principal, (name, key), limit + 1)
        views = await self._collection_views(principal, found)
        last = found[min(limit, len(found)) - 1] if found else None
        return page_of(views, limit, encode_cursor(last.name.lower(), last.id) if last else "")

    async def collection(self, principal: Principal, collection_id: str) -> CollectionView:
        collection = await self._authorizer.collection(principal, collection_id)
        return (await self._collection_views(principal, [collection]))[0]

    async def index_stats(self, collection: Collection) -> IndexStats | None:
        return await self._index_sync.stats(collection.current)

    async def words_stats(self, collection: Collection) -> WordsStats | None:
        return await self._index_sync.words_stats(collection.current)

    async def sources(self, principal: Principal, collection_id: str) -> list[SourceView]:
        collection = await self._authorizer.collection(principal, collection_id)
        found = await self._store.collections.sources([collection_id])
        counted = self._store.documents.count_of_source
        return [SourceView(source, await counted(collection.current, source.id)) for source in found]

    async def documents(
        self,
        principal: Principal,
        collection_id: str,
        status: DocumentStatus | None,
        warned: bool,
        name: str | None,
        cursor: str | None,
        limit: int,
    ) -> Page[Document]:
        collection = await self._authorizer.collection(principal, collection_id)
        after = decode_cursor(cursor, 1)[0] if cursor else ""
        found = await self._store.documents.page(collection.current, status, name, after, limit + 1, warned)
        return page_of(found, limit, encode_cursor(found[min(limit, len(found)) - 1].path) if found else "")

    async def operation(self, principal: Principal, operation_id: str) -> OperationView:
        operation = await self._authorizer.operation(principal, operation_id)
        return (await self._with_queue_positions([operation]))[0]

    async def operations(
        self,
        principal: Principal,
        collection_ids: list[str] | None,
        cursor: str | None,
        limit: int,
        only: Mapping[str, str] | None = None,
    ) -> Page[OperationView]:
        """The newest first; `only` gives the `status`, `type` or `source_id` that they must have."""
        ids = [collection.id for collection in await self._authorizer.collections(principal, collection_ids)]
        before = None
        if cursor:
            moment, key = decode_cursor(cursor, 2)
            before = (_timestamp(moment), key)
        found = await self._store.operations.of_collections(ids, limit + 1, before, only)
        views = await self._with_queue_positions(found)
        last = found[min(limit, len(found)) - 1] if found else None
        return page_of(views, limit, encode_cursor(last.created_at.isoformat(), last.id) if last else "")

    async def failures(
        self, principal: Principal, operation_id: str, cursor: str | None, limit: int
    ) -> Page[FileFailure]:
        """The files that an operation could not index, by path."""
        operation = await self._authorizer.operation(principal, operation_id)
        after = decode_cursor(cursor, 1)[0] if cursor else ""
        found = await self._store.failures.page(operation.id, after, limit + 1)
        return page_of(found, limit, encode_cursor(found[min(limit, len(found)) - 1].path) if found else "")

    async def _collection_views(
        self, principal: Principal, collections: Sequence[Collection]
    ) -> list[CollectionView]:
        ids = [each.id for each in collections]
        active = await self._store.operations.active_by_collection(ids)
        sources = await self._store.collections.sources(ids) if ids else []
        watched = {each.collection_id for each in sources if each.immediate or each.interval_s}
        others = {each.owner_id for each in collections} - {principal.user.id}
        owners = await self._store.users.names(sorted(others)) if others else {}
        owners[principal.user.id] = principal.user.username
        return [
            CollectionView(
                each,
                each.status(each.id in active),
                active[each.id][0].id if each.id in active else None,
                access,
                owners.get(each.owner_id, ""),
                each.id in watched,
            )
            for each in collections
            if (access := access_of(principal, each)) is not None
        ]

    async def _with_queue_positions(self, operations: list[Operation]) -> list[OperationView]:
        active: list[Operation] = []
        if any(operation.status == "queued" for operation in operations):
            active = await self._store.operations.with_status("processing", "queued")
        limits = self._limits()
        return [
            OperationView(
                o,
                queue_position(o, active, limits.concurrent, limits.for_others),
                _runs(o, limits.lease_s),
            )
            for o in operations
        ]


def _timestamp(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise Invalid("cursor is not one that this server gave; begin without a cursor.") from error


def _runs(operation: Operation, lease_s: float) -> bool:
    """Its lease, which is renewed every second, was so within the last seconds."""
    if operation.status != "processing" or operation.lease is None:
        return False
    return operation.lease.expires_at > now() + timedelta(seconds=lease_s) - _RENEWED_WITHIN
