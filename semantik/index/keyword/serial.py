"""Functions that run one after the other, in the order of their calls, in the threads of a shared executor."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any


class SerialExecutor(Executor):
    """An executor of one index: it needs no thread of its own."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self._lock = threading.Lock()
        self._waiting: deque[tuple[Future[Any], Callable[[], Any]]] = deque()
        self._running = False

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        with self._lock:
            self._waiting.append((future, lambda: fn(*args, **kwargs)))
            starts = not self._running
            self._running = True
        if starts:
            self._executor.submit(self._run_next)
        return future

    def _run_next(self) -> None:
        future, call = self._waiting[0]
        if future.set_running_or_notify_cancel():
            try:
                result = call()
            except BaseException as error:
                future.set_exception(error)
            else:
                future.set_result(result)
        with self._lock:
            self._waiting.popleft()
            self._running = bool(self._waiting)
            more = self._running
        if more:
            self._executor.submit(self._run_next)
