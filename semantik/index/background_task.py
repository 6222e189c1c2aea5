"""A task that does background work when there is some; a failure is logged once, and tried again.

Runs on the loop; what the work is, it does not know.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress

log = logging.getLogger(__name__)

_LONGEST_PAUSE_S = 60.0


class BackgroundTask:
    """From each `wake()` on, repeats `step` until it answers False: nothing left to do."""

    def __init__(self, name: str, step: Callable[[], Awaitable[bool]], retry_s: float) -> None:
        """`retry_s` is the pause after a first failure; each later one doubles it, up to a minute."""
        self._name = name
        self._retry_s = retry_s
        self._due = asyncio.Event()
        self._task = asyncio.create_task(self._run(step), name=name)

    def wake(self) -> None:
        self._due.set()

    def stop(self) -> None:
        self._task.cancel()

    async def stopped(self) -> None:
        """Waits for the end of the work, and lets go of whose it was."""
        await asyncio.wait([self._task])
        with suppress(asyncio.CancelledError):
            self._task.result()

    async def _run(self, step: Callable[[], Awaitable[bool]]) -> None:
        pause_s = self._retry_s
        while True:
            await self._due.wait()
            self._due.clear()
            try:
                while await step():
                    pass
            except Exception as error:
                # Whatever it was (a full disk, a killed worker): searching goes on without this work.
                if pause_s == self._retry_s:
                    log.warning(
                        "%s failed, will be tried again: %s", self._name, str(error) or type(error).__name__
                    )
                self._due.set()
                await asyncio.sleep(pause_s)
                pause_s = max(pause_s, min(2 * pause_s, _LONGEST_PAUSE_S))
                continue
            if pause_s != self._retry_s:
                log.info("%s works again", self._name)
                pause_s = self._retry_s
