"""Streams in Redis whose operation is not there, or ended so long ago that Redis should have dropped them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial

from semantik.core.models import now
from semantik.integrity.issue import CheckContext, Issue
from semantik.progress.usage import forget_streams
from semantik.progress.usage import streams as found_streams

_GRACE = timedelta(seconds=60)


async def stream_checks(grounds: CheckContext) -> AsyncIterator[Issue]:
    """Nothing where Redis cannot be reached from here."""
    if not grounds.redis_url:
        return
    found = await found_streams(grounds.redis_url)
    operations = await grounds.store.operations.by_ids(sorted(found))
    old = now() - timedelta(seconds=grounds.settings.progress.keep_s) - _GRACE
    for operation_id, size in sorted(found.items()):
        operation = operations.get(operation_id)
        if operation is None:
            why = "which is not there"
        elif operation.announced and operation.completed_at is not None and operation.completed_at < old:
            why = "which ended longer ago than they are kept"
        else:
            continue
        yield Issue(
            "orphaned stream",
            operation_id,
            f"Redis has messages of operation {operation_id}, {why}.",
            "they are removed",
            partial(forget_streams, grounds.redis_url, [operation_id]),
            size,
        )
