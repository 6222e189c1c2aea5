"""Makes traced models, and compares stored ones with their models: in a worker of their own, beside the indexing.

Runs on the loop; only the workers open the traced models.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from pipeline.compute.messages import ModelSpec
from semantik.core.errors import SemantikError

_UNTRACEABLE = "none"
_CHANGED = ("made", "replaced")
_log = logging.getLogger(__name__)


class TraceChecks:
    """`check(model)` runs `query_model.check_traced_model` in a worker; `reload(model)` has the query worker load the
    traced model.

    Each model is checked once, until the full models are loaded again.
    """

    def __init__(
        self,
        check: Callable[[ModelSpec], Awaitable[str]],
        reload: Callable[[ModelSpec], Awaitable[object]],
    ) -> None:
        self._check = check
        self._reload = reload
        self._running: dict[str, asyncio.Task[None]] = {}
        self._checked: set[str] = set()
        self._untraceable: set[str] = set()
        self._closed = False

    def start(self, model: ModelSpec) -> None:
        """Compare the traced model with the model in the background, unless that was done."""
        if model.name not in self._checked and model.name not in self._running:
            self._start_task(model).add_done_callback(self._log_failure)

    async def trace(self, model: ModelSpec) -> None:
        """Trace a model that has no traced model yet. Raises Invalid when the model cannot be loaded."""
        await asyncio.shield(self._running.get(model.name) or self._start_task(model))

    def is_untraceable(self, model: ModelSpec) -> bool:
        """Whether it is known that the model cannot be traced, or the traced model not be stored."""
        return model.name in self._untraceable

    def reset(self) -> None:
        """Check every model again: the full models were unloaded."""
        self._checked.clear()

    async def close(self) -> None:
        """Wait for the running checks; their workers are closed by the caller."""
        self._closed = True
        await asyncio.gather(*self._running.values(), return_exceptions=True)

    def _start_task(self, model: ModelSpec) -> asyncio.Task[None]:
        task = self._running[model.name] = asyncio.create_task(self._run(model), name="trace-check")
        task.add_done_callback(lambda done: self._running.pop(model.name, None))
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
        return task

    async def _run(self, model: ModelSpec) -> None:
        result = await self._check(model)
        self._checked.add(model.name)
        self._untraceable.discard(model.name)
        if result == _UNTRACEABLE:
            self._untraceable.add(model.name)
        if result == "replaced":
            _log.warning(
                "the traced model of %s gave other vectors than the model, and was replaced: "
                "queries since the start were answered with it",
                model.name,
            )
        if result in _CHANGED:
            await self._reload(model)

    def _log_failure(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None and not self._closed:
            expected = isinstance(error, SemantikError)
            _log.warning(
                "a traced model was not compared with its model: %s",
                error,
                exc_info=None if expected else error,
            )
