"""Every address that the server answers, and the application that they make."""

from __future__ import annotations

import logging
from http import HTTPStatus

from tornado.web import Application, RequestHandler, url

from handlers import (
    api_keys,
    auth,
    collections,
    documents,
    events,
    health,
    operations,
    page,
    search,
    sources,
)
from handlers.base import Nowhere, Services
from handlers.operation_socket import OperationSocket
from handlers.operations_socket import OperationsSocket
from handlers.outbox import Tally
from handlers.scan_socket import ScanSocket

log = logging.getLogger("semantik.http")

_API = "/api/v2"
_ID = r"([^/]{1,100})"

ROUTES = [
    url(rf"{_API}/health", health.Health),
    url(rf"{_API}/status", health.Status),
    url(rf"{_API}/auth/register", auth.Register),
    url(rf"{_API}/auth/login", auth.Login),
    url(rf"{_API}/auth/refresh", auth.Refresh),
    url(rf"{_API}/auth/logout", auth.Logout),
    url(rf"{_API}/auth/me", auth.Me),
    url(rf"{_API}/auth/setup", auth.Setup),
    url(rf"{_API}/api-keys", api_keys.ApiKeys),
    url(rf"{_API}/api-keys/{_ID}", api_keys.ApiKey),
    url(rf"{_API}/collections", collections.Collections),
    url(rf"{_API}/collections/{_ID}", collections.Collection),
    url(rf"{_API}/collections/{_ID}/append", collections.Append),
    url(rf"{_API}/collections/{_ID}/reindex", collections.Reindex),
    url(rf"{_API}/collections/{_ID}/retry", collections.Retry),
    url(rf"{_API}/collections/{_ID}/sources", sources.Sources),
    url(rf"{_API}/collections/{_ID}/sources/{_ID}", sources.Source),
    url(rf"{_API}/collections/{_ID}/documents", documents.Documents),
    url(rf"{_API}/collections/{_ID}/documents/{_ID}", documents.Document),
    url(rf"{_API}/collections/{_ID}/documents/{_ID}/content", documents.Content),
    url(rf"{_API}/collections/{_ID}/documents/{_ID}/retry", documents.Retry),
    url(rf"{_API}/operations", operations.Operations),
    url(rf"{_API}/operations/{_ID}", operations.Operation),
    url(rf"{_API}/operations/{_ID}/failures", operations.Failures),
    url(rf"{_API}/operations/{_ID}/events", events.Events),
    url(rf"{_API}/search", search.Search),
    url(r"/ws/operations", OperationsSocket),
    url(rf"/ws/operations/{_ID}", OperationSocket),
    url(rf"/ws/scan/{_ID}", ScanSocket),
    url(r"/metrics", health.Metrics),
    url(r"/static/(.+)", page.Static, {"path": str(page.WEB)}),
    url(r"/()", page.Home, {"path": str(page.WEB)}),
]


def application(services: Services, tally: Tally) -> Application:
    """The application; `tally` counts what sockets are sent. Its setting `services` may be replaced at any time."""
    return Application(
        ROUTES,
        services=services,
        sockets=set(),
        tally=tally,
        default_handler_class=Nowhere,
        log_function=_log,
    )


def _log(handler: RequestHandler) -> None:
    """One line a request, in columns. Only the path: a query may hold a token."""
    request = handler.request
    status = handler.get_status()
    level = logging.WARNING if status >= HTTPStatus.INTERNAL_SERVER_ERROR else logging.INFO
    taken_ms = 1000 * request.request_time()
    log.log(level, "%3d %-6s %8.1f ms %s", status, request.method, taken_ms, request.path)
