"""The composition root: builds all parts of the server, connects them, and stops them. Only the commands import it.

`async with running(settings) as server:` is the whole server; on exit the parts stop in reverse order.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial

from tornado.web import Application

from handlers.http.server import serving
from handlers.mcp_endpoint import McpEndpoint
from handlers.passing_on import PassingOn
from handlers.routes import application
from handlers.services import Services
from handlers.sockets.send_queue import SentCounter
from pipeline import failpoints
from pipeline.compute.pool import ComputePool, PoolFactory, query_encoder
from pipeline.connectors.registry import ConnectorRegistry
from pipeline.context.context import Dependencies
from pipeline.embedding.model import BUNDLED
from pipeline.execution.dispatcher import Dispatcher
from pipeline.remote.with_cluster import with_cluster
from pipeline.scanning.folder_rules import FolderRules
from pipeline.watching.folder_watcher import FolderWatcher
from pipeline.workers.original_opener import open_original
from pipeline.workers.pool import Pool
from semantik.app.background import background_tasks, first_failure
from semantik.app.health import HealthMonitor
from semantik.app.heartbeat import Heartbeat
from semantik.app.listening import listening, server_url
from semantik.app.loop_monitor import monitor_loop
from semantik.app.metrics import MetricsRegistry
from semantik.app.rate_limiter import RateLimiter
from semantik.auth.access_monitor import AccessMonitor
from semantik.auth.audit import AuditLog
from semantik.auth.authorization import Authorizer
from semantik.auth.external_accounts import ExternalAccounts
from semantik.auth.folder_access import FolderAccess
from semantik.auth.groups import GroupService
from semantik.auth.login_throttle import LoginThrottle
from semantik.auth.oidc.group_mapping import GroupMapping
from semantik.auth.oidc.service import OidcService
from semantik.auth.peer_tickets import PeerTickets
from semantik.auth.proxy_sign_in import ProxySignIn
from semantik.auth.sealing import SOURCES, Sealer
from semantik.auth.second_factor import SecondFactorService
from semantik.auth.session_monitor import SessionMonitor
from semantik.auth.session_upkeep import keep_sessions
from semantik.auth.sessions import SessionService
from semantik.auth.signing_keys import SigningKeys
from semantik.auth.tokens import Tokens
from semantik.config.reloadable import ReloadResult, SettingsHolder
from semantik.config.settings import Settings
from semantik.connection_limits import ConnectionLimiter, CounterStore
from semantik.index.keyword import KeywordRegistry
from semantik.progress import ProgressService
from semantik.search.index_sync import IndexSync
from semantik.search.query_embedder import QueryEmbedder
from semantik.search.rerank import Reranker
from semantik.search.service import SearchService
from semantik.search.suggestions import SuggestionService
from semantik.search.vector_sync import open_vectors
from semantik.services.active_operations import ActiveOperations
from semantik.services.answers import AnswerService
from semantik.services.bulk_actions import BulkActions
from semantik.services.collections import CollectionService
from semantik.services.export import ExportService
from semantik.services.folder_browser import FolderBrowser
from semantik.services.folder_languages import LanguageSampler
from semantik.services.folder_scans import FolderScans
from semantik.services.listing.service import ListingService
from semantik.services.notifications import Notifications
from semantik.services.operations import OperationService
from semantik.services.originals import OriginalService
from semantik.services.peers import Peers
from semantik.services.server_labels import ServerLabels
from semantik.services.sharing import SharingService
from semantik.services.sources import SourceService
from semantik.services.system import SystemService
from semantik.services.tags import TagService
from semantik.services.upload_upkeep import UploadUpkeep
from semantik.services.uploads import UploadService
from semantik.services.users import UserService
from semantik.services.views import ViewService
from semantik.storage.data_folder import data_lock, instance_id
from semantik.storage.embedded import embedded
from semantik.storage.mongo import Store
from semantik.storage.upload_contents import UploadContents
from semantik.storage.upload_folder import UploadFolder

log = logging.getLogger("semantik")


@dataclass(frozen=True)
class Server:
    """A running server at `url`. `failure` raises when a part has failed; `reload` applies what needs no restart.

    `setup_code` is what the registration of the first user needs; None when there was a user at the start.
    """

    settings: Settings
    url: str
    pool: ComputePool
    setup_code: str | None
    failure: asyncio.Future[None]
    reload: Callable[[Settings], ReloadResult]


@asynccontextmanager
async def running(settings: Settings, make_pool: PoolFactory = Pool) -> AsyncIterator[Server]:
    """Start all parts, serve, and stop all parts. Raises ConfigError or Conflict when the server cannot start.

    `make_pool` makes what reads files and embeds texts; `pipeline/compute/pool.py` says how to write another.
    """
    current = SettingsHolder(settings)
    async with AsyncExitStack() as stack:
        start = stack.enter_async_context
        lock = await start(data_lock(settings.data))
        owner = instance_id(settings.data)
        sockets = stack.enter_context(listening(settings.host, settings.port))
        pool = await start(with_cluster(current, await start(make_pool(current))))
        stores = await start(embedded(settings.data, not settings.mongo_url, not settings.redis_url, lock))
        mongo = (settings.mongo_url or stores.mongo_url, settings.mongo_database)
        store = await start(Store(*mongo, stores.mongo_reads_url))
        sent = SentCounter()
        metrics = MetricsRegistry(lambda: (sent.messages, sent.bytes))
        redis_url = settings.redis_url or stores.redis_url
        progress = await start(ProgressService(redis_url, settings.progress, owner, metrics.observe_batch))
        audit = await start(AuditLog(store, lambda: current().audit))
        limiter = await start(ConnectionLimiter(CounterStore(progress.redis), lambda: current().sockets))
        vectors = await start(open_vectors(settings, store, pool.run))
        metrics.add_engine(lambda: vectors.engine_state)
        keywords = KeywordRegistry(settings.data / "keywords", pool.run)
        stack.push_async_callback(keywords.close)
        index_sync = IndexSync(store, vectors, keywords)
        stack.push_async_callback(index_sync.close)
        query_embedder = QueryEmbedder(query_encoder(pool), lambda: current().search)
        stack.push_async_callback(query_embedder.close)
        reranker = Reranker(pool.rerank, lambda: current().search)
        stack.push_async_callback(reranker.close)
        sealer = Sealer(settings.data, settings.connectors.secrets_key, SOURCES)
        connectors = ConnectorRegistry(current, sealer)
        contents = UploadContents(store.uploads, UploadFolder(settings.data), bool(settings.mongo_url))
        stack.callback(contents.close)
        groups = GroupService(store)
        notifications = Notifications(store, groups, current, failpoints.die_at)
        access, events = FolderAccess(store, current), notifications.events
        dependencies = Dependencies(
            current, store, progress, pool, index_sync, access, connectors, contents, events
        )
        dispatcher = await start(Dispatcher(dependencies, owner))
        active_operations = ActiveOperations(store, groups)
        wake = partial(_call_all, dispatcher.wake, active_operations.wake)
        folder_watcher = await start(FolderWatcher(current, store, wake))
        signing_keys = SigningKeys(store, lambda: current().auth)
        await signing_keys.load()
        services = _services(
            dependencies,
            query_embedder,
            reranker,
            groups,
            active_operations,
            limiter,
            metrics,
            audit,
            signing_keys,
            notifications,
            wake,
            owner,
        )
        upkeep = UploadUpkeep(store, services.uploads, services.operations, lambda: current().uploads)
        await upkeep.recover()
        for each in (services.oidc, services.mcp, services.search, services.lists, services.suggestions):
            stack.push_async_callback(each.close)
        app = application(services, sent)
        connection_times = await start(serving(app, sockets, current))
        url = server_url(settings.host, port := sockets[0].getsockname()[1])
        facts = (pool.batch_workers, lambda: pool.is_ready, current, access.server_roots)
        heartbeat = Heartbeat(store, owner, url, *facts)
        await heartbeat.start()
        stack.push_async_callback(heartbeat.stop)
        tasks = stack.enter_context(
            background_tasks(
                loop_monitor=monitor_loop(),
                session_upkeep=keep_sessions(signing_keys, services.sessions),
                session_monitor=services.session_monitor.run(),
                access_monitor=services.access_monitor.run(),
                active_operations=active_operations.run(),
                heartbeat=heartbeat.run(),
                audit=audit.run(),
                upload_upkeep=upkeep.run(),
                notifications=notifications.run(services.search),
            )
        )
        parts = (connection_times, limiter.task, dispatcher.loop, folder_watcher.loop, *tasks)
        failure = asyncio.ensure_future(first_failure(progress.failure, stores.failure, *parts))
        stack.callback(failure.cancel)
        reload = partial(_reload, current, app, wake)
        setup_code = await services.sessions.setup_code.current()
        await services.folder_access.warn_if_closed()
        yield Server(replace(settings, port=port), url, pool, setup_code, failure, reload)


def _services(
    parts: Dependencies,
    query_embedder: QueryEmbedder,
    reranker: Reranker,
    groups: GroupService,
    active_operations: ActiveOperations,
    limiter: ConnectionLimiter,
    metrics: MetricsRegistry,
    audit: AuditLog,
    signing_keys: SigningKeys,
    notifications: Notifications,
    wake: Callable[[], None],
    server: str,
) -> Services:
    current, store, progress, pool = parts.get_settings, parts.store, parts.progress, parts.pool
    authorizer, folders, access = Authorizer(store), FolderRules(current), parts.folder_access
    languages = LanguageSampler(pool.languages, lambda: current().embedding.model, BUNDLED)
    second_factors = SecondFactorService(store, Sealer(current().data, current().auth.second_factor_key))
    sessions = SessionService(store, groups, lambda: current().auth, Tokens(signing_keys), second_factors)
    external = ExternalAccounts(store, sessions.accounts, lambda: current().auth)
    embedding, labels = lambda: current().embedding, ServerLabels(store, current().label)
    operations = OperationService(store, authorizer, access, folders.resolve, wake, embedding, labels)
    search = SearchService(
        store, authorizer, parts.index_sync, query_embedder, lambda: current().search, reranker
    )
    saved_searches, webhooks = notifications.services(authorizer)
    uploads = UploadService(store, authorizer, parts.uploads, server, lambda: current().uploads)
    lists = ListingService(store, authorizer)
    return Services(
        settings=current(),
        sessions=sessions,
        proxy=ProxySignIn(lambda: current().auth, sessions, external, audit),
        oidc=OidcService(
            lambda: current().auth, sessions, external, GroupMapping(sessions.accounts, groups), signing_keys
        ),
        audit=audit,
        groups=groups,
        second_factors=second_factors,
        authorizer=authorizer,
        collections=CollectionService(store, authorizer, operations, embedding, wake),
        sharing=SharingService(store, authorizer),
        users=UserService(store, authorizer, sessions.accounts, groups, sessions.forget_user),
        tags=TagService(store, authorizer),
        exports=ExportService(store, authorizer, lambda: current().operations.exports),
        operations=operations,
        sources=SourceService(store, authorizer, operations, parts.connectors),
        views=ViewService(store, authorizer, parts.index_sync, lambda: current().operations),
        search=search,
        answers=AnswerService(search, authorizer, lambda: current().answers),
        uploads=uploads,
        lists=lists,
        bulk=BulkActions(store, authorizer, operations, lists, uploads.storer.remove),
        originals=OriginalService(
            store, authorizer, parts.folder_access, parts.uploads, partial(open_original, current), labels
        ),
        suggestions=SuggestionService(store, authorizer, parts.index_sync),
        progress=progress,
        connection_limiter=limiter,
        health=HealthMonitor(store.ping, progress.ping, pool, lambda: parts.index_sync.engine_state),
        system=SystemService(store, progress, current),
        session_monitor=SessionMonitor(sessions),
        access_monitor=AccessMonitor(store, groups),
        active_operations=active_operations,
        metrics=metrics,
        folder_access=parts.folder_access,
        folder_browser=FolderBrowser(parts.folder_access, folders.list_folder),
        passing_on=PassingOn(PeerTickets(store, groups, signing_keys), Peers(store, server)),
        folder_scans=FolderScans(lambda: current().scan, folders.resolve, folders.walk, languages.languages),
        login_throttle=LoginThrottle(progress.redis, lambda: current().sign_in),
        rate_limiter=RateLimiter(lambda: current().rate_limits),
        mcp=McpEndpoint(),
        alerts=notifications.alerts,
        saved_searches=saved_searches,
        webhooks=webhooks,
    )


def _reload(
    current: SettingsHolder, app: Application, wake: Callable[[], None], fresh: Settings
) -> ReloadResult:
    result = current.reload(fresh)
    app.settings["services"] = replace(app.settings["services"], settings=current())
    wake()
    return result


def _call_all(*functions: Callable[[], None]) -> None:
    for function in functions:
        function()
