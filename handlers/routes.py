"""Every route of the server, and the Tornado application that serves them.

Who may use a route is in `tests/support/access_table.py`: a route without a row there fails a test.
"""

from __future__ import annotations

import logging
from http import HTTPStatus

from tornado.web import Application, RequestHandler, url

from handlers import events, export
from handlers.alert_events import AlertEventsHandler
from handlers.base import NotFoundHandler
from handlers.client_address import client_address, request_id
from handlers.live_streams import LiveStreams
from handlers.mcp.handler import McpHandler
from handlers.rest import (
    alerts,
    answers,
    api_keys,
    audit,
    auth,
    bulk,
    collections,
    deliveries,
    documents,
    folders,
    groups,
    health,
    oidc,
    openapi,
    operations,
    originals,
    page,
    roots,
    saved_searches,
    search,
    second_factor,
    sessions,
    shares,
    sources,
    suggest,
    uploads,
    users,
    webhooks,
)
from handlers.services import Services
from handlers.sockets.alerts import AlertsSocketHandler
from handlers.sockets.operation import OperationSocketHandler
from handlers.sockets.operations import OperationsSocketHandler
from handlers.sockets.scan import ScanSocketHandler
from handlers.sockets.send_queue import SentCounter

log = logging.getLogger("semantik.http")

_API = "/api/v2"
_ID = r"([^/]{1,100})"

