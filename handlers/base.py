"""The bases of all handlers: authentication, the request's body and query, the reply, and errors. Runs on the loop."""

from __future__ import annotations

import json
import logging
from asyncio import Future
from collections.abc import Mapping
from http import HTTPStatus
from types import TracebackType
from typing import Any, ClassVar

import voluptuous as vol
from tornado.httputil import HTTPServerRequest
from tornado.web import Application, HTTPError, RequestHandler, stream_request_body

from handlers.audit_trail import READ, AuditNote, record_request
from handlers.authentication import authenticate, origin_allowed
from handlers.client_address import answer_early, client_address, request_id
from handlers.compression import is_worth_packing, packed, takes_gzip
from handlers.problems import describe, problem, status_of
from handlers.security_headers import security_headers
from handlers.services import Services
from handlers.validation import validate
from semantik.app.rate_limiter import RateGroup
from semantik.auth.principal import Principal, Scope
from semantik.core import errors
from semantik.core.models import User

log = logging.getLogger("semantik.http")


class BaseHandlerMixin(RequestHandler):
    """What all handlers share, whichever of Tornado's classes they extend; it precedes that among the bases."""

    @property
    def services(self) -> Services:
        services: Services = self.application.settings["services"]
        return services

    def set_default_headers(self) -> None:
        self.clear_header("Server")
        for name, value in security_headers(self.request.protocol).items():
            self.set_header(name, value)
        self.set_header("X-Request-Id", request_id(self.request))

    def set_status(self, status_code: int, reason: str | None = None) -> None:
        super().set_status(status_code, reason)
        if status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            self.set_header(
                "Allow", ", ".join(method for method in self.SUPPORTED_METHODS if self._has(method))
            )

    def decode_argument(self, value: bytes, name: str | None = None) -> str:
        try:
            return value.decode()
        except UnicodeDecodeError as error:
            where = f"The query's parameter {name}" if name else "The address"
            # Tornado's own error class, which handlers of files and sockets know as well.
            raise HTTPError(HTTPStatus.UNPROCESSABLE_ENTITY, f"{where} is not UTF-8.") from error

    def _has(self, method: str) -> bool:
        """Whether the handler has this method of its own."""
        own, inherited = (getattr(kind, method.lower(), None) for kind in (type(self), RequestHandler))
        return own is not inherited

    def log_exception(
        self,
        typ: type[BaseException] | None,
        value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        """Log bugs, without the query, which may hold a token. A refusal, by us or by Tornado, is not logged."""
        if not isinstance(value, (errors.SemantikError, HTTPError)):
            where = self.request.method, self.request.path, request_id(self.request)
            log.error("%s %s failed (request %s)", *where, exc_info=value)


@stream_request_body
class RestHandler(BaseHandlerMixin):
    """Base of the REST handlers. `public = True` needs no authentication; else `self.principal` is the user.

    The request is authenticated before its body is read: `prepare` runs first.
    `audit` has the action in the audit trail of each method that is not a GET.
    """

    audit: ClassVar[Mapping[str, str]] = {}

    public = False
    token_in_query = False  # for what a browser connects to without headers of ours
    scope: Scope | None = None  # what an API key needs; by default read for GET and write for all else
    rate_group: RateGroup | None = None  # what limits its requests; by default read or write
    principal: Principal
    _received = b""

    def __init__(self, application: Application, request: HTTPServerRequest, **kwargs: Any) -> None:
        self._audit_note = AuditNote()
        super().__init__(application, request, **kwargs)

    def set_default_headers(self) -> None:
        super().set_default_headers()
        self.set_header("Cache-Control", "no-store")

    async def prepare(self) -> None:
        reading = self.request.method in ("GET", "HEAD")
        if not reading and not origin_allowed(self.request, self.services.settings):
            raise errors.Forbidden("This page's origin is not among the server's allowed_origins.")
        if not self.public:
            token = self.get_query_argument("token", "") if self.token_in_query else ""
            scope = self.scope or ("read" if reading else "write")
            services = self.services
            self.principal = await authenticate(
                self.request,
                services.settings,
                services.sessions,
                services.proxy,
                None,
                token,
                services.passing_on.tickets,
            )
            self.principal.require_scope(scope)  # afterwards, so that the audit trail knows who was refused
        sender = client_address(self.request) if self.public else self.principal.user.id
        self.services.rate_limiter.take(self.rate_group or ("read" if reading else "write"), sender)

    def data_received(self, chunk: bytes) -> None:
        self._received += chunk  # the request guard limits it

    def finish(self, chunk: str | bytes | dict[str, Any] | None = None) -> Future[None]:
        answer_early(self.request)
        return super().finish(chunk)

    def note_audit(
        self,
        details: Mapping[str, object] | None = None,
        *,
        target: str | None = None,
        user: User | None = None,
    ) -> None:
        """Add to this request's event in the audit trail: details without secrets, the target where it is not the
        path, and who acts where nobody is signed in."""
        note = self._audit_note
        note.target, note.user = target or note.target, user or note.user
        note.details |= details or {}

    def on_finish(self) -> None:
        method = self.request.method or ""
        action = self.audit.get(method, READ if method in ("GET", "HEAD") else None)
        if action is not None:
            principal = getattr(self, "principal", None)  # unset where the request was refused first
            status = self.get_status()
            record_request(self.services.audit, self.request, action, principal, status, self._audit_note)

    def body(self, schema: vol.Schema) -> dict[str, Any]:
        """The JSON object that was sent, validated; raises Invalid that names the field."""
        try:
            value = json.loads(self._received or b"{}")
            json.dumps(value, ensure_ascii=False).encode()
        except UnicodeEncodeError as error:
            raise errors.Invalid("The body holds half a character (a lone surrogate).") from error
        except RecursionError as error:
            raise errors.Invalid("The body's lists and objects are nested too deeply.") from error
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise errors.Invalid(f"The body is not valid JSON: {error}.") from error
        except ValueError as error:  # from Python's limit on the digits of an integer
            raise errors.Invalid("The body has a number of too many digits.") from error
        if not isinstance(value, dict):
            raise errors.Invalid("The body must be a JSON object.")
        return validate(schema, value)

    def query(self, schema: vol.Schema) -> dict[str, Any]:
        """The query parameters, validated; of a parameter that is given twice the last counts."""
        return validate(
            schema, {name: self.get_query_argument(name) for name in self.request.query_arguments}
        )

    def reply(self, value: dict[str, Any], status: HTTPStatus = HTTPStatus.OK) -> None:
        self.set_status(status)
        self.set_header("Content-Type", "application/json")
        body = json.dumps(value, ensure_ascii=False).encode()
        if is_worth_packing(body):
            self.set_header("Vary", "Accept-Encoding")
            if takes_gzip(self.request.headers):
                self.set_header("Content-Encoding", "gzip")
                body = packed(body)
        self.write(body)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        error = kwargs["exc_info"][1] if "exc_info" in kwargs else None
        status = status_of(error, status_code)
        if isinstance(error, (errors.Busy, errors.Unavailable)):
            self.set_header("Retry-After", str(error.retry_after_s))
        if status is HTTPStatus.UNAUTHORIZED:
            self.set_header("WWW-Authenticate", "Bearer")
        self.set_status(status)
        detail = describe(status, error)
        content_type, body = self.error_body(problem(status, detail, request_id(self.request), error))
        self.set_header("Content-Type", content_type)
        self.finish(json.dumps(body))

    def error_body(self, found: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        """The media type and the body of an answer that tells of a problem."""
        return "application/problem+json", found


class NotFoundHandler(RestHandler):
    """Answers every path that no route matches."""

    public = True

    async def prepare(self) -> None:
        raise errors.NotFound(f"There is nothing at {self.request.path}.")
