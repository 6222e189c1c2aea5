"""A worker of the cluster: a process that takes tasks from the scheduler, and local processes that run them.

It waits for the scheduler as long as it takes, and when that has gone, for the next one. Runs on its loop.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from distributed import Worker
from distributed.core import Status

from pipeline.extraction.recognition.installation import DEFAULT, PACKAGE, find_engine, package_of
from pipeline.remote.requests import RESOURCE, ocr_resources
from pipeline.remote.tasks import RequestPlugin
from pipeline.remote.tls import security, use_our_log
from pipeline.workers.batch_workers import BatchWorkers
from pipeline.workers.fork_servers import ForkServers
from pipeline.workers.functions import WorkerFunctions
from pipeline.workers.isolation import Isolation
from semantik.config.settings import Settings
from semantik.core.errors import ConfigError

_START_S = 30.0
_RETRY_S = 2.0
_LEAVE_S = 3.0
_log = logging.getLogger(__name__)


async def serve(
    settings: Settings,
    on_connected: Callable[[str], None],
    functions: WorkerFunctions | None = None,
    port: int = 0,
) -> None:
    """Work until this is cancelled; `on_connected` gets the worker's address each time that it has a scheduler.

    The scheduler reaches it at `port`; 0 is any. Raises ConfigError, and Invalid or Unavailable when the model cannot
    be loaded.
    """
    security(settings.pool)
    use_our_log()
    _require_free(port)
    functions = functions or WorkerFunctions()
    async with _local_workers(settings, functions) as workers:
        plugin = RequestPlugin(settings, functions, workers)
        await plugin.load_model()
        offered = dict.fromkeys({RESOURCE, *await _ocr_resources()}, workers.readers.size)
        while True:
            try:
                async with _connected(settings, plugin, offered, port) as worker:
                    on_connected(worker.address)
                    await worker.finished()
                _log.warning("The scheduler %s has gone", settings.pool.scheduler)
            except (OSError, TimeoutError) as error:
                reason = str(error) or f"no answer within {_START_S:g} s"
                _log.warning("The scheduler %s is away: %s", settings.pool.scheduler, reason)
            await asyncio.sleep(_RETRY_S)


@asynccontextmanager
async def _local_workers(settings: Settings, functions: WorkerFunctions) -> AsyncIterator[BatchWorkers]:
    async with AsyncExitStack() as stack:
        servers = ForkServers(settings, functions)
        stack.push_async_callback(servers.close)
        isolation = Isolation(lambda: settings, functions.readable, servers.traced_models_dir)
        workers = BatchWorkers(lambda: settings, functions, servers, isolation, lambda model: None)
        stack.push_async_callback(workers.close)
        yield workers


@asynccontextmanager
async def _connected(
    settings: Settings, plugin: RequestPlugin, offered: Mapping[str, int], port: int
) -> AsyncIterator[Any]:
    """A worker that the scheduler knows; at the end, its tasks go to others. Raises OSError, TimeoutError."""
    worker = Worker(
        settings.pool.scheduler,
        security=security(settings.pool),
        nthreads=offered[RESOURCE],
        resources=dict(offered),
        plugins=(plugin,),
        name=f"{socket.gethostname()}-{os.getpid()}",
        port=port,
        memory_limit=0,  # tasks wait in the servers, which bound them
        local_directory=str(Path(settings.data) / "cluster"),
        dashboard=False,
        dashboard_address="127.0.0.1:0",
    )
    try:
        async with asyncio.timeout(_START_S):
            await _start(worker)
        yield worker
    finally:
        if worker.status is Status.running:
            with suppress(OSError, TimeoutError):
                async with asyncio.timeout(_LEAVE_S):
                    await worker.close_gracefully()
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(_LEAVE_S):
                await worker.close(timeout=_LEAVE_S, executor_wait=False)


async def _ocr_resources() -> frozenset[str]:
    """What the installed tesseract is good for. What is installed later is noticed when the worker starts again."""
    engine = await asyncio.to_thread(find_engine)
    if engine is None or not engine.languages:
        missing = PACKAGE if engine is None else package_of(DEFAULT)
        _log.warning("Pages are not recognised on this machine: the package %s is not installed", missing)
        return frozenset()
    _log.info("Pages are recognised on this machine with %s: %s", engine.name, ", ".join(engine.languages))
    return ocr_resources(engine.name, engine.languages)


async def _start(worker: Any) -> None:
    try:
        await worker.start()
    except RuntimeError as error:  # whatever went wrong, this is what distributed makes of it
        raise error.__cause__ or error from error


def _require_free(port: int) -> None:
    """Raises ConfigError. Looked up before the first start, of which distributed would log a traceback."""
    try:
        socket.create_server(("", port)).close()
    except OSError as error:
        reason = os.strerror(error.errno or 0)
        raise ConfigError(
            f"Port {port} of this machine cannot be used ({reason}); choose another with --listen-port."
        ) from error
