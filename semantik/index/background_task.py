"""A task that does background work when there is some. A failure is logged once, and the work is tried again.

Runs on the loop. It does not know what the work is.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress

log = logging.getLogger(__name__)

_MAX_PAUSE_S = 60.0


class BackgroundTask:
    """After each `wake()`, calls `step` until it returns False: there is nothing left to do."""

    def __init__(self, name: str, step: Callable[[], Awaitable[bool]], retry_s: float) -> None:
        """`retry_s` is the pause after a first failure; each later failure doubles it, up to a minute."""
        self._name = name
        self._retry_s = retry_s
        self._woken = asyncio.Event()
        self._task = asyncio.create_task(self._run(step), name=name)

    def wake(self) -> None:
        self._woken.set()

    def stop(self) -> None:
        self._task.cancel()

    async def wait_stopped(self) -> None:
        """Wait until the task has ended, and drop its references to the owner of `step`."""
        await asyncio.wait([self._task])
        with suppress(asyncio.CancelledError):
            self._task.result()

    async def _run(self, step: Callable[[], Awaitable[bool]]) -> None:
        pause_s = self._retry_s
        while True:
            await self._woken.wait()
            self._woken.clear()
            try:
                while await step():
                    pass
            except Exception as error:
                # Whatever it was (a full disk, a killed worker): searching continues without this work.
                if pause_s == self._retry_s:
                    log.warning(
                        "%s failed, will be tried again: %s", self._name, str(error) or type(error).__name__
                    )
                self._woken.set()
                await asyncio.sleep(pause_s)
                pause_s = max(pause_s, min(2 * pause_s, _MAX_PAUSE_S))
                continue
            if pause_s != self._retry_s:
                log.info("%s works again", self._name)
                pause_s = self._retry_s
