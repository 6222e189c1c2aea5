"""What an operation does while a store is unavailable: wait, and renew its lease where possible. Runs on the loop."""

from __future__ import annotations

import asyncio
import logging

from pipeline.context.context import RENEW_S, Dependencies
from semantik.core.errors import LeaseLost, Unavailable
from semantik.core.models import Operation

log = logging.getLogger("semantik.operations")

_MIN_PAUSE_S, _MAX_PAUSE_S = 0.5, 30.0


async def stores_answer(deps: Dependencies) -> bool:
    return await deps.store.ping() and await deps.progress.ping()


async def wait_for_stores(deps: Dependencies, operation: Operation, failures: int) -> None:
    """Wait until the stores answer, after `failures` attempts in a row that failed, and keep the lease meanwhile.

    Without the lease another server would take the operation over, only to wait as well.
    """
    renewal = asyncio.create_task(_renew_forever(deps, operation))
    try:
        await _until_available(deps, failures)
    finally:
        renewal.cancel()
        await asyncio.gather(renewal, return_exceptions=True)


async def get_operation(deps: Dependencies, operation_id: str) -> Operation | None:
    """The operation's record, as soon as MongoDB answers."""
    while True:
        try:
            return await deps.store.operations.get(operation_id)
        except Unavailable:
            await _until_available(deps, 1)


async def _renew_forever(deps: Dependencies, operation: Operation) -> None:
    while True:
        try:
            await deps.store.operations.renew_lease(operation, deps.settings.operations.lease_s)
        except LeaseLost:
            return  # the operation's next write raises it again
        except Unavailable as error:
            log.debug("The lease of operation %s could not be renewed: %s", operation.id, error)
        await asyncio.sleep(RENEW_S)


async def _until_available(deps: Dependencies, failures: int) -> None:
    available = False
    while not available:
        await asyncio.sleep(min(_MAX_PAUSE_S, _MIN_PAUSE_S * 2 ** (failures - 1)))
        available = await deps.store.ping()
    await deps.progress.wait_available()
