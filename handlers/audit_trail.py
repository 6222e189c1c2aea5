"""Which requests the audit trail records, and as what. Runs on the loop; never waits.

Of requests that change something all are recorded; of those that read, the refused ones only. Nothing is taken from a
body or a query, which may hold secrets: what else is worth knowing a handler adds itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus

from tornado.httputil import HTTPServerRequest

from handlers.authentication import COOKIE
from handlers.client_address import client_address, request_id
from semantik.auth.audit import AuditLog
from semantik.auth.principal import Principal
from semantik.core.models import AuditOutcome, User

READ = "access.read"  # the action of requests that read
REFRESH = "session.refresh"
_IF_REFUSED = frozenset({READ, REFRESH})  # the actions that are too frequent to be recorded unless refused
_REFUSALS = frozenset(
    {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.TOO_MANY_REQUESTS}
)
_API = "/api/v2/"


@dataclass
class AuditNote:
    """What a handler adds to its event: the target where it is not the path, who acted where nobody was signed in."""

    target: str | None = None
    user: User | None = None
    details: dict[str, object] = field(default_factory=dict)


def record_request(
    audit: AuditLog,
    request: HTTPServerRequest,
    action: str,
    principal: Principal | None,
    status: int,
    note: AuditNote,
) -> None:
    """Record a request that has ended with `status`, unless it only read, or the client sent no credential at all."""
    if action in _IF_REFUSED and status not in _REFUSALS:
        return
    if action == READ and principal is None and not _has_credential(request):
        return
    outcome = outcome_of(status)
    audit.record(
        action,
        principal=principal,
        address=client_address(request),
        request_id=request_id(request),
        target=target_of(request) if note.target is None else note.target,
        outcome=outcome,
        details=note.details if outcome == "done" else {"status": status, **note.details},
        user=note.user,
    )


def outcome_of(status: int) -> AuditOutcome:
    if status < HTTPStatus.BAD_REQUEST:
        return "done"
    return "refused" if status < HTTPStatus.INTERNAL_SERVER_ERROR else "failed"


def target_of(request: HTTPServerRequest) -> str:
    return request.path.removeprefix(_API)


def _has_credential(request: HTTPServerRequest) -> bool:
    return (
        "Authorization" in request.headers
        or COOKIE in request.cookies
        or "token" in request.query_arguments
        or "bearer." in request.headers.get("Sec-WebSocket-Protocol", "")
    )
