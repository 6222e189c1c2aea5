"""The tools `collections` and `operations`. Runs on the loop."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from handlers.mcp.budget import Budget
from handlers.mcp.caller import Answer, Arguments, Caller, Json
from handlers.mcp.passages import NOTICE
from handlers.serializers import timestamp_json
from semantik.core.pagination import Page
from semantik.services.views import CollectionView, OperationView

T = TypeVar("T")

_DESCRIPTION = 500  # characters shown
_ERROR = 1000


async def collections(caller: Caller, arguments: Arguments) -> Answer:
    cursor = arguments.get("cursor")

    async def page(limit: int) -> Page[CollectionView]:
        return await caller.services.views.collections(caller.principal, cursor, limit)

    return await _listing("collections", page, _collection, caller, arguments)


async def operations(caller: Caller, arguments: Arguments) -> Answer:
    collection_id, status = arguments.get("collection_id"), arguments.get("status")
    ids = None if collection_id is None else [collection_id]
    filters = {} if status is None else {"status": status}

    async def page(limit: int) -> Page[OperationView]:
        cursor = arguments.get("cursor")
        return await caller.services.views.operations(caller.principal, ids, cursor, limit, filters)

    return await _listing("operations", page, _operation, caller, arguments)


async def _listing(
    name: str,
    page: Callable[[int], Awaitable[Page[T]]],
    serialize: Callable[[T], Json],
    caller: Caller,
    arguments: Arguments,
) -> Answer:
    found = await page(arguments["limit"])
    budget = Budget(caller.answer_bytes(arguments))
    items: list[Json] = []
    for each in found.items:
        item = serialize(each)
        if not budget.take(item):
            found = await page(len(items))  # for the cursor after the last one that fits
            break
        items.append(item)
    return Answer({"notice": NOTICE, name: items, "next_cursor": found.next_cursor})


def _collection(view: CollectionView) -> Json:
    collection, counts = view.collection, view.collection.current.counts
    return {
        "collection_id": collection.id,
        "status": view.status,
        "document_count": counts.indexed,
        "chunk_count": counts.chunks,
        "pending_count": counts.pending,
        "failed_count": counts.failed,
        "access": view.access,
        "public": collection.public,
        "active_operation_id": view.active_operation_id,
        "updated_at": timestamp_json(collection.updated_at),
        "description_length": len(collection.description),
        "untrusted": {
            "name": collection.name,
            "owner": view.owner,
            "description": collection.description[:_DESCRIPTION],
        },
    }


def _operation(view: OperationView) -> Json:
    operation = view.operation
    return {
        "operation_id": operation.id,
        "collection_id": operation.collection_id,
        "type": operation.type,
        "status": operation.status,
        "stage": operation.stage,
        "processed_files": operation.counts.processed,
        "failed_files": operation.counts.failed,
        "skipped_files": operation.counts.skipped,
        "total_files": operation.counts.total,
        "progress_percent": operation.progress_percent,
        "eta_seconds": operation.eta_s,
        "queue_position": view.queue_position,
        "created_at": timestamp_json(operation.created_at),
        "started_at": timestamp_json(operation.started_at),
        "completed_at": timestamp_json(operation.completed_at),
        "warning_count": len(operation.warnings),
        "untrusted": {
            "current_file": operation.current_file,
            "error_message": operation.error_message and operation.error_message[:_ERROR],
        },
    }
