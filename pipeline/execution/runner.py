"""One operation from its claim to its end, however often a store goes away meanwhile. Runs on the loop."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import replace

from pipeline.context.context import RENEW_S, Dependencies, OperationContext
from pipeline.context.reporter import ProgressReporter
from pipeline.execution.completion import end
from pipeline.operations import EARLY_ENDS, OPERATIONS
from semantik.core.errors import DiskFull, LeaseLost, NotFound, SemantikError, Unavailable
from semantik.core.models import Operation, TerminalStatus, now

log = logging.getLogger("semantik.operations")

_PAUSE_S = (0.5, 30.0)
_QUICK_S = 60.0
_PATIENCE = 8
_GIVE_BACK_S = 1.0  # within the time that a server has to stop


async def execute(parts: Dependencies, operation: Operation) -> None:
    """Run a claimed operation. When cancelled, it is given back, and goes on later where it was."""
    publisher = parts.progress.publisher(operation.id, operation.last_message)
    async with publisher, ProgressReporter(publisher) as teller:
        failures = 0
        hopeless: str | None = None
        while True:
            begun = time.monotonic()
            try:
                await _attempt(parts, operation, teller, hopeless)
            except (LeaseLost, NotFound) as error:  # in other hands, or purged with its collection
                log.warning("%s", error)
                return
            except Unavailable as error:
                log.warning("Operation %s waits: %s", operation.id, error)
                quick = time.monotonic() - begun < _QUICK_S and not isinstance(error, DiskFull)
                failures = failures + 1 if quick else 1
                # The stores answer and still it fails at once, again and again: waiting will not mend that.
                if failures > _PATIENCE and await _stores_answer(parts):
                    hopeless = str(error)
                await _wait(parts, operation, failures)
            except asyncio.CancelledError:
                await _give_back(parts, operation)
                raise
            fresh = await _read_again(parts, operation.id)
            if fresh is None or fresh.ended:
                return
            # With the lease that was claimed: if another server holds one by now, the next write tells.
            operation = replace(fresh, lease=operation.lease)


async def _attempt(
    parts: Dependencies, operation: Operation, teller: ProgressReporter, hopeless: str | None
) -> None:
    collection = await parts.store.collections.get_including_deleted(operation.collection_id)
    run = OperationContext(parts, operation, collection, teller)
    if run.has_started:
        run.refresh(await parts.store.collections.force_lock(collection.id, operation.id, run.fence))
    if operation.cancel_requested:
        await _end_early(run, "cancelled")
        return
    if hopeless is not None:
        await _give_up(run, hopeless)
        return
    if operation.started_at is None:
        await run.save(status="processing", started_at=now(), settings=run.settings_used())
    goes_on = run.operation.stage is not None
    await teller.publish(
        "operation_started",
        idempotency_key="started",
        status="processing",
        operation_type=operation.type,
        type=operation.type,
        total_files=run.operation.counts.total,
    )
    await teller.publish("status_update", idempotency_key="processing status", status="processing")
    log.info("%-8s %s of %s", operation.type, "goes on" if goes_on else "begins", collection.name)
    await _watch(run)


async def _watch(run: OperationContext) -> None:
    """Run the operation while its lease is kept; end it by what comes first."""
    work = asyncio.create_task(_work(run))
    keeper = asyncio.create_task(run.renew_lease())
    try:
        await asyncio.wait({work, keeper}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (work, keeper):
            task.cancel()
        await asyncio.gather(work, keeper, return_exceptions=True)
    if not keeper.cancelled():
        keeper.result()  # it returns when the end was asked for, and raises when the lease is lost
    if work.cancelled():
        await _end_early(run, "cancelled")
    elif (error := work.exception()) is None:
        await end(run, "completed", result=work.result())
    elif isinstance(error, (LeaseLost, Unavailable)):
        raise error
    elif isinstance(error, SemantikError):
        await _end_early(run, "failed", str(error))
    else:
        log.error("Operation %s failed", run.operation.id, exc_info=error)
        await _end_early(run, "failed", "Something went wrong in the server; its log has the details.")
    log.info("%-8s %s of %s", run.operation.type, run.operation.status, run.collection.name)


async def _work(run: OperationContext) -> dict[str, object]:
    return await OPERATIONS[run.operation.type](run)


async def _end_early(run: OperationContext, status: TerminalStatus, error: str | None = None) -> None:
    await run.save()  # who has lost the operation clears up nothing
    clear_up = EARLY_ENDS.get(run.operation.type)
    done = await clear_up(run) if clear_up else None
    if done is None:
        await end(run, status, error=error)
    else:
        await end(run, "completed", result=done)


async def _give_up(run: OperationContext, error: str) -> None:
    """End it even when what is away keeps it from clearing up: whatever runs next here does that."""
    try:
        await _end_early(run, "failed", error)
    except Unavailable as failure:
        log.warning("Operation %s leaves something half-done: %s", run.operation.id, failure)
        await end(run, "failed", error=error)


async def _stores_answer(parts: Dependencies) -> bool:
    return await parts.store.ping() and await parts.progress.ping()


async def _wait(parts: Dependencies, operation: Operation, failures: int) -> None:
    """Wait until the stores answer, and keep the lease meanwhile: the other servers would only wait as well."""
    keeper = asyncio.create_task(_keep(parts, operation))
    try:
        await _until_back(parts, failures)
    finally:
        keeper.cancel()
        await asyncio.gather(keeper, return_exceptions=True)


async def _keep(parts: Dependencies, operation: Operation) -> None:
    while True:
        try:
            await parts.store.operations.renew_lease(operation, parts.settings.operations.lease_s)
        except LeaseLost:
            return  # the next write tells
        except Unavailable as error:
            log.debug("The lease of operation %s could not be renewed: %s", operation.id, error)
        await asyncio.sleep(RENEW_S)


async def _until_back(parts: Dependencies, failures: int) -> None:
    back = False
    while not back:
        await asyncio.sleep(min(_PAUSE_S[1], _PAUSE_S[0] * 2 ** (failures - 1)))
        back = await parts.store.ping()
    await parts.progress.wait_available()


async def _read_again(parts: Dependencies, operation_id: str) -> Operation | None:
    while True:
        try:
            return await parts.store.operations.get(operation_id)
        except Unavailable:
            await _until_back(parts, 1)


async def _give_back(parts: Dependencies, operation: Operation) -> None:
    """Let another server take the operation up at once, rather than when the lease has run out."""
    try:
        async with asyncio.timeout(_GIVE_BACK_S):
            await parts.store.operations.renew_lease(operation, 0)
    except (LeaseLost, Unavailable, TimeoutError) as error:
        log.info("Operation %s could not be given back: %s", operation.id, error)
