"""When a model's recording is made, or compared with the model: in a worker of its own, beside the indexing.

Runs on the loop; the recordings themselves are known to the workers alone.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from pipeline.compute.messages import ModelSpec
from semantik.core.errors import SemantikError

NO_RECORDING = "none"
_CHANGED = ("made", "replaced")
_log = logging.getLogger(__name__)


class RecordingChecks:
    """`check(model)` is `worker.check_recording` in a worker; `reload(model)` has the query worker read the recording.

    Each model is compared once, until the full models are loaded again.
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
        self._without: set[str] = set()
        self._closed = False

    def begin(self, model: ModelSpec) -> None:
        """Compare the model's recording with it in the background, unless that was done."""
        if model.name not in self._checked and model.name not in self._running:
            self._start(model).add_done_callback(self._note_failure)

    async def make(self, model: ModelSpec) -> None:
        """Have a recording made of a model that has none. Raises Invalid when the model cannot be loaded."""
        await asyncio.shield(self._running.get(model.name) or self._start(model))

    def has_none(self, model: ModelSpec) -> bool:
        """Whether it is known that no recording of the model can be kept."""
        return model.name in self._without

    def forget(self) -> None:
        """The full models are gone: what will be loaded next is to be compared again."""
        self._checked.clear()

    async def close(self) -> None:
        """Wait for what is under way: the workers are ended already."""
        self._closed = True
        await asyncio.gather(*self._running.values(), return_exceptions=True)

    def _start(self, model: ModelSpec) -> asyncio.Task[None]:
        task = self._running[model.name] = asyncio.create_task(self._run(model), name="recording")
        task.add_done_callback(lambda done: self._running.pop(model.name, None))
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
        return task

    async def _run(self, model: ModelSpec) -> None:
        found = await self._check(model)
        self._checked.add(model.name)
        self._without.discard(model.name)
        if found == NO_RECORDING:
            self._without.add(model.name)
        if found == "replaced":
            _log.warning(
                "the kept recording of the model %s gave other vectors than the model, and was replaced: "
                "queries since the start were answered with it",
                model.name,
            )
        if found in _CHANGED:
            await self._reload(model)

    def _note_failure(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None and not self._closed:
            known = isinstance(error, SemantikError)
            _log.warning(
                "a model's recording was not compared with it: %s", error, exc_info=None if known else error
            )
