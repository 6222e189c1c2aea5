"""Who sends a request: by a token, an `Authorization` header, a proxy's word, or the browser's cookie; and from which
page.

Runs on the loop.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from tornado.httputil import HTTPServerRequest

from handlers.client_address import client_address, from_trusted_proxy, mark_authenticated, request_id
from semantik.auth.peer_tickets import HEADER, PeerTickets
from semantik.auth.principal import Principal, Scope
from semantik.auth.proxy_sign_in import ProxySignIn
from semantik.auth.sessions import SessionService
from semantik.config.settings import Settings
from semantik.core.errors import Unauthorized
from semantik.core.models import SignInPlace

COOKIE = "semantik_session"


async def authenticate(
    request: HTTPServerRequest,
    settings: Settings,
    sessions: SessionService,
    proxy: ProxySignIn,
    scope: Scope | None,
    token: str = "",
    tickets: PeerTickets | None = None,
) -> Principal:
    """The user of a request whose credential is good for `scope`, if one is given. Raises Unauthorized or Forbidden.

    The credential is a `token` that was sent otherwise, or that of `Authorization: Bearer`: an access token or an API
    key. Without one, it is what the browser sends by itself, which is good from a page of this server only: the user
    whom a trusted proxy names in `auth.proxy_user_header`, or else the browser's cookie. Where `tickets` are given, one
    of another server is a credential, too.
    """
    token = token or _bearer_token(request)
    name, cookie = proxied_user(request, settings), request.cookies.get(COOKIE)
    ticket = request.headers.get(HEADER) if tickets is not None else None
    if tickets is not None and ticket is not None:
        principal = await tickets.authenticate(ticket, request.method or "", request.path)
    elif token:
        principal = await sessions.authenticate(token)
    elif name is None and cookie is None:
        raise Unauthorized("Sign in first: there is neither a bearer token nor a session cookie.")
    elif not same_origin(request):
        raise Unauthorized("The session cookie is good for this server's own pages only.")
    elif name is not None:
        place = SignInPlace(client_address(request), request.headers.get("User-Agent", ""))
        principal = await proxy.authenticate(name, place, request_id(request))
    else:
        assert cookie is not None
        principal = await sessions.authenticate(cookie.value, browser=True)
    mark_authenticated(request)
    if scope is not None:
        principal.require_scope(scope)
    return principal


def proxied_user(request: HTTPServerRequest, settings: Settings) -> str | None:
    """The name in `auth.proxy_user_header` of a trusted proxy; None without one. Raises Unauthorized for several."""
    header = settings.auth.proxy_user_header
    if not header or not from_trusted_proxy(request, settings.trusted_proxies):
        return None
    names = [name for name in request.headers.get_list(header) if name.strip()]
    if len(names) > 1:
        raise Unauthorized(f"The proxy names several users: it must replace the {header} of its clients.")
    if not names:
        return None
    try:
        return names[0].encode("latin-1").decode().strip()
    except UnicodeError:  # not UTF-8
        return names[0].strip()


def _bearer_token(request: HTTPServerRequest) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


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
