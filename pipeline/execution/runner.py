"""Runs one operation from its claim to its end, however often a store is unavailable meanwhile. Runs on the loop."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import replace

from pipeline.compute.owner import current_owner
from pipeline.context.context import Dependencies, OperationContext
from pipeline.context.reporter import ProgressReporter
from pipeline.execution.completion import end
from pipeline.execution.outage import get_operation, stores_answer, wait_for_stores
from pipeline.operations import CLEANUPS, OPERATIONS
from semantik.core.cancellation import not_lost
from semantik.core.errors import DiskFull, EngineAway, LeaseLost, NotFound, SemantikError, Unavailable
from semantik.core.models import Operation, TerminalStatus, now

log = logging.getLogger("semantik.operations")

_QUICK_S = 60.0
_MAX_QUICK_FAILURES = 8
_RELEASE_S = 1.0  # within the time that a server has to stop


async def run_operation(deps: Dependencies, operation: Operation) -> None:
    """Run a claimed operation. When cancelled, release its lease: the operation resumes later at its last stage."""
    current_owner.set(operation.user_id)
    publisher = deps.progress.publisher(operation.id, operation.last_message)
    async with publisher, ProgressReporter(publisher) as reporter:
        failures = 0
        fatal: str | None = None
        while True:
            started = time.monotonic()
            try:
                await _attempt(deps, operation, reporter, fatal)
            except (
                LeaseLost,
                NotFound,
            ) as error:  # another server runs it, or it was purged with its collection
                log.warning("%s", error)
                return
            except Unavailable as error:
                log.warning("Operation %s waits: %s", operation.id, error)
                quick = time.monotonic() - started < _QUICK_S and not isinstance(error, DiskFull | EngineAway)
                failures = failures + 1 if quick else 1
                # The stores answer and still it fails at once, again and again: waiting will not help.
                if failures > _MAX_QUICK_FAILURES and await stores_answer(deps):
                    fatal = str(error)
                await wait_for_stores(deps, operation, failures)
            except asyncio.CancelledError:
                await _release(deps, operation)
                raise
            fresh = await get_operation(deps, operation.id)
            if fresh is None or fresh.ended:
                return
            # With the lease that was claimed: if another server has one by now, the next write raises LeaseLost.
            operation = replace(fresh, lease=operation.lease)


async def _attempt(
    deps: Dependencies, operation: Operation, reporter: ProgressReporter, fatal: str | None
) -> None:
    collection = await deps.store.collections.get_including_deleted(operation.collection_id)
    context = OperationContext(deps, operation, collection, reporter)
    if context.has_started:
        context.refresh(await deps.store.collections.force_lock(collection.id, operation.id, context.fence))
    if operation.cancel_requested:
        await _end_early(context, "cancelled")
        return
    if fatal is not None:
        await _give_up(context, fatal)
        return
    if operation.started_at is None:
        await context.save(status="processing", started_at=now(), settings=context.settings_used())
    resumed = context.operation.stage is not None
    if resumed:
        context.continue_from(await deps.progress.published_percent(operation.id))
    await reporter.publish(
        "operation_started",
        idempotency_key="started",
        status="processing",
        operation_type=operation.type,
        type=operation.type,
        total_files=context.operation.counts.total,
    )
    await reporter.publish("status_update", idempotency_key="processing status", status="processing")
    if resumed:  # the first sign of life after its server has died: the next document may take long
        await reporter.publish(
            "status_update", idempotency_key=f"resumed {context.fence}", status="processing", waiting=None
        )
    await deps.events.notify(context.operation)
    log.info("%-8s %s of %s", operation.type, "resumes" if resumed else "starts", collection.name)
    await _run_under_lease(context)


async def _run_under_lease(context: OperationContext) -> None:
    """Run the operation's stages while its lease is renewed, and end it by whichever returns first."""
    work = asyncio.create_task(not_lost(_run_stages, context))
    renewal = asyncio.create_task(context.renew_lease())
    try:
        await asyncio.wait({work, renewal}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (work, renewal):
            task.cancel()
        await asyncio.gather(work, renewal, return_exceptions=True)
    if not renewal.cancelled():
        renewal.result()  # it returns when a cancellation was requested, and raises when the lease is lost
    if work.cancelled():
        await _end_early(context, "cancelled")
    elif (error := work.exception()) is None:
        await end(context, "completed", result=work.result())
    elif isinstance(error, (LeaseLost, Unavailable)):
        raise error
    elif isinstance(error, SemantikError):
        await _end_early(context, "failed", str(error))
    else:
        log.error("Operation %s failed", context.operation.id, exc_info=error)
        await _end_early(context, "failed", "Something went wrong in the server; its log has the details.")
    log.info("%-8s %s of %s", context.operation.type, context.operation.status, context.collection.name)


async def _run_stages(context: OperationContext) -> dict[str, object]:
    return await OPERATIONS[context.operation.type](context)


async def _end_early(context: OperationContext, status: TerminalStatus, error: str | None = None) -> None:
    await context.save()  # raises LeaseLost: without the lease nothing may be cleaned up
    cleanup = CLEANUPS.get(context.operation.type)
    result = await cleanup(context) if cleanup else None
    if result is None:
        await end(context, status, error=error)
    else:
        await end(context, "completed", result=result)


async def _give_up(context: OperationContext, error: str) -> None:
    """End the operation even if its clean-up fails, too: the next operation of the collection does that first."""
    try:
        await _end_early(context, "failed", error)
    except Unavailable as failure:
        log.warning("Operation %s leaves something half-done: %s", context.operation.id, failure)
        await end(context, "failed", error=error)


async def _release(deps: Dependencies, operation: Operation) -> None:
    """Let another server resume the operation at once instead of when the lease expires."""
    try:
        async with asyncio.timeout(_RELEASE_S):
            await deps.store.operations.renew_lease(operation, 0)
    except (LeaseLost, Unavailable, TimeoutError) as error:
        log.info("The lease of operation %s could not be released: %s", operation.id, error)
