"""Failures of documents: recorded for the list of an operation's failures, and published. Runs on the loop."""

from __future__ import annotations

from pipeline.context.context import OperationContext
from semantik.core.models import Document, Failure, FileFailure


async def record_failure(context: OperationContext, document: Document, failure: Failure) -> None:
    await context.deps.store.failures.record(
        FileFailure(context.operation.id, document.id, document.path, failure)
    )


async def publish_failure(context: OperationContext, document: Document, failure: Failure) -> None:
    """Publish it, once however often it is called."""
    await context.reporter.publish(
        "error",
        idempotency_key=f"error {document.id}",
        message=failure.message,
        path=document.path,
        category=failure.category,
        fatal=False,
    )
