"""Tokens: signed texts that name a session. Whether the session is still good is not their matter. Pure.

An access token authenticates a program, a cookie the browser, and a refresh token is exchanged for new ones. Each
carries the session's generation. The refresh token of one generation is always the same text.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import jwt

from semantik.auth.signing_keys import SigningKeys
from semantik.core.errors import Unauthorized
from semantik.core.models import Session, new_id, now

Kind = Literal["access", "cookie", "refresh"]

_ALGORITHM = "HS256"
_AUDIENCES: dict[Kind, str] = {
    "access": "semantik",
    "cookie": "semantik-browser",
    "refresh": "semantik-refresh",
}
_REQUIRED = ["exp", "iat", "sub", "sid", "jti"]


@dataclass(frozen=True)
class Claims:
    """What a valid token says."""

    user_id: str
    session_id: str
    generation: int
    expires_at: datetime


class Tokens:
    """Writes and reads tokens with the current signing keys."""

    def __init__(self, keys: SigningKeys) -> None:
        self._keys = keys

    def access(self, session: Session, lifetime_s: int) -> str:
        return self._encode("access", session, now(), now() + timedelta(seconds=lifetime_s), new_id())

    def cookie(self, session: Session) -> str:
        return self._encode("cookie", session, now(), session.expires_at, new_id())

    def refresh(self, session: Session) -> str:
        jti = f"{session.id}.{session.generation}"
        return self._encode("refresh", session, session.created_at, session.expires_at, jti)

    def decode(self, token: str, kind: Kind) -> Claims:
        """Raises Unauthorized with the reason."""
        claims = self._claims(token, kind)
        return Claims(
            str(claims["sub"]),
            str(claims["sid"]),
            int(claims.get("gen", 0)),  # tokens of older builds have none
            datetime.fromtimestamp(claims["exp"], now().tzinfo),
        )

    def _claims(self, token: str, kind: Kind) -> dict[str, Any]:
        try:
            key_id = jwt.get_unverified_header(token).get("kid")
            for key in self._keys.candidates(key_id):
                try:
                    return jwt.decode(
                        token,
                        key.value,
                        [_ALGORITHM],
                        audience=_AUDIENCES[kind],
                        options={"require": _REQUIRED},
                    )
                except (
                    jwt.InvalidSignatureError
                ):  # tokens of older builds do not say which key has signed them
                    continue
        except jwt.ExpiredSignatureError as error:
            raise Unauthorized("The token has expired; refresh it or sign in again.") from error
        except jwt.InvalidTokenError as error:
            raise Unauthorized("The token is not valid; sign in again.") from error
        raise Unauthorized("The token is not valid; sign in again.")

    def _encode(self, kind: Kind, session: Session, begin: datetime, end: datetime, jti: str) -> str:
        key = self._keys.current
        claims = {
            "sub": session.user_id,
            "sid": session.id,
            "gen": session.generation,
            "aud": _AUDIENCES[kind],
            "iat": int(begin.timestamp()),
            "exp": int(end.timestamp()),
            "jti": jti,
        }
        return jwt.encode(claims, key.value, _ALGORITHM, headers={"kid": key.id})
