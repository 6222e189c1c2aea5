"""Verifies an ID token as OpenID Connect Core 1.0, section 3.1.3.7, says. Pure but for the clock."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jwt

from semantik.core.errors import Unauthorized

# Never an algorithm with a shared secret: whoever knows the public key could sign with it.
_HASHES = {
    **dict.fromkeys(("RS256", "PS256", "ES256"), "sha256"),
    **dict.fromkeys(("RS384", "PS384", "ES384"), "sha384"),
    **dict.fromkeys(("RS512", "PS512", "ES512", "EdDSA"), "sha512"),
}
_MAX_SUBJECT = 255


class InvalidIdToken(Unauthorized):
    """The token is not what the provider would have sent to this sign-in; `reason` is for the log."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            "The provider's answer could not be verified, so nobody was signed in; the server's log has the reason."
        )
        self.reason = reason


class UnknownKey(InvalidIdToken):
    """None of the keys has made the signature; the provider may have newer ones."""


@dataclass(frozen=True)
class Expected:
    """What the token must say. `skew_s`: by how much the clocks may differ."""

    issuer: str
    client_id: str
    nonce: str
    access_token: str
    skew_s: float


def verify(token: str, keys: Sequence[Mapping[str, Any]], expected: Expected) -> Mapping[str, Any]:
    """The claims of a valid token. Raises UnknownKey or InvalidIdToken."""
    try:
        header = jwt.get_unverified_header(token)
    except jwt.InvalidTokenError as error:
        raise InvalidIdToken(f"the ID token cannot be read: {error}") from error
    algorithm = str(header.get("alg"))
    if algorithm not in _HASHES:
        raise InvalidIdToken(
            f"the ID token is signed with {algorithm}, which is not one of {', '.join(_HASHES)}"
        )
    claims = _signed_claims(token, header.get("kid"), algorithm, keys, expected)
    _check_parties(claims, expected)
    if not hmac.compare_digest(str(claims.get("nonce", "")).encode(), expected.nonce.encode()):
        raise InvalidIdToken("the ID token belongs to another sign-in: its nonce differs")
    if "at_hash" in claims and claims["at_hash"] != _half_hash(expected.access_token, algorithm):
        raise InvalidIdToken("the ID token belongs to another access token: its at_hash differs")
    return claims


def _signed_claims(
    token: str, key_id: object, algorithm: str, keys: Sequence[Mapping[str, Any]], expected: Expected
) -> Mapping[str, Any]:
    for key in _candidates(keys, key_id, algorithm):
        try:
            claims: Mapping[str, Any] = jwt.decode(
                token,
                key,
                [algorithm],
                audience=expected.client_id,
                issuer=expected.issuer,
                leeway=expected.skew_s,
                options={"require": ["iss", "sub", "aud", "exp", "iat"]},
            )
        except jwt.InvalidSignatureError:
            continue
        except (jwt.PyJWTError, TypeError, ValueError) as error:
            raise InvalidIdToken(f"the ID token is not valid: {error}") from error
        return claims
    raise UnknownKey(f"no key of the provider has signed the ID token (kid {key_id!r}, {algorithm})")


def _candidates(keys: Sequence[Mapping[str, Any]], key_id: object, algorithm: str) -> Iterator[jwt.PyJWK]:
    """The keys that may have signed; without a `kid` each is tried that fits the algorithm."""
    for key in keys:
        if key.get("use", "sig") != "sig" or key.get("alg", algorithm) != algorithm:
            continue
        if key_id is not None and key.get("kid") != key_id:
            continue
        try:
            yield jwt.PyJWK(dict(key), algorithm)
        except (jwt.PyJWTError, TypeError, ValueError, KeyError):  # of another kind, or damaged
            continue


def _check_parties(claims: Mapping[str, Any], expected: Expected) -> None:
    several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
    if claims.get("azp", None if several else expected.client_id) != expected.client_id:
        raise InvalidIdToken("the ID token was issued to another client: its azp differs")
    subject = claims["sub"]
    if not isinstance(subject, str) or not 0 < len(subject) <= _MAX_SUBJECT:
        raise InvalidIdToken(f"the ID token's sub is not a text of 1 to {_MAX_SUBJECT} characters")


def _half_hash(text: str, algorithm: str) -> str:
    digest = hashlib.new(_HASHES[algorithm], text.encode()).digest()
    return base64.urlsafe_b64encode(digest[: len(digest) // 2]).decode().rstrip("=")