ROUTES = [
    url(rf"{_API}/health", health.HealthHandler),
    url(rf"{_API}/status", health.StatusHandler),
    url(rf"{_API}/status/log", health.LogHandler),
    url(rf"{_API}/auth/register", auth.RegisterHandler),
    url(rf"{_API}/auth/login", auth.LoginHandler),
    url(rf"{_API}/auth/refresh", auth.RefreshHandler),
    url(rf"{_API}/auth/logout", auth.LogoutHandler),
    url(rf"{_API}/auth/me", auth.MeHandler),
    url(rf"{_API}/auth/password", sessions.PasswordHandler),
    url(rf"{_API}/auth/sessions", sessions.SessionsHandler),
    url(rf"{_API}/auth/sessions/{_ID}", sessions.SessionHandler),
    url(rf"{_API}/auth/second-factor", second_factor.SecondFactorHandler),
    url(rf"{_API}/auth/second-factor/confirm", second_factor.ConfirmSecondFactorHandler),
    url(rf"{_API}/auth/setup", auth.SetupHandler),
    url(rf"{_API}/auth/oidc/login", oidc.OidcLoginHandler),
    url(rf"{_API}/auth/oidc/callback", oidc.OidcCallbackHandler),
    url(rf"{_API}/api-keys", api_keys.ApiKeysHandler),
    url(rf"{_API}/api-keys/{_ID}", api_keys.ApiKeyHandler),
    url(rf"{_API}/audit", audit.AuditHandler),
    url(rf"{_API}/users", users.UsersHandler),
    url(rf"{_API}/users/{_ID}", users.UserHandler),
    url(rf"{_API}/groups", groups.GroupsHandler),
    url(rf"{_API}/groups/{_ID}", groups.GroupHandler),
    url(rf"{_API}/groups/{_ID}/members/{_ID}", groups.MemberHandler),
    url(rf"{_API}/admin/roots", roots.RootsHandler),
    url(rf"{_API}/admin/collections", shares.AllCollectionsHandler),
    url(rf"{_API}/collections", collections.CollectionsHandler),
    url(rf"{_API}/collections/{_ID}", collections.CollectionHandler),
    url(rf"{_API}/collections/{_ID}/shares", shares.SharesHandler),
    url(rf"{_API}/collections/{_ID}/shares/(user|group)/{_ID}", shares.ShareHandler),
    url(rf"{_API}/collections/{_ID}/owner", shares.OwnerHandler),
    url(rf"{_API}/collections/{_ID}/append", collections.AppendHandler),
    url(rf"{_API}/collections/{_ID}/reindex", collections.ReindexHandler),
    url(rf"{_API}/collections/{_ID}/export", export.ExportHandler),
    url(rf"{_API}/collections/{_ID}/retry", collections.RetryHandler),
    url(rf"{_API}/collections/{_ID}/sources", sources.SourcesHandler),
    url(rf"{_API}/collections/{_ID}/sources/{_ID}", sources.SourceHandler),
    url(rf"{_API}/source-kinds", sources.SourceKindsHandler),
    url(rf"{_API}/collections/{_ID}/uploads", uploads.UploadsHandler),
    url(rf"{_API}/collections/{_ID}/uploads/{_ID}", uploads.UploadHandler),
    url(rf"{_API}/collections/{_ID}/documents", documents.DocumentsHandler),
    url(rf"{_API}/collections/{_ID}/documents/retry", bulk.RetryDocumentsHandler),
    url(rf"{_API}/collections/{_ID}/documents/remove", bulk.RemoveDocumentsHandler),
    url(rf"{_API}/collections/{_ID}/documents/tags", bulk.TagDocumentsHandler),
    url(rf"{_API}/collections/{_ID}/statistics", documents.StatisticsHandler),
    url(rf"{_API}/collections/{_ID}/documents/{_ID}", documents.DocumentHandler),
    url(rf"{_API}/collections/{_ID}/documents/{_ID}/tags", documents.DocumentTagsHandler),
    url(rf"{_API}/collections/{_ID}/documents/{_ID}/content", documents.ContentHandler),
    url(rf"{_API}/collections/{_ID}/documents/{_ID}/original", originals.OriginalHandler),
    url(rf"{_API}/collections/{_ID}/documents/{_ID}/chunks/(\d{{1,15}})/similar", search.SimilarHandler),
    url(rf"{_API}/collections/{_ID}/documents/{_ID}/retry", documents.RetryDocumentHandler),
    url(rf"{_API}/folders", folders.FoldersHandler),
    url(rf"{_API}/folders/languages", folders.FolderLanguagesHandler),
    url(rf"{_API}/operations", operations.OperationsHandler),
    url(rf"{_API}/operations/{_ID}", operations.OperationHandler),
    url(rf"{_API}/operations/{_ID}/failures", operations.FailuresHandler),
    url(rf"{_API}/operations/{_ID}/events", events.EventsHandler),
    url(rf"{_API}/search", search.SearchHandler),
    url(rf"{_API}/answers", answers.AnswersHandler),
    url(rf"{_API}/saved-searches", saved_searches.SavedSearchesHandler),
    url(rf"{_API}/saved-searches/{_ID}", saved_searches.SavedSearchHandler),
    url(rf"{_API}/saved-searches/{_ID}/feed", saved_searches.FeedHandler),
    url(rf"{_API}/saved-searches/{_ID}/feed/key", saved_searches.FeedKeyHandler),
    url(rf"{_API}/saved-searches/{_ID}/deliveries", deliveries.MailDeliveriesHandler),
    url(rf"{_API}/saved-searches/{_ID}/deliveries/{_ID}/again", deliveries.MailDeliveryAgainHandler),
    url(rf"{_API}/alerts", alerts.AlertsHandler),
    url(rf"{_API}/alerts/events", AlertEventsHandler),
    url(rf"{_API}/webhooks", webhooks.WebhooksHandler),
    url(rf"{_API}/webhooks/{_ID}", webhooks.WebhookHandler),
    url(rf"{_API}/webhooks/{_ID}/test", webhooks.WebhookTestHandler),
    url(rf"{_API}/webhooks/{_ID}/secret", webhooks.WebhookSecretHandler),
    url(rf"{_API}/webhooks/{_ID}/deliveries", deliveries.WebhookDeliveriesHandler),
    url(rf"{_API}/webhooks/{_ID}/deliveries/{_ID}/again", deliveries.WebhookDeliveryAgainHandler),
    url(rf"{_API}/suggest", suggest.SuggestHandler),
    url(rf"{_API}/openapi.json", openapi.OpenApiHandler),
    url(r"/mcp", McpHandler),
    url(r"/ws/alerts", AlertsSocketHandler),
    url(r"/ws/operations", OperationsSocketHandler),
    url(rf"/ws/operations/{_ID}", OperationSocketHandler),
    url(rf"/ws/scan/{_ID}", ScanSocketHandler),
    url(r"/metrics", health.MetricsHandler),
    url(r"/static/(.+)", page.StaticHandler, {"path": str(page.WEB)}),
    url(r"/()", page.HomeHandler, {"path": str(page.WEB)}),
]


def application(services: Services, sent: SentCounter) -> Application:
    """The application; `sent` counts what sockets are sent. Its setting `services` may be replaced at any time."""
    return Application(
        ROUTES,
        services=services,
        streams=LiveStreams(),
        sent=sent,
        default_handler_class=NotFoundHandler,
        log_function=_log,
    )


def _log(handler: RequestHandler) -> None:
    """Log a request as one line in columns. Only the path: a query may hold a token."""
    request = handler.request
    status = handler.get_status()
    level = logging.WARNING if status >= HTTPStatus.INTERNAL_SERVER_ERROR else logging.INFO
    taken_ms = 1000 * request.request_time()
    columns = status, request.method, taken_ms, request_id(request), client_address(request), request.path
    log.log(level, "%3d %-6s %8.1f ms %s %s %s", *columns)
