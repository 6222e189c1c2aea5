"""How an operation ends: one terminal message and the last change of status, saved before they are told.

Both are told under a token, so that after a crash they can be told again without standing in the stream twice.
"""

from __future__ import annotations

from pipeline import failpoints
from pipeline.context.context import OperationContext
from pipeline.context.reporter import ProgressReporter
from semantik.core.models import Operation, OperationStatus, OperationType, TerminalStatus, now
from semantik.progress import ProgressService, Publisher
from semantik.storage.mongo import Store
from semantik.storage.mongo.operation_rows import OperationFields

_MESSAGES: dict[OperationStatus, str] = {
    "completed": "Operation completed successfully",
    "failed": "Operation failed",
}


async def end(
    run: OperationContext,
    status: TerminalStatus,
    *,
    error: str | None = None,
    result: dict[str, object] | None = None,
) -> None:
    """Keep how the operation ended, free its collection for the next, and tell it."""
    run.reporter.mute()
    fields: OperationFields = {
        "status": status,
        "completed_at": now(),
        "eta_s": None,
        "current_file": None,
        "error_message": error,
        "result": result,
        "last_message": run.reporter.last_seq,
    }
    if status == "completed":
        fields["progress_percent"] = 100.0
    await run.save(**fields)
    failpoints.die_at("ending.saved")
    await run.deps.store.collections.unlock(run.collection.id, run.operation.id)
    await _announce(run.deps.store, run.reporter, run.operation)


async def announce_again(store: Store, progress: ProgressService, operation: Operation) -> None:
    """Tell the end of an operation whose server may have died before it could."""
    await store.collections.unlock(operation.collection_id, operation.id)
    async with progress.publisher(operation.id, min_seq=operation.last_message) as publisher:
        await _announce(store, publisher, operation)


async def _announce(store: Store, publisher: Publisher | ProgressReporter, operation: Operation) -> None:
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
    await store.operations.mark_announced(operation.id, publisher.last_seq)


def _message(operation: Operation) -> str:
    """What happened, in a sentence; of a cancelled operation also what stays."""
    if operation.status != "cancelled":
        return operation.error_message or _MESSAGES[operation.status]
    if operation.started_at is None:
        return "Operation cancelled before it began"
    counts = operation.counts
    kept: dict[OperationType, str] = {
        "reindex": "what was searched before is unchanged",
        "remove_source": f"{counts.indexed} of {counts.total} documents had gone, the others are kept",
    }
    taken_in = f"what was stored so far is kept: {counts.indexed} of {counts.total} documents"
    return f"Operation cancelled; {kept.get(operation.type, taken_in)}"
