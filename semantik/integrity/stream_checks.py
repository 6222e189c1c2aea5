"""Finds streams in Redis whose operation does not exist, or ended so long ago that they should have expired."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial

from semantik.core.models import now
from semantik.integrity.issue import CheckContext, Issue
from semantik.progress.usage import delete_streams, stream_sizes

_GRACE = timedelta(seconds=60)


async def stream_checks(context: CheckContext) -> AsyncIterator[Issue]:
    """Finds nothing where Redis cannot be reached from here."""
    if not context.redis_url:
        return
    found = await stream_sizes(context.redis_url)
    operations = await context.store.operations.by_ids(sorted(found))
    old = now() - timedelta(seconds=context.settings.progress.keep_s) - _GRACE
    for operation_id, size in sorted(found.items()):
        operation = operations.get(operation_id)
        if operation is None:
            why = "which does not exist"
        elif operation.announced and operation.completed_at is not None and operation.completed_at < old:
            why = "which ended longer ago than they are kept"
        else:
            continue
        yield Issue(
            "orphaned stream",
            operation_id,
            f"Redis has messages of operation {operation_id}, {why}.",
            "they are removed",
            partial(delete_streams, context.redis_url, [operation_id]),
            size,
        )
