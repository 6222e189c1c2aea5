"""Rows that many ask for at the same time, by their keys: those who come while a command is under way share the next.

A command costs as much as ten rows. Who asks gets rows that are read after that, and waits for two commands at most
while all fit into one.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Row = TypeVar("Row")


class BatchLoader(Generic[Row]):
    """`read(keys)` gives the rows that there are, by their keys; it is asked for `most` keys, or one caller's."""

    def __init__(self, read: Callable[[Sequence[str]], Awaitable[dict[str, Row]]], most: int) -> None:
        self._read = read
        self._most = most
        self._waiting: deque[tuple[Sequence[str], asyncio.Future[dict[str, Row]]]] = deque()
        self._reading: asyncio.Task[None] | None = None

    async def get(self, keys: Sequence[str]) -> dict[str, Row]:
        """The rows that there are of these. Raises what the reading raises."""
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
                while self._waiting and len(wanted) + len(self._waiting[0][0]) <= self._most:
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
            if not future.done():  # who has given up
                future.set_result({key: found[key] for key in keys if key in found})
