"""How many tasks run at the same time, and whose turn it is. Runs on the loop; knows nothing of tasks and processes.

Tasks of one user may take minutes each and hold every slot. So owners take turns, and an owner of whom nothing runs
waits a bounded time: then its task runs beyond the usual number.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

_KEEP_FACTOR = 3.0  # for so many times the wait, an owner that was let in so is let in again at once


@dataclass(frozen=True)
class _Waiting:
    granted: asyncio.Future[None]
    since_s: float


class FairSlots:
    """`size` tasks at a time, and up to `extra` more of owners who have waited for `wait_s()` while none of theirs ran.

    Of one owner, the first come goes first; of several, the one with the fewest running tasks, then the one whose last
    task has started earlier.
    """

    def __init__(self, size: int, extra: int, wait_s: Callable[[], float]) -> None:
        self._size = size
        self._extra = extra
        self._wait_s = wait_s
        self._running: Counter[str] = Counter()
        self._waiting: dict[str, deque[_Waiting]] = {}
        self._starts = 0
        self._last_start: dict[str, int] = {}
        self._let_in_until_s: dict[str, float] = {}

    def resize(self, size: int) -> None:
        """From now on `size` tasks may run; those that run go on."""
        self._size = size
        self._grant()

    @asynccontextmanager
    async def slot(self, owner: str) -> AsyncIterator[None]:
        """Inside, the task may run."""
        await self._acquire(owner)
        try:
            yield
        finally:
            self._release(owner)

    async def _acquire(self, owner: str) -> None:
        loop = asyncio.get_running_loop()
        waiting = _Waiting(loop.create_future(), loop.time())
        self._waiting.setdefault(owner, deque()).append(waiting)
        self._grant()
        # Where its owner has waited long enough and nothing of it runs by then, this lets it in.
        timer = None if waiting.granted.done() else loop.call_later(self._wait_s(), self._grant)
        try:
            await waiting.granted
        except asyncio.CancelledError:
            if not waiting.granted.cancelled():  # the other ones are dropped when it would be their turn
                self._release(owner)
            raise
        finally:
            if timer is not None:
                timer.cancel()

    def _release(self, owner: str) -> None:
        if self._running.total() > self._size:
            now = asyncio.get_running_loop().time()
            self._let_in_until_s[owner] = now + _KEEP_FACTOR * self._wait_s()
        self._running[owner] -= 1
        if not self._running[owner]:
            del self._running[owner]
        self._grant()

    def _grant(self) -> None:
        self._drop_cancelled()
        while self._waiting and self._running.total() < self._size:
            self._start(min(self._waiting, key=self._turn))
        while self._running.total() < self._size + self._extra:
            late = [owner for owner in self._waiting if not self._running[owner] and self._is_late(owner)]
            if not late:
                return
            self._start(min(late, key=self._turn))

    def _turn(self, owner: str) -> tuple[int, int]:
        return self._running[owner], self._last_start.get(owner, 0)

    def _is_late(self, owner: str) -> bool:
        now = asyncio.get_running_loop().time()
        if now < self._let_in_until_s.get(owner, 0.0):
            return True
        # The timer may fire a little early.
        return now - self._waiting[owner][0].since_s >= self._wait_s() - 0.01

    def _start(self, owner: str) -> None:
        waiting = self._waiting[owner].popleft()
        if not self._waiting[owner]:
            del self._waiting[owner]
        self._starts += 1
        self._last_start[owner] = self._starts
        self._running[owner] += 1
        waiting.granted.set_result(None)

    def _drop_cancelled(self) -> None:
        for owner, queue in list(self._waiting.items()):
            if any(each.granted.done() for each in queue):
                self._waiting[owner] = queue = deque(each for each in queue if not each.granted.done())
            if not queue:
                del self._waiting[owner]
