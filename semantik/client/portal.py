"""Runs an async client on a loop in a thread of its own, for programs without one."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any, TypeVar

from semantik.client.calls import Calls

T = TypeVar("T")
_END: Any = object()


class Portal:
    """Calls methods of the client that `make` returns. Any thread may use it; `close` ends its thread."""

    def __init__(self, make: Callable[[], Calls]) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, name="semantik-client", daemon=True)
        self._thread.start()

        async def made() -> Calls:
            return make()  # on the loop, which its parts need

        self._client = self._wait(made())

    def run(self, call: Callable[[Calls], Awaitable[T]]) -> T:
        """Wait for a call of the async client, in the thread that asks; raises what it raises."""

        async def called() -> T:
            return await call(self._client)

        answer: T = self._wait(called())
        return answer

    def iterate(self, call: Callable[[Calls], AsyncIterator[T]]) -> Iterator[T]:
        """Yield what an iterator of the async client yields; to close this one closes that one."""

        async def begin() -> AsyncIterator[T]:
            return call(self._client)

        async def step() -> Any:
            return await anext(iterator, _END)

        async def end() -> None:
            if hasattr(iterator, "aclose"):
                await iterator.aclose()

        iterator = self._wait(begin())
        try:
            while (value := self._wait(step())) is not _END:
                yield value
        finally:
            self._wait(end())

    def close(self) -> None:
        """End the thread; a call of another thread that still waits is cancelled."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()

    def _serve(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.get_loop().run_forever()

    def _wait(self, work: Any) -> Any:
        if not self._thread.is_alive():
            work.close()
            raise RuntimeError("The client is closed.")
        running = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return running.result()
        except BaseException:
            running.cancel()  # such as Ctrl-C: the call must not go on
            raise
