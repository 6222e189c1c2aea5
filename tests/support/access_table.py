"""Who may do what: every route and socket, and what each kind of caller gets of it.

`OUTCOMES` is the table. A row of `ROWS` says which line of it holds for a route: a route without a row fails a test.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

COLUMNS = (
    "anonymous",
    "stranger",
    "reader",
    "writer",  # as a member of a group
    "manager",
    "owner",
    "administrator",
    "expired session",
    "ended session",
    "disabled user",
    "read key of the owner",
    "write key of the owner",
    "admin key of the administrator",
    "revoked key",
    "expired key",
    "owner's key for another collection",
)

# The columns in the same order; + is the row's own status, anything else the status of a refusal.
_TABLE = """
anybody                + + + + + + +             + + +          + + +         + +     +
signed in              401 + + + + + +           401 401 401    + + +         401 401     +
write key              401 + + + + + +           401 401 401    403 + +       401 401     403
write scope            401 + + + + + +           401 401 401    403 + +       401 401     +
not by a key           401 + + + + + +           401 401 401    403 403 403   401 401     403
read                   401 404 + + + + 404       401 401 401    + + 404       401 401     404
write                  401 404 403 + + + 404     401 401 401    403 + 404     401 401     404
manage                 401 404 403 403 + + 404   401 401 401    403 + 404     401 401     404
own                    401 404 403 403 403 + 404 401 401 401    403 + 404     401 401     404
see shares             401 404 403 403 + + +     401 401 401    + + +         401 401     404
share                  401 404 403 403 + + +     401 401 401    403 403 403   401 401     403
give                   401 404 403 403 403 + +   401 401 401    403 403 403   401 401     403
administer             401 403 403 403 403 403 + 401 401 401    403 403 +     401 401     403
"""


def _outcomes() -> dict[str, dict[str, str]]:
    found = {}
    for line in _TABLE.strip().splitlines():
        need, cells = line[:23].strip(), line[23:].split()
        found[need] = dict(zip(COLUMNS, cells, strict=True))
    return found


OUTCOMES = _outcomes()


@dataclass(frozen=True)
class Row:
    """A request, what it needs by `OUTCOMES`, and its status where it is allowed.

    In `path` and `body`, names in braces are the ids of what the test has made. With `consumes` an allowed request gets
    a collection of its own, since it changes who may do what. With `leaves` it gets a sign-in of its own.
    """

    method: str
    path: str
    need: str
    status: int
    body: dict[str, Any] | None = field(default=None, hash=False)
    consumes: bool = False
    leaves: bool = False


_C = "/api/v2/collections/{collection}"
_D = f"{_C}/documents/{{document}}"
_O = "/api/v2/operations/{operation}"
_SOME = {"query": "lamp"}
_ONE = {"query": "lamp", "collection_ids": ["{collection}"]}

ROWS = (
    Row("get", "/", "anybody", 200),
    Row("head", "/", "anybody", 200),
    Row("get", "/static/app.js", "anybody", 200),
    Row("head", "/static/app.js", "anybody", 200),
    Row("get", "/metrics", "anybody", 200),
    Row("get", "/api/v2/health", "anybody", 200),
    Row("get", "/api/v2/openapi.json", "anybody", 200),
    Row("get", "/api/v2/status", "administer", 200),
    Row("get", "/api/v2/status/log", "administer", 200),
    Row("get", "/api/v2/audit", "administer", 200),
    Row("get", "/api/v2/auth/setup", "anybody", 200),
    Row("post", "/api/v2/auth/register", "anybody", 422, {}),
    Row("post", "/api/v2/auth/login", "anybody", 422, {}),
    Row("post", "/api/v2/auth/refresh", "anybody", 422, {}),
    Row("post", "/api/v2/auth/logout", "not by a key", 204, {}, leaves=True),
    Row("get", "/api/v2/auth/oidc/login", "anybody", 404),  # no provider is configured
    Row("get", "/api/v2/auth/oidc/callback", "anybody", 404),
    Row("post", "/api/v2/auth/password", "not by a key", 422, {}),
    Row("get", "/api/v2/auth/sessions", "not by a key", 200),
    Row("delete", "/api/v2/auth/sessions?keep_current=unknown", "not by a key", 422),
    Row("delete", "/api/v2/auth/sessions/unknown", "not by a key", 404),
    Row("get", "/api/v2/auth/second-factor", "not by a key", 200),
    Row("post", "/api/v2/auth/second-factor", "not by a key", 422, {}),
    Row("delete", "/api/v2/auth/second-factor", "not by a key", 422, {}),
    Row("post", "/api/v2/auth/second-factor/confirm", "not by a key", 422, {}),
    Row("get", "/api/v2/auth/me", "signed in", 200),
    Row("get", "/api/v2/api-keys", "not by a key", 200),
    Row("post", "/api/v2/api-keys", "not by a key", 422, {}),
    Row("delete", "/api/v2/api-keys/unknown", "not by a key", 404),
    Row("get", "/api/v2/users", "administer", 200),
    Row("post", "/api/v2/users", "administer", 422, {}),
    Row("get", "/api/v2/users/{guest}", "administer", 200),
    Row("patch", "/api/v2/users/{guest}", "administer", 200, {"disabled": False}),
    Row("delete", "/api/v2/users/{guest}", "administer", 409),  # the guest owns a collection
    Row("get", "/api/v2/groups", "signed in", 200),
    Row("post", "/api/v2/groups", "administer", 422, {}),
    Row("patch", "/api/v2/groups/{group}", "administer", 200, {}),
    Row("delete", "/api/v2/groups/unknown", "administer", 404),
    Row("put", "/api/v2/groups/{group}/members/unknown", "administer", 404, {}),
    Row("delete", "/api/v2/groups/{group}/members/unknown", "administer", 404),
    Row("get", "/api/v2/admin/collections", "administer", 200),
    Row("get", "/api/v2/admin/roots", "administer", 200),
    Row("put", "/api/v2/admin/roots", "administer", 409, {"roots": []}),
    Row("get", "/api/v2/collections", "signed in", 200),
    Row("post", "/api/v2/collections", "write key", 422, {"name": ""}),
    Row("get", _C, "read", 200),
    Row("patch", _C, "manage", 200, {"description": "Of lamps"}),
    Row("delete", _C, "own", 204, consumes=True),
    Row("get", f"{_C}/shares", "see shares", 200),
    Row("put", f"{_C}/shares", "share", 200, {"user": "{guest name}", "level": "read"}),
    Row("delete", f"{_C}/shares/user/{{guest}}", "share", 204, consumes=True),
    Row("post", f"{_C}/owner", "give", 200, {"user": "{guest name}"}, consumes=True),
    Row("post", f"{_C}/append", "write", 202, {}),
    Row("post", f"{_C}/reindex", "manage", 422, {"chunk_size": 16, "chunk_overlap": 16}),
    Row("post", f"{_C}/retry", "write", 409, {}),  # nothing has failed
    Row("get", "/api/v2/source-kinds", "signed in", 200),
    Row("get", f"{_C}/sources", "read", 200),
    Row("post", f"{_C}/sources", "write", 422, {"path": "no absolute path"}),
    Row("patch", f"{_C}/sources/{{source}}", "write", 200, {}),
    Row("delete", f"{_C}/sources/{{source}}", "write", 202, consumes=True),
    Row("get", f"{_C}/uploads", "read", 200),
    Row("post", f"{_C}/uploads", "write", 422, {}),
    Row("get", f"{_C}/uploads/unknown", "read", 404),
    Row("head", f"{_C}/uploads/unknown", "read", 412),
    Row("patch", f"{_C}/uploads/unknown", "write", 412, {}),
    Row("delete", f"{_C}/uploads/unknown", "write", 404),
    Row("get", f"{_C}/documents", "read", 200),
    Row("get", f"{_C}/documents?sort=size", "read", 200),
    Row("get", f"{_C}/statistics", "read", 200),
    Row("post", f"{_C}/documents/retry", "write", 409, {"where": {}}),  # nothing has failed
    Row("post", f"{_C}/documents/remove", "write", 409, {"where": {"document_ids": ["none"]}}),
    Row("post", f"{_C}/documents/tags", "write", 200, {"where": {"name": "none"}, "add": ["seen"]}),
    Row("get", _D, "read", 200),
    Row("get", f"{_D}/content", "read", 200),
    Row("get", f"{_D}/original", "read", 200),
    Row("head", f"{_D}/original", "read", 200),
    Row("get", f"{_D}/chunks/0/similar", "read", 200),
    Row("get", f"{_C}/export", "read", 200),
    Row("put", f"{_D}/tags", "write", 200, {"tags": ["seen"]}),
    Row("post", f"{_D}/retry", "write", 409, {}),
    Row("get", "/api/v2/folders", "write scope", 200),
    Row("post", "/api/v2/folders/languages", "write scope", 200, {"path": "{folder}"}),
    Row("get", "/api/v2/operations", "signed in", 200),
    Row("get", "/api/v2/operations?collection_id={collection}", "read", 200),
    Row("get", _O, "read", 200),
    Row("delete", _O, "write", 409),  # it has ended
    Row("get", f"{_O}/failures", "read", 200),
    Row("get", f"{_O}/events", "read", 200),
    Row("post", "/api/v2/search", "signed in", 200, _SOME),
    Row("post", "/api/v2/search", "read", 200, _ONE),
    Row("post", "/api/v2/suggest", "signed in", 200, _SOME),
    Row("post", "/api/v2/suggest", "read", 200, _ONE),
    Row("post", "/api/v2/answers", "signed in", 404, {"question": "lamp"}),  # no endpoint is configured
    Row("get", "/api/v2/saved-searches", "signed in", 200),
    Row("post", "/api/v2/saved-searches", "write scope", 422, {}),
    Row("get", "/api/v2/saved-searches/unknown", "signed in", 404),
    Row("patch", "/api/v2/saved-searches/unknown", "write scope", 404, {}),
    Row("delete", "/api/v2/saved-searches/unknown", "write scope", 404),
    Row("get", "/api/v2/saved-searches/unknown/deliveries", "signed in", 404),
    Row("post", "/api/v2/saved-searches/unknown/deliveries/unknown/again", "write scope", 404),
    Row("get", "/api/v2/saved-searches/unknown/feed", "signed in", 404),
    Row("post", "/api/v2/saved-searches/unknown/feed/key", "not by a key", 404),
    Row("delete", "/api/v2/saved-searches/unknown/feed/key", "not by a key", 404),
    Row("get", "/api/v2/alerts", "signed in", 200),
    Row("get", "/api/v2/alerts/events?since=none", "signed in", 422),
    Row("get", "/api/v2/webhooks", "not by a key", 200),
    Row("post", "/api/v2/webhooks", "not by a key", 422, {}),
    Row("get", "/api/v2/webhooks/unknown", "not by a key", 404),
    Row("patch", "/api/v2/webhooks/unknown", "not by a key", 404, {}),
    Row("delete", "/api/v2/webhooks/unknown", "not by a key", 404),
    Row("post", "/api/v2/webhooks/unknown/test", "not by a key", 404),
    Row("post", "/api/v2/webhooks/unknown/secret", "not by a key", 404, {}),
    Row("get", "/api/v2/webhooks/unknown/deliveries", "not by a key", 404),
    Row("post", "/api/v2/webhooks/unknown/deliveries/unknown/again", "not by a key", 404),
    Row("get", "/ws/alerts", "signed in", 200),
    Row("post", "/mcp", "signed in", 200, {"jsonrpc": "2.0", "id": 1, "method": "ping"}),
    Row("get", "/ws/operations", "signed in", 200),
    Row("get", "/ws/operations/{operation}", "read", 200),
    Row("get", "/ws/scan/{uuid}", "write scope", 200),
)
