"""The wiring and the life cycle: imports every room, imported by none but the commands.

`async with running(settings) as server:` is the whole server; leaving it is the same list told backwards.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Generator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from socket import socket
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets

from handlers.body_limit import UNLIMITED, BodyLimit
from handlers.routes import application
from handlers.services import Services
from handlers.sockets.base import close_sockets
from handlers.sockets.send_queue import SentCounter
from pipeline.compute.messages import ModelSpec
from pipeline.compute.pool import ComputePool, PoolFactory
from pipeline.context.context import Dependencies
from pipeline.execution.dispatcher import Dispatcher
from pipeline.scanning.walker import WalkRules, resolve_source, walk_entries
from pipeline.watching.watched_folders import FolderWatcher
from pipeline.workers.pool import Pool
from semantik.app import loop_monitor
from semantik.app.health import HealthMonitor
from semantik.app.heartbeat import Heartbeat
from semantik.app.metrics import MetricsRegistry
from semantik.auth.authorization import Authorizer
from semantik.auth.session_monitor import SessionMonitor
from semantik.auth.sessions import SessionService
from semantik.config.reloadable import ReloadResult, SettingsHolder
from semantik.config.settings import Settings
from semantik.connection_limits import ConnectionLimiter, CounterStore
from semantik.core.errors import ConfigError
from semantik.core.scan_entries import ScanEntry
from semantik.index import IndexRegistry
from semantik.progress import MessageBatch, ProgressService, parse_stream_id
from semantik.search.index_sync import IndexSync
from semantik.search.query_embedder import QueryEmbedder
from semantik.search.service import SearchService
from semantik.services.active_operations import ActiveOperations
from semantik.services.collections import CollectionService
from semantik.services.folder_scans import FolderScans, ScanOptions, Walk
from semantik.services.operations import OperationService
from semantik.services.views import ViewService
from semantik.storage.data_folder import data_lock, instance_id
from semantik.storage.embedded import embedded
from semantik.storage.mongo import Store

_REQUESTS_S = 1.0  # for requests under way, when the server stops


@dataclass(frozen=True)
class Server:
    """A server that runs: `url` is where; `pool` is there for its figures; `failure` ends when a part has died.

    `reload(settings)` takes what can be taken of them without a restart, and tells what that was.
    """

    settings: Settings
    url: str
    pool: ComputePool
    failure: asyncio.Future[None]
    reload: Callable[[Settings], ReloadResult]


@asynccontextmanager
async def running(settings: Settings, make_pool: PoolFactory = Pool) -> AsyncIterator[Server]:
    """Start everything, serve, and stop everything. Raises ConfigError or Conflict when it can't be.

    `make_pool` makes what reads files and embeds texts; `pipeline/compute/pool.py` says how to write another.
    """
    live = SettingsHolder(settings)
    async with AsyncExitStack() as stack:
        lock = await stack.enter_async_context(data_lock(settings.data))
        owner = instance_id(settings.data)
        sockets = _bind(settings)
        for each in sockets:
            stack.callback(each.close)

        pool = await stack.enter_async_context(make_pool(live))
        stores = await stack.enter_async_context(
            embedded(settings.data, not settings.mongo_url, not settings.redis_url, lock)
        )
        store = await stack.enter_async_context(
            Store(settings.mongo_url or stores.mongo_url, settings.mongo_database, stores.mongo_reads_url)
        )
        sent = SentCounter()
        metrics = MetricsRegistry(lambda: (sent.messages, sent.bytes))
        progress = await stack.enter_async_context(
            ProgressService(
                settings.redis_url or stores.redis_url,
                settings.progress,
                owner,
                partial(_note_lag, metrics),
            )
        )
        limiter = await stack.enter_async_context(
            ConnectionLimiter(CounterStore(progress.redis), lambda: live().sockets)
        )
        indexes = IndexRegistry(settings.data / "index", settings.index, pool.run)
        stack.push_async_callback(indexes.close)
        vectors = IndexSync(store, indexes)
        questions = QueryEmbedder(partial(_embed, pool), lambda: live().search)
        stack.push_async_callback(questions.close)
        dispatcher = await stack.enter_async_context(
            Dispatcher(Dependencies(live, store, progress, pool, vectors), owner)
        )

        access = Authorizer(store)
        auth = SessionService(store, lambda: live().auth, settings.auth.secret or await store.secret())
        vigil, roster = SessionMonitor(auth), ActiveOperations(store)

        def wake() -> None:
            dispatcher.wake()
            roster.wake()

        folders = await stack.enter_async_context(FolderWatcher(live, store, wake))
        operations = OperationService(store, access, _folders(live), wake)
        scans = FolderScans(lambda: live().scan, _folders(live), _walks(live))
        health = HealthMonitor(store.ping, progress.ping, lambda: pool.is_ready, pool.workers)

        def services() -> Services:
            """What keeps no state is made of the settings of the moment."""
            now = live()
            return Services(
                settings=now,
                sessions=auth,
                authorizer=access,
                collections=CollectionService(store, access, operations, now.embedding, wake),
                operations=operations,
                views=ViewService(store, access, vectors, now.operations.concurrent),
                search=SearchService(store, access, vectors, questions, now.search),
                progress=progress,
                connection_limiter=limiter,
                health=health,
                session_monitor=vigil,
                active_operations=roster,
                metrics=metrics,
                folder_scans=scans,
            )

        def reload(fresh: Settings) -> ReloadResult:
            renewal = live.reload(fresh)
            app.settings["services"] = services()
            wake()
            return renewal

        app = application(services(), sent)
        # What a proxy says of the client counts for one thing: whether its cookie is for TLS alone.
        http = HTTPServer(
            BodyLimit(app, lambda: live().max_body_bytes), max_body_size=UNLIMITED, xheaders=True
        )
        http.add_sockets(sockets)
        stack.push_async_callback(_cut_off, http)
        stack.callback(close_sockets, app)
        stack.callback(http.stop)

        port = sockets[0].getsockname()[1]
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        url = f"http://{host}:{port}"
        beacon = Heartbeat(store, owner, url, pool.batch_workers, lambda: pool.is_ready)
        await beacon.start()
        stack.push_async_callback(beacon.stop)
        watchers = [
            asyncio.create_task(each, name=name)
            for name, each in (
                ("loop watch", loop_monitor.monitor_loop()),
                ("vigil", vigil.run()),
                ("roster", roster.run()),
                ("beacon", beacon.run()),
            )
        ]
        for task in watchers:
            stack.callback(task.cancel)
        tasks = (limiter.task, dispatcher.loop, folders.loop, *watchers)
        failure = asyncio.ensure_future(_first(progress.failure, stores.failure, *tasks))
        stack.callback(failure.cancel)
        yield Server(replace(settings, port=port), url, pool, failure, reload)


def free_port(settings: Settings) -> bool:
    """Whether the settings' port can be listened on now."""
    try:
        for each in _bind(settings):
            each.close()
    except ConfigError:
        return False
    return True


