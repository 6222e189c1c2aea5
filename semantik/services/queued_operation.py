"""A new operation, as it stands in the queue. Pure."""

from __future__ import annotations

from semantik.core.models import Counts, Operation, OperationType, new_id, now


def queued_operation(
    user_id: str,
    collection_id: str,
    type: OperationType,
    source_id: str | None,
    options: dict[str, object] | None = None,
) -> Operation:
    """A new operation for the end of the queue; not stored yet."""
    return Operation(
        id=new_id(),
        collection_id=collection_id,
        user_id=user_id,
        type=type,
        source_id=source_id,
        status="queued",
        stage=None,
        counts=Counts(),
        current_file=None,
        progress_percent=0.0,
        created_at=now(),
        options=options or {},
    )
