"""The status of a collection, as the page and `semantik-status` show it. Pure."""

from __future__ import annotations

from semantik.core.models import Collection


def collection_status(collection: Collection, *, active: bool) -> str:
    """One of empty, indexing, ready, failed or incomplete; `active`: an operation of it is queued or running.

    Incomplete: some documents are searchable, and an operation that ended early left others pending.
    """
    counts = collection.current.counts
    if active:
        return "indexing"
    if counts.indexed:
        return "incomplete" if counts.pending else "ready"
    return "failed" if counts.failed or counts.pending else "empty"
