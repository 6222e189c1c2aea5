"""Sends what is queued: to several targets at the same time, to each one message after the other. Runs on the loop.

An attempt is claimed by moving the time at which the next one is due; a server that dies in the middle has its attempt
made again by another one. So a receiver may get a message twice, with the same id.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from typing import NoReturn

from semantik.config.settings import Settings
from semantik.core.errors import Unavailable
from semantik.core.models import MAIL, Delivery, now
from semantik.services.notifications.dispatch import Dispatch
from semantik.services.notifications.outcome import Outcome
from semantik.storage.mongo import Store

log = logging.getLogger("semantik.deliveries")

_CATCH_UP_S = 15.0  # what another server has left is noticed after this time
_FULL_S = 0.2
_IN_A_ROW = 20  # messages to one target before others have their turn
_IN_A_MAIL = 50
_SLACK_S = 30.0  # of a claim, beyond the limits of an attempt
_FACTOR = 4.0
_JITTER = 0.2


class DeliveryQueue:
    """`run` sends; `wake` makes it look at once."""

    def __init__(self, store: Store, dispatch: Dispatch, current: Callable[[], Settings]) -> None:
        self._store = store
        self._dispatch = dispatch
        self._current = current
        self._wake = asyncio.Event()
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def wake(self) -> None:
        self._wake.set()

    async def run(self) -> NoReturn:
        try:
            while True:
                self._wake.clear()
                pause_s = _CATCH_UP_S
                try:
                    pause_s = await self._start_due()
                except Unavailable as error:
                    log.debug("Deliveries wait for a store: %s", error)
                with suppress(TimeoutError):
                    async with asyncio.timeout(pause_s):
                        await self._wake.wait()
        finally:
            await self._stop()

    async def _start_due(self) -> float:
        """Start a task for each target that something is due for; returns the seconds until there may be more."""
        free = self._current().webhooks.concurrent - len(self._tasks)
        if free > 0:
            for target in await self._store.deliveries.due_targets(now(), free, tuple(self._tasks)):
                task = asyncio.create_task(self._send_due(target), name="delivery")
                self._tasks[target] = task
                task.add_done_callback(partial(self._on_done, target))
        next_at = await self._store.deliveries.next_at()
        if next_at is None:
            return _CATCH_UP_S
        wait_s = (next_at - now()).total_seconds()
        return min(max(wait_s, _FULL_S if self._tasks else 0.0), _CATCH_UP_S)

    def _on_done(self, target: str, task: asyncio.Task[None]) -> None:
        self._tasks.pop(target, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            if isinstance(error, Unavailable):
                log.debug("A delivery waits for a store: %s", error)
                return  # noticed again with the next look
            log.error("A delivery could not be sent", exc_info=error)
        self.wake()

    async def _stop(self) -> None:
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def _send_due(self, target: str) -> None:
        together = _IN_A_MAIL if target.startswith(MAIL) else 1
        for _ in range(_IN_A_ROW):
            due = await self._store.deliveries.due(target, now(), together)
            if not due:
                return
            claims = [await self._claim(each) for each in due]
            claimed = [each for each in claims if each is not None]
            if claimed:
                await self._attempt(target, claimed)

    async def _claim(self, delivery: Delivery) -> Delivery | None:
        limits = self._current()
        longest_s = max(limits.webhooks.timeout_s, limits.smtp.timeout_s)
        claimed = await self._store.deliveries.claim(delivery, _later(longest_s + _SLACK_S))
        if claimed is not None and claimed.attempts > limits.webhooks.attempts:
            # The server died in the last attempt; nobody knows how that has ended.
            await self._save(
                claimed, Outcome("failed", None, "The server stopped during the last attempt."), 0
            )
            return None
        return claimed

    async def _attempt(self, target: str, deliveries: Sequence[Delivery]) -> None:
        started = time.monotonic()
        outcomes = await self._dispatch.send(target, deliveries)
        took_ms = round((time.monotonic() - started) * 1000)
        for delivery, outcome in zip(deliveries, outcomes, strict=True):
            await self._save(delivery, outcome, took_ms)
        wanted_s = max(outcome.retry_after_s for outcome in outcomes)
        if wanted_s > 0:
            until = _later(min(wanted_s, self._current().webhooks.retry_max_s))
            await self._store.deliveries.postpone(target, until)

    async def _save(self, delivery: Delivery, outcome: Outcome, took_ms: int) -> None:
        fields: dict[str, object] = {
            "status_code": outcome.status_code,
            "error": outcome.error,
            "took_ms": took_ms,
        }
        limits = self._current().webhooks
        if outcome.result == "retry" and delivery.attempts < limits.attempts:
            pause_s = _pause_s(delivery.attempts, limits.retry_s, limits.retry_max_s)
            fields["next_at"] = _later(max(pause_s, min(outcome.retry_after_s, limits.retry_max_s)))
        else:
            ended = {"delivered": "delivered", "dropped": "dropped"}.get(outcome.result, "failed")
            fields |= {"state": ended, "ended_at": now()}
        await self._store.deliveries.save(delivery, fields)
        if fields.get("state") == "failed":
            log.info("A %s to %s has failed: %s", delivery.event, delivery.target, outcome.error)


def _pause_s(attempts: int, first_s: float, longest_s: float) -> float:
    """Before the attempt after so many: four times longer each time, and not the same for all."""
    pause_s = min(first_s * _FACTOR ** (attempts - 1), longest_s)
    return pause_s * random.uniform(1 - _JITTER, 1 + _JITTER)


def _later(seconds: float) -> datetime:
    return now() + timedelta(seconds=seconds)