def _bind(settings: Settings) -> list[socket]:
    try:
        return bind_sockets(settings.port, settings.host)
    except OSError as error:
        raise ConfigError(
            f"Port {settings.port} of {settings.host} cannot be listened on: {error.strerror or error}. "
            "Choose another with --port (0 takes a free one) or --host."
        ) from error


def _folders(live: SettingsHolder) -> Callable[[str], Path]:
    def resolve(path: str) -> Path:
        now = live()
        return resolve_source(path, now.documents.roots, (now.data.resolve(),))

    return resolve


def _walks(live: SettingsHolder) -> Walk:
    def walk(folder: Path, wish: ScanOptions) -> Generator[ScanEntry, None, None]:
        documents, forbidden = live().documents, (live().data.resolve(),)
        exclude = (*documents.exclude, *wish.exclude)
        return walk_entries(
            folder, WalkRules(documents.roots, exclude, forbidden, wish.include, wish.recursive)
        )

    return walk


async def _embed(pool: ComputePool, model: str, precision: str, texts: Sequence[str]) -> NDArray[np.float32]:
    return await pool.embed_questions(ModelSpec(model, precision), texts)


async def _cut_off(http: HTTPServer) -> None:
    """Close all connections, and let the requests under way end unless they hang."""
    with suppress(TimeoutError):
        async with asyncio.timeout(_REQUESTS_S):
            await http.close_all_connections()


def _note_lag(metrics: MetricsRegistry, batch: MessageBatch) -> None:
    added_ms, _ = parse_stream_id(batch.messages[-1].id)
    metrics.lag(time.time() - added_ms / 1000)


async def _first(*parts: asyncio.Future[Any]) -> None:
    """Wait until a part that should run for ever has ended, and raise why."""
    done, _ = await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
    for part in done:
        await part
