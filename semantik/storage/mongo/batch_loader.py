"""Rows by their keys for many callers at once: those that call while a command runs share the next one.

A command costs as much as ten rows. A caller gets rows that are read after its call, and waits for two commands at
most while all keys fit into one. Runs on the loop.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Row = TypeVar("Row")


class BatchLoader(Generic[Row]):
    """`read(keys)` returns the rows that exist, by their keys; it gets at most `max_keys`, or one caller's keys."""

    def __init__(self, read: Callable[[Sequence[str]], Awaitable[dict[str, Row]]], max_keys: int) -> None:
        self._read = read
        self._max_keys = max_keys
        self._waiting: deque[tuple[Sequence[str], asyncio.Future[dict[str, Row]]]] = deque()
        self._reading: asyncio.Task[None] | None = None

    async def load(self, keys: Sequence[str]) -> dict[str, Row]:
        """The rows that exist, by their keys. Raises what `read` raises."""
        future: asyncio.Future[dict[str, Row]] = asyncio.get_running_loop().create_future()
        self._waiting.append((keys, future))
        if self._reading is None:
            self._reading = asyncio.create_task(self._read_all())
        return await future

    async def _read_all(self) -> None:
        try:
            while self._waiting:
                callers = [self._waiting.popleft()]
                wanted = dict.fromkeys(callers[0][0])
                while self._waiting and len(wanted) + len(self._waiting[0][0]) <= self._max_keys:
                    callers.append(self._waiting.popleft())
                    wanted |= dict.fromkeys(callers[-1][0])
                await self._answer(list(wanted), callers)
        finally:
            self._reading = None

    async def _answer(
        self, wanted: Sequence[str], callers: Sequence[tuple[Sequence[str], asyncio.Future[dict[str, Row]]]]
    ) -> None:
        try:
            found = await self._read(wanted)
        except BaseException as error:
            for _, future in callers:
                if isinstance(error, Exception) and not future.done():
                    future.set_exception(error)
                else:
                    future.cancel()
            if not isinstance(error, Exception):
                raise
            return
        for keys, future in callers:
            if not future.done():  # done: the caller was cancelled
                future.set_result({key: found[key] for key in keys if key in found})
