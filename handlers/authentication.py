"""Who sends a request: by a token, an `Authorization` header, or the browser's cookie; and from which page.

Runs on the loop.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from tornado.httputil import HTTPServerRequest

from handlers.client_address import mark_authenticated
from semantik.auth.principal import Principal, Scope
from semantik.auth.sessions import SessionService
from semantik.config.settings import Settings
from semantik.core.errors import Unauthorized

COOKIE = "semantik_session"


async def authenticate(
    request: HTTPServerRequest, sessions: SessionService, scope: Scope, token: str = ""
) -> Principal:
    """The user of a request whose credential is good for `scope`. Raises Unauthorized or Forbidden.

    The credential is a `token` that was sent otherwise, that of `Authorization: Bearer`, or the browser's cookie from
    a page of this server; a token is an access token or an API key.
    """
    principal = await _principal(request, sessions, token)
    mark_authenticated(request)
    principal.require_scope(scope)
    return principal


async def _principal(request: HTTPServerRequest, sessions: SessionService, token: str) -> Principal:
    if token:
        return await sessions.authenticate(token)
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token:
        return await sessions.authenticate(token.strip())
    cookie = request.cookies.get(COOKIE)
    if cookie is None:
        raise Unauthorized("Sign in first: there is neither a bearer token nor a session cookie.")
    if not same_origin(request):
        raise Unauthorized("The session cookie is good for this server's own pages only.")
    return await sessions.authenticate(cookie.value, browser=True)


def same_origin(request: HTTPServerRequest) -> bool:
    """Whether a page of this server sent the request; programs and plain navigation send no Origin."""
    origin = request.headers.get("Origin")
    if origin is None:
        return True
    try:
        return urlsplit(origin).netloc.lower() == request.headers.get("Host", "").lower()
    except ValueError:  # not a URL
        return False


def origin_allowed(request: HTTPServerRequest, settings: Settings) -> bool:
    """Whether the page that sent the request, if a page did, is this server's or one of `allowed_origins`."""
    return same_origin(request) or request.headers["Origin"] in settings.allowed_origins
