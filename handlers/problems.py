"""Errors as RFC 9457 problems; the one table that maps the domain's errors to HTTP statuses."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from tornado.web import HTTPError

from semantik.core import errors

STATUSES: dict[type[Exception], HTTPStatus] = {
    errors.Invalid: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.Unauthorized: HTTPStatus.UNAUTHORIZED,
    errors.Forbidden: HTTPStatus.FORBIDDEN,
    errors.NotFound: HTTPStatus.NOT_FOUND,
    errors.Conflict: HTTPStatus.CONFLICT,
    errors.TooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    errors.Busy: HTTPStatus.TOO_MANY_REQUESTS,
    errors.Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
}

# The problem types that a client must distinguish from others of the same status.
_TYPES: dict[type[Exception], str] = {errors.SecondFactorRequired: "second_factor_required"}


def status_of(error: BaseException | None, default: int) -> HTTPStatus:
    return next((s for kind, s in STATUSES.items() if isinstance(error, kind)), HTTPStatus(default))


def problem(
    status: HTTPStatus, detail: str, request_id: str, error: BaseException | None = None
) -> dict[str, Any]:
    """The problem's members; the log and the audit trail have the same `request_id`."""
    return {
        "type": next((name for each, name in _TYPES.items() if isinstance(error, each)), "about:blank"),
        "title": status.phrase,
        "status": int(status),
        "detail": detail,
        "request_id": request_id,
    }


def describe(status: HTTPStatus, error: BaseException | None) -> str:
    """The problem's `detail`: a sentence for people."""
    if isinstance(error, errors.SemantikError):
        return str(error)
    if isinstance(error, HTTPError) and (error.reason or error.log_message):
        return str(error.reason or error.log_message)
    if status is HTTPStatus.INTERNAL_SERVER_ERROR:
        return "Something went wrong in the server; its log has the details."
    return status.description or status.phrase
