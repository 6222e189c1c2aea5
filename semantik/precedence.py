"""Searches go first: what is done in the background waits for a moment while one is under way. Runs on the loop."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_PATIENCE_S = 0.02  # however many search, the background goes on


class Precedence:
    """One for all searches of a server, and all that is to let them go first."""

    def __init__(self) -> None:
        self._searches = 0
        self._none = asyncio.Event()
        self._none.set()

    @contextmanager
    def of_a_search(self) -> Iterator[None]:
        self._searches += 1
        self._none.clear()
        try:
            yield
        finally:
            self._searches -= 1
            if not self._searches:
                self._none.set()

    async def give_way(self) -> None:
        """Wait until no search is under way, or for some milliseconds: to be called before each step."""
        if self._searches:
            with suppress(TimeoutError):
                async with asyncio.timeout(_PATIENCE_S):
                    await self._none.wait()
