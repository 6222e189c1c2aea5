"""Tickets: with one, a server passes a user's request on to another server on the same MongoDB. Runs on the loop.

A ticket is signed with the keys that sign tokens. It names the user with what the credential allowed, is good for one
method and path, and for half a minute; the credential itself stays where it was shown. Whoever gets it checks what the
user may do, as for any request.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import jwt

from semantik.auth.credential_checks import DISABLED
from semantik.auth.groups import GroupService
from semantik.auth.principal import Principal
from semantik.auth.signing_keys import SigningKeys
from semantik.core.errors import Unauthorized
from semantik.core.models import new_id, now
from semantik.storage.mongo import Store

HEADER = "X-Semantik-Passed-On"
_ALGORITHM, _AUDIENCE = "HS256", "semantik-peer"
_LIFETIME = timedelta(seconds=30)
_LEEWAY_S = 30  # the clocks of two servers differ
_REQUIRED = ["exp", "iat", "sub", "jti"]


class PeerTickets:
    """Issues and checks tickets."""

    def __init__(self, store: Store, groups: GroupService, keys: SigningKeys) -> None:
        self._store = store
        self._groups = groups
        self._keys = keys

    def issue(self, principal: Principal, method: str, path: str) -> str:
        """A ticket for one request of the principal; `path` without the query."""
        key, moment = self._keys.current, now()
        collections = None if principal.collections is None else sorted(principal.collections)
        claims = {
            "aud": _AUDIENCE,
            "sub": principal.user.id,
            "jti": new_id(),
            "iat": int(moment.timestamp()),
            "exp": int((moment + _LIFETIME).timestamp()),
            "request": _request(method, path),
            "credential": [principal.credential_id, principal.cookie_generation],
            "scopes": list(principal.scopes),
            "collections": collections,
        }
        return jwt.encode(claims, key.value, _ALGORITHM, headers={"kid": key.id})

    async def authenticate(self, ticket: str, method: str, path: str) -> Principal:
        """Who sends the request. Raises Unauthorized."""
        claims = self._claims(ticket)
        if claims.get("request") != _request(method, path):
            raise Unauthorized("The ticket is for another request than this one.")
        user = await self._store.users.get(str(claims["sub"]))
        if user is None or user.disabled:
            raise Unauthorized(DISABLED)
        credential, generation = claims["credential"]
        collections = claims["collections"]
        return Principal(
            user,
            credential,
            None,
            tuple(claims["scopes"]),
            await self._groups.of_user(user.id),
            None if collections is None else frozenset(collections),
            generation,
        )

    def _claims(self, ticket: str) -> dict[str, Any]:
        try:
            for key in self._keys.candidates(jwt.get_unverified_header(ticket).get("kid")):
                return jwt.decode(
                    ticket,
                    key.value,
                    [_ALGORITHM],
                    audience=_AUDIENCE,
                    leeway=_LEEWAY_S,
                    options={"require": _REQUIRED},
                )
        except jwt.InvalidTokenError as error:
            raise Unauthorized(f"The ticket of the other server is not valid: {error}.") from error
        raise Unauthorized("The ticket of the other server is signed with an unknown key.")


def _request(method: str, path: str) -> str:
    return f"{method} {path}"
