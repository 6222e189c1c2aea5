"""Gets the files of a model before the workers need them, which can neither write nor use the network.

Runs on the loop. It takes a worker of its own where a model is to be unpacked, or may be downloaded.
"""

from __future__ import annotations

import asyncio
import os
from functools import partial

from pipeline.embedding.multilingual import unpacked
from pipeline.workers.client import WorkerDied
from pipeline.workers.fork_server import ForkServer
from pipeline.workers.functions import EMBED_TIMEOUT_S, WorkerFunctions
from pipeline.workers.group import WorkerGroup
from pipeline.workers.isolation import Isolation
from semantik.core.errors import Invalid, Unavailable

# For downloads alone: no other worker has them in its environment.
_VARIABLES = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY")


class ModelPreparation:
    """Each model is prepared once; workers that start afterwards may read its folder."""

    def __init__(
        self,
        functions: WorkerFunctions,
        server: ForkServer,
        niceness: int,
        memory_bytes: int,
        isolation: Isolation,
    ) -> None:
        self._functions = functions
        self._isolation = isolation
        new_group = partial(WorkerGroup, server, 1, niceness=niceness, memory_bytes=memory_bytes, eager=False)
        self._unpacking = new_group(isolation=isolation.tracing)
        self._downloading = new_group(isolation=isolation.downloading)
        self._prepared: dict[str, asyncio.Task[None]] = {}

    async def prepare(self, name: str) -> None:
        """Raises Unavailable. A model that cannot be had is an error of the task that needs it."""
        if name not in self._prepared:
            self._isolation.add_model(name)
            task = self._prepared[name] = asyncio.create_task(self._prepare(name), name="prepare-model")
            task.add_done_callback(lambda done: done.cancelled() or done.exception())
        task = self._prepared[name]
        if not task.done():
            await asyncio.shield(task)
        elif task.cancelled() or task.exception() is not None:
            del self._prepared[name]
            await self.prepare(name)

    async def close(self) -> None:
        """End the workers; callers that wait get Unavailable."""
        await asyncio.gather(self._unpacking.close(), self._downloading.close())

    async def _prepare(self, name: str) -> None:
        group, variables = self._unpacking, {}
        if name != unpacked.NAME:
            if os.environ.get("HF_HUB_OFFLINE") != "0":
                return
            group = self._downloading
            variables = {
                key: value
                for known in _VARIABLES
                for key in (known, known.lower())
                if (value := os.environ.get(key))
            }
        try:
            await group.run_in_new_worker(
                self._functions.prepare_model, name, variables, timeout_s=EMBED_TIMEOUT_S
            )
        except Invalid:
            return
        except WorkerDied as death:
            raise Unavailable(f"The files of the model {name} could not be prepared: {death}.") from death
