"""The two fork servers of a pool, for the default model of its settings. Runs on the loop."""

from __future__ import annotations

import asyncio

from pipeline.workers.fork_server import ForkServer, FullForkServer
from pipeline.workers.functions import WorkerFunctions
from semantik.config.settings import Settings


class ForkServers:
    """`base` and `full`, as `pipeline.workers.fork_server` says. Each starts with its first worker.

    `recordings` is the folder where recorded models are kept.
    """

    def __init__(self, settings: Settings, functions: WorkerFunctions) -> None:
        model = (settings.embedding.model, settings.embedding.precision)
        self.recordings = str(settings.data.resolve() / "models")
        self.base = ForkServer(functions.preload_base, *model, self.recordings)
        self.full = FullForkServer(self.base, functions.preload_full, *model)

    async def stop_full(self) -> None:
        """End the full one, which comes back with its next worker."""
        await asyncio.get_running_loop().run_in_executor(self.full.launcher, self.full.stop)

    async def close(self) -> None:
        """End both, and all their workers."""
        self.base.kill()
        loop = asyncio.get_running_loop()
        for server in (self.full, self.base):
            await loop.run_in_executor(server.launcher, server.stop)
            server.launcher.shutdown(wait=False)
