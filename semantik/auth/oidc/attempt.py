"""What the browser keeps of a sign-in until the provider sends it back: a signed cookie. Pure but for the clock.

The server keeps nothing, so that nobody can fill its memory with sign-ins that are never finished, and any server on
the same stores can finish one.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

import jwt

from semantik.auth.signing_keys import SigningKeys
from semantik.core.errors import Unauthorized
from semantik.core.models import SigningKey

ATTEMPT_S: Final = 600

_AUDIENCE = "semantik-oidc"
_ALGORITHM = "HS256"
_MAX_RETURN = 2000


@dataclass(frozen=True)
class Attempt:
    """One sign-in. `return_to` is the part of the page's address from # on."""

    issuer: str
    redirect_url: str
    return_to: str
    state: str
    nonce: str
    verifier: str

    @property
    def challenge(self) -> str:
        """The S256 code challenge of PKCE."""
        digest = hashlib.sha256(self.verifier.encode()).digest()
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def new_attempt(issuer: str, redirect_url: str, return_to: str) -> Attempt:
    """An attempt with fresh secrets; `return_to` is ignored unless it is a view of the page."""
    fits = (
        return_to.startswith("#/")
        and return_to.isascii()
        and return_to.isprintable()
        and " " not in return_to
    )
    kept = return_to if fits and len(return_to) <= _MAX_RETURN else ""
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    return Attempt(issuer, redirect_url, kept, state, nonce, verifier)


class AttemptCodec:
    """Signs attempts with keys derived from those of the server's tokens, and reads them back."""

    def __init__(self, keys: SigningKeys) -> None:
        self._keys = keys

    def seal(self, attempt: Attempt) -> str:
        claims = {**asdict(attempt), "aud": _AUDIENCE, "exp": int(time.time()) + ATTEMPT_S}
        key = self._keys.current
        return jwt.encode(claims, _derived(key), _ALGORITHM, headers={"kid": key.id})

    def open(self, sealed: str, state: str) -> Attempt:
        """The attempt that has this state. Raises Unauthorized."""
        claims = self._claims(sealed)
        if not hmac.compare_digest(str(claims.get("state", "")).encode(), state.encode()) or not state:
            raise Unauthorized(
                "This sign-in was not begun in this browser, or more than ten minutes ago; start it again."
            )
        return Attempt(**{name: claims[name] for name in Attempt.__dataclass_fields__})

    def _claims(self, sealed: str) -> Mapping[str, Any]:
        """Empty for what none of the keys has signed."""
        try:
            key_id = jwt.get_unverified_header(sealed).get("kid", "")
            for key in self._keys.candidates(key_id):
                return jwt.decode(
                    sealed, _derived(key), [_ALGORITHM], audience=_AUDIENCE, options={"require": ["exp"]}
                )
        except jwt.InvalidTokenError:
            return {}
        return {}


def _derived(key: SigningKey) -> bytes:
    return hmac.digest(key.value.encode(), _AUDIENCE.encode(), "sha256")
