"""Answers that are made without a handler, as bytes or as what Tornado writes."""

from __future__ import annotations

import json
import secrets
from http import HTTPStatus

from tornado.httputil import HTTPHeaders

from handlers.client_address import RequestContext
from handlers.problems import problem
from handlers.security_headers import security_headers

RETRY_AFTER_S = 5


def refusal(
    status: HTTPStatus, detail: str, sender: RequestContext, retry_after_s: int | None = None
) -> tuple[HTTPHeaders, bytes]:
    """Headers and body of a problem; the connection is closed after it."""
    body = json.dumps(problem(status, detail, sender.request_id)).encode()
    headers = HTTPHeaders(
        {
            **security_headers(sender.protocol),
            "X-Request-Id": sender.request_id,
            "Cache-Control": "no-store",
            "Content-Type": "application/problem+json",
            "Content-Length": str(len(body)),
            "Connection": "close",
        }
    )
    if retry_after_s is not None:
        headers["Retry-After"] = str(retry_after_s)
    return headers, body


def too_many_connections() -> bytes:
    """The whole answer to a connection that there is no room for."""
    detail = "The server has as many connections as it may have: try again later."
    return _whole(HTTPStatus.SERVICE_UNAVAILABLE, detail, RETRY_AFTER_S)


def malformed() -> bytes:
    """The whole answer to what is not HTTP."""
    return _whole(HTTPStatus.BAD_REQUEST, "The request is not valid HTTP/1.1.")


def _whole(status: HTTPStatus, detail: str, retry_after_s: int | None = None) -> bytes:
    sender = RequestContext("", "http", secrets.token_hex(8), "")
    headers, body = refusal(status, detail, sender, retry_after_s)
    lines = [
        f"HTTP/1.1 {int(status)} {status.phrase}",
        *(f"{name}: {value}" for name, value in headers.get_all()),
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
