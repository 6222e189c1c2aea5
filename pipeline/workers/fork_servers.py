"""The two fork servers of a pool, for the default model of its settings. Runs on the loop."""

from __future__ import annotations

import asyncio

from pipeline.workers.fork_server import ForkServer, FullForkServer
from pipeline.workers.functions import WorkerFunctions
from semantik.config.settings import Settings


class ForkServers:
    """`base` and `full`, as described in `pipeline.workers.fork_server`. Each starts with its first worker, or `start`.

    Traced models are stored in the folder `traced_models_dir`.
    """

    def __init__(self, settings: Settings, functions: WorkerFunctions) -> None:
        model = (settings.embedding.model, settings.embedding.precision)
        self.traced_models_dir = str(settings.data.resolve() / "models")
        self.base = ForkServer(functions.preload_base, *model, self.traced_models_dir)
        self.full = FullForkServer(self.base, functions.preload_full, *model)

    def start(self) -> None:
        """Let the base fork server load its libraries from now on. A failure is that of the first worker."""
        self.base.launcher.submit(self.base.ensure_running)

    async def stop_full(self) -> None:
        """Stop the full fork server; the next worker that is forked from it starts it again."""
        await asyncio.get_running_loop().run_in_executor(self.full.launcher, self.full.stop)

    async def close(self) -> None:
        """End both, and all their workers."""
        self.base.kill()
        loop = asyncio.get_running_loop()
        for server in (self.full, self.base):
            await loop.run_in_executor(server.launcher, server.stop)
            server.launcher.shutdown(wait=False)
