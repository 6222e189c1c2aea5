"""The end of an operation: one terminal message and the last change of its status, saved before they are published.

Both have an idempotency key: after a crash they are published again without appearing twice in the stream.
"""

from __future__ import annotations

from pipeline import failpoints
from pipeline.context.context import Dependencies, OperationContext
from pipeline.context.reporter import ProgressReporter
from semantik.core.models import Counts, Operation, OperationStatus, OperationType, TerminalStatus, now
from semantik.progress import Publisher
from semantik.storage.mongo.operation_rows import OperationFields

_MESSAGES: dict[OperationStatus, str] = {
    "completed": "Operation completed successfully",
    "failed": "Operation failed",
}


async def end(
    context: OperationContext,
    status: TerminalStatus,
    *,
    error: str | None = None,
    result: dict[str, object] | None = None,
) -> None:
    """Save how the operation ended, unlock its collection for the next one, and publish the end."""
    context.reporter.mute()
    fields: OperationFields = {
        "status": status,
        "completed_at": now(),
        "eta_s": None,
        "current_file": None,
        "error_message": error,
        "result": result,
        "last_message": context.reporter.last_seq,
    }
    if status == "completed":
        fields["progress_percent"] = 100.0
    await context.save(**fields)
    failpoints.die_at("ending.saved")
    await context.deps.store.collections.unlock(context.collection.id, context.operation.id)
    await _announce(context.deps, context.reporter, context.operation)


async def announce_again(deps: Dependencies, operation: Operation) -> None:
    """Publish the end of an operation whose server may have died before it could."""
    await deps.store.collections.unlock(operation.collection_id, operation.id)
    async with deps.progress.publisher(operation.id, min_seq=operation.last_message) as publisher:
        await _announce(deps, publisher, operation)


async def _announce(
    deps: Dependencies, publisher: Publisher | ProgressReporter, operation: Operation
) -> None:
    status = operation.status
    outcome = (
        {"result": operation.result} if status == "completed" else {"error_message": operation.error_message}
    )
    if status == "failed":
        await publisher.publish(
            "error",
            idempotency_key="fatal",
            message=_message(operation),
            path=None,
            category="internal",
            fatal=True,
        )
    await publisher.publish(
        f"operation_{status}",
        idempotency_key="end",
        operation_id=operation.id,
        status=status,
        message=_message(operation),
        **outcome,
    )
    failpoints.die_at("ending.told")
    await publisher.publish("status_update", idempotency_key="end status", terminal=True, status=status)
    await deps.events.notify(operation)
    failpoints.die_at("ending.notified")
    await deps.store.operations.mark_announced(operation.id, publisher.last_seq)


def _message(operation: Operation) -> str:
    """One sentence for the user; for a cancelled operation it says what is kept."""
    if operation.status != "cancelled":
        return operation.error_message or _MESSAGES[operation.status]
    if operation.started_at is None:
        return "Operation cancelled before it began"
    return f"Operation cancelled; {_kept(operation.type, operation.counts)}"


def _kept(kind: OperationType, counts: Counts) -> str:
    """What a cancelled operation leaves, and what does the rest."""
    if kind == "reindex":
        return "what was searched before is unchanged"
    if kind == "remove_source":
        return f"{counts.indexed} of {counts.total} documents had gone, the others are kept"
    if not counts.total:
        return "nothing was read, and all that was stored before is kept"
    rest = "; the next scan reads the others" if counts.pending else ""
    if kind == "index":
        return f"what was stored so far is kept: {counts.indexed} of {counts.total} documents{rest}"
    read = f"{counts.processed} of {counts.total} new or changed documents were read"
    return f"all that was stored before is kept; {read}{rest}"
