"""What every door shares: who is asking, what they sent, and how an error is told. Runs on the loop.

Errors leave as RFC 9457 problems; the one table that maps the domain's errors to statuses stands here.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from http import HTTPStatus
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

import voluptuous as vol
from tornado.httputil import HTTPServerRequest
from tornado.web import HTTPError, RequestHandler

from handlers.fields import Expected
from semantik.app.health import HealthMonitor
from semantik.app.metrics import MetricsRegistry
from semantik.auth.authorization import Authorizer
from semantik.auth.session_monitor import SessionMonitor
from semantik.auth.sessions import Principal, SessionService
from semantik.config.settings import Settings
from semantik.core import errors
from semantik.progress import ProgressService
from semantik.search.service import SearchService
from semantik.services.active_operations import ActiveOperations
from semantik.services.collections import CollectionService
from semantik.services.folder_scans import FolderScans
from semantik.services.operations import OperationService
from semantik.services.views import ViewService

log = logging.getLogger("semantik.http")

COOKIE = "semantik_session"

STATUSES: dict[type[Exception], HTTPStatus] = {
    errors.Invalid: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.Unauthorized: HTTPStatus.UNAUTHORIZED,
    errors.Forbidden: HTTPStatus.FORBIDDEN,
    errors.NotFound: HTTPStatus.NOT_FOUND,
    errors.Conflict: HTTPStatus.CONFLICT,
    errors.Busy: HTTPStatus.TOO_MANY_REQUESTS,
    errors.Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
}

_SECRETS = ("password", "refresh_token")  # fields whose values no message repeats
_MOST_FAULTS = 5
_MOST_SHOWN = 60  # characters of a value, or of a name that is not ours
_TYPES = {
    "expected str": "a text is expected",
    "expected a list": "a list is expected",
    "expected a dictionary": "an object is expected",
}

SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
}


@dataclass(frozen=True)
class Services:
    """What the doors lead to."""

    settings: Settings
    sessions: SessionService
    authorizer: Authorizer
    collections: CollectionService
    operations: OperationService
    views: ViewService
    search: SearchService
    progress: ProgressService
    health: HealthMonitor
    session_monitor: SessionMonitor
    active_operations: ActiveOperations
    metrics: MetricsRegistry
    folder_scans: FolderScans


async def authenticate(
    request: HTTPServerRequest, services: Services, scope: str, token: str = ""
) -> Principal:
    """Who asks, and whether what they came with is good for `scope`. Raises Unauthorized or Forbidden.

    They come by a `token` that was sent otherwise, by `Authorization: Bearer`, or by the browser's cookie from a page
    of ours; a token is an access token or an API key.
    """
    principal = await _recognise(request, services, token)
    principal.need(scope)
    return principal


async def _recognise(request: HTTPServerRequest, services: Services, token: str) -> Principal:
    if token:
        return await services.sessions.authenticate(token)
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token:
        return await services.sessions.authenticate(token.strip())
    cookie = request.cookies.get(COOKIE)
    if cookie is None:
        raise errors.Unauthorized("Sign in first: there is neither a bearer token nor a session cookie.")
    if not same_origin(request):
        raise errors.Unauthorized("The session cookie is good for this server's own pages only.")
    return await services.sessions.authenticate(cookie.value, browser=True)


def same_origin(request: HTTPServerRequest) -> bool:
    """Whether a page of ours asks; programs and plain navigation send no Origin."""
    origin = request.headers.get("Origin")
    if origin is None:
        return True
    try:
        return urlsplit(origin).netloc.lower() == request.headers.get("Host", "").lower()
    except ValueError:  # no address at all
        return False


def origin_allowed(request: HTTPServerRequest, settings: Settings) -> bool:
    """Whether the page that asks, if it is one, is ours or one of `allowed_origins`."""
    return same_origin(request) or request.headers["Origin"] in settings.allowed_origins


class BaseHandlerMixin(RequestHandler):
    """What the doors share whichever of Tornado's classes they are; stands before it among the bases."""

    @property
    def services(self) -> Services:
        services: Services = self.application.settings["services"]
        return services

    def decode_argument(self, value: bytes, name: str | None = None) -> str:
        try:
            return value.decode()
        except UnicodeDecodeError as error:
            where = f"The query's parameter {name}" if name else "The address"
            # Of Tornado's kind, which files and sockets know as well.
            raise HTTPError(HTTPStatus.UNPROCESSABLE_ENTITY, f"{where} is not UTF-8.") from error

    def log_exception(
        self,
        typ: type[BaseException] | None,
        value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        """Log faults of ours, without the query, which may hold a token. A refusal, ours or Tornado's, is none."""
        if not isinstance(value, (errors.SemantikError, HTTPError)):
            log.error("%s %s failed", self.request.method, self.request.path, exc_info=value)


class RestHandler(BaseHandlerMixin):
    """Base of the REST doors. `public = True` lets anybody in; else `self.principal` is who asks."""

    public = False
    token_in_query = False  # for what a browser connects to without headers of ours
    scope = ""  # what an API key needs; if it is not said, read to GET and write for all else
    principal: Principal

    def set_default_headers(self) -> None:
        for name, value in SECURITY_HEADERS.items():
            self.set_header(name, value)
        self.set_header("Cache-Control", "no-store")

    async def prepare(self) -> None:
        reading = self.request.method in ("GET", "HEAD")
        if not reading and not origin_allowed(self.request, self.services.settings):
            raise errors.Forbidden("This page's origin is not among the server's allowed_origins.")
        if not self.public:
            token = self.get_query_argument("token", "") if self.token_in_query else ""
            scope = self.scope or ("read" if reading else "write")
            self.principal = await authenticate(self.request, self.services, scope, token)

    def body(self, schema: vol.Schema) -> dict[str, Any]:
        """The JSON object that was sent, checked; raises Invalid that names the field."""
        try:
            value = json.loads(self.request.body or b"{}")
            json.dumps(value, ensure_ascii=False).encode()
        except UnicodeEncodeError as error:
            raise errors.Invalid("The body holds half a character (a lone surrogate).") from error
        except RecursionError as error:
            raise errors.Invalid("The body's lists and objects are nested too deeply.") from error
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise errors.Invalid(f"The body is not valid JSON: {error}.") from error
        except ValueError as error:  # of the parser's numbers
            raise errors.Invalid("The body has a number of too many digits.") from error
        if not isinstance(value, dict):
            raise errors.Invalid("The body must be a JSON object.")
        return checked(schema, value)

    def query(self, schema: vol.Schema) -> dict[str, Any]:
        """The query parameters, checked; a parameter that is given twice counts once, the last."""
        return checked(schema, {name: self.get_query_argument(name) for name in self.request.query_arguments})

    def reply(self, value: dict[str, Any], status: HTTPStatus = HTTPStatus.OK) -> None:
        self.set_status(status)
        self.set_header("Content-Type", "application/json")
        self.write(json.dumps(value, ensure_ascii=False))

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        error = kwargs["exc_info"][1] if "exc_info" in kwargs else None
        status = next((s for kind, s in STATUSES.items() if isinstance(error, kind)), HTTPStatus(status_code))
        if isinstance(error, errors.Unavailable):
            self.set_header("Retry-After", str(error.retry_after_s))
        if status is HTTPStatus.UNAUTHORIZED:
            self.set_header("WWW-Authenticate", "Bearer")
        self.set_status(status)
        self.set_header("Content-Type", "application/problem+json")
        self.finish(json.dumps(problem(status, describe(status, error))))


class NotFoundHandler(RestHandler):
    """Every path that leads nowhere."""

    public = True

    async def prepare(self) -> None:
        raise errors.NotFound(f"There is nothing at {self.request.path}.")


def checked(schema: vol.Schema, value: dict[str, Any]) -> dict[str, Any]:
    """Validate a JSON object; raises Invalid that names each field, its value, and what is allowed."""
    try:
        result: dict[str, Any] = schema(value)
    except vol.MultipleInvalid as error:
        faults = [_fault(each, schema, value) for each in error.errors[:_MOST_FAULTS]]
        raise errors.Invalid("; ".join(faults) + ".") from error
    return result


def problem(status: HTTPStatus, detail: str) -> dict[str, Any]:
    return {"type": "about:blank", "title": status.phrase, "status": int(status), "detail": detail}


def _fault(error: vol.Invalid, schema: vol.Schema, value: Any) -> str:
    path = [getattr(part, "schema", part) for part in error.path]
    where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)[
        1 : 1 + _MOST_SHOWN
    ]
    if isinstance(error, vol.RequiredFieldInvalid):
        return f"{where} is missing"
    if error.msg == "extra keys not allowed":
        known = schema.schema
        for part in path[:-1]:
            known = getattr(known[part], "schema", known[part])
        names = ", ".join(sorted(map(str, known)))
        return f"{where} is not known here; " + (f"known are {names}" if names else "nothing is expected")
    for part in path:
        value = value[part]
    found = where if where in _SECRETS else where + _shown(value)
    allowed = f"{error.msg} is expected" if isinstance(error, Expected) else _TYPES.get(error.msg, error.msg)
    return f"{found} is not allowed: {allowed}"


def _shown(value: Any) -> str:
    if isinstance(value, (list, dict)):
        return " (a list)" if isinstance(value, list) else " (an object)"
    found = json.dumps(value, ensure_ascii=False)
    return f" = {found}" if len(found) <= _MOST_SHOWN else f" = {found[:_MOST_SHOWN]}…"


def describe(status: HTTPStatus, error: BaseException | None) -> str:
    """The sentence that a problem tells a person."""
    if isinstance(error, errors.SemantikError):
        return str(error)
    if isinstance(error, HTTPError) and (error.reason or error.log_message):
        return str(error.reason or error.log_message)
    if status is HTTPStatus.INTERNAL_SERVER_ERROR:
        return "Something went wrong in the server; its log has the details."
    return status.description or status.phrase
