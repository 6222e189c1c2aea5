"""The two steps of a sign-in through the provider: send the browser there, and receive it back. Runs on the loop."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from semantik.auth.external_accounts import ExternalAccounts, ExternalIdentity
from semantik.auth.oidc.attempt import Attempt, AttemptCodec, new_attempt
from semantik.auth.oidc.group_mapping import GroupMapping
from semantik.auth.oidc.id_token import Expected, InvalidIdToken, UnknownKey, verify
from semantik.auth.oidc.provider import Provider, Tokens, authorization_url
from semantik.auth.sessions import LoginResult, SessionService
from semantik.auth.signing_keys import SigningKeys
from semantik.config.auth_settings import AuthSettings
from semantik.config.oidc_settings import OidcSettings
from semantik.core.errors import Forbidden, NotFound, Unauthorized
from semantik.core.models import SignInPlace

log = logging.getLogger("semantik.auth")


@dataclass(frozen=True)
class Begun:
    """Where to send the browser, and the cookie that it is to keep until it comes back."""

    url: str
    cookie: str


@dataclass(frozen=True)
class Completed:
    """The session, and the part of the page's address from # on that the sign-in began at."""

    login: LoginResult
    return_to: str


class OidcService:
    """`limits()` are the current settings; `keys` sign the cookie of a sign-in."""

    def __init__(
        self,
        limits: Callable[[], AuthSettings],
        sessions: SessionService,
        accounts: ExternalAccounts,
        groups: GroupMapping,
        keys: SigningKeys,
    ) -> None:
        self._limits = limits
        self._sessions = sessions
        self._accounts = accounts
        self._groups = groups
        self._attempts = AttemptCodec(keys)
        self._provider = Provider()

    async def close(self) -> None:
        await self._provider.close()

    async def begin(self, redirect_url: str, return_to: str) -> Begun:
        """`redirect_url` is this server's callback as the browser knows it. Raises NotFound or Unavailable."""
        oidc = self._settings()
        attempt = new_attempt(oidc.issuer, oidc.redirect_url or redirect_url, return_to)
        parameters = {
            "response_type": "code",
            "client_id": oidc.client_id,
            "redirect_uri": attempt.redirect_url,
            "scope": " ".join(dict.fromkeys(("openid", *oidc.scopes))),
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": attempt.challenge,
            "code_challenge_method": "S256",
        }
        url = authorization_url(await self._provider.metadata(oidc), parameters)
        return Begun(url, self._attempts.seal(attempt))

    async def complete(self, answer: Mapping[str, str], cookie: str, place: SignInPlace) -> Completed:
        """Sign in whom the provider sent back with the query `answer`.

        Raises Unauthorized, Forbidden or Conflict when nobody is signed in, NotFound, and Unavailable.
        """
        oidc = self._settings()
        attempt = self._attempts.open(cookie, answer.get("state", ""))
        await self._check_sender(oidc, attempt, answer)
        code = answer.get("code", "")
        if not code:
            error = answer.get("error", "")
            reason = f" ({error})" if re.fullmatch(r"[a-z_]{1,50}", error) else ""
            raise Unauthorized(
                f"The provider did not sign you in{reason}; start again, or ask its administrator."
            )
        tokens = await self._provider.exchange(oidc, code, attempt.verifier, attempt.redirect_url)
        claims = await self._claims(oidc, attempt, tokens)
        identity = identity_of(claims, oidc)
        if oidc.required_group and oidc.required_group not in identity.groups:
            raise Forbidden("Your account at the provider is not in the group that may sign in here.")
        user = await self._accounts.resolve(identity)
        if await self._groups.apply(oidc, user, identity.groups):
            self._sessions.forget_user(user.id)
        login = await self._sessions.start_session(user, place, self._limits().external_session_s)
        return Completed(login, attempt.return_to)

    def _settings(self) -> OidcSettings:
        oidc = self._limits().oidc
        if not oidc.issuer:
            raise NotFound("This server has no sign-in through a provider; sign in with a password.")
        return oidc

    async def _check_sender(self, oidc: OidcSettings, attempt: Attempt, answer: Mapping[str, str]) -> None:
        """An answer that another provider has sent is refused (RFC 9207)."""
        metadata = await self._provider.metadata(oidc)
        sender = answer.get("iss", "" if metadata.names_itself else oidc.issuer)
        if attempt.issuer != oidc.issuer or sender != oidc.issuer:
            raise Unauthorized("This sign-in was begun with another provider; start it again.")

    async def _claims(self, oidc: OidcSettings, attempt: Attempt, tokens: Tokens) -> Mapping[str, Any]:
        expected = Expected(
            oidc.issuer, oidc.client_id, attempt.nonce, tokens.access_token, oidc.clock_skew_s
        )
        try:
            try:
                claims = verify(tokens.id_token, await self._provider.keys(oidc), expected)
            except UnknownKey:
                claims = verify(tokens.id_token, await self._provider.keys(oidc, fresh=True), expected)
        except InvalidIdToken as error:
            log.warning("A sign-in through %s was refused: %s", oidc.issuer, error.reason)
            raise
        if all(claim(claims, name) is not None for name in (oidc.username_claim, oidc.groups_claim, "email")):
            return claims
        more = await self._provider.userinfo(oidc, tokens.access_token)
        if more and more.get("sub") != claims["sub"]:
            log.warning("A sign-in through %s was refused: its userinfo is of another user", oidc.issuer)
            raise InvalidIdToken("its userinfo is of another user")
        return {**more, **claims}


def identity_of(claims: Mapping[str, Any], oidc: OidcSettings) -> ExternalIdentity:
    """Who the verified claims say it is; an e-mail address that the provider has not verified does not count."""
    name, email, groups = (claim(claims, each) for each in (oidc.username_claim, "email", oidc.groups_claim))
    if isinstance(groups, str):
        groups = [groups]
    return ExternalIdentity(
        issuer=oidc.issuer,
        subject=claims["sub"],
        username=name if isinstance(name, str) else "",
        email=email if isinstance(email, str) and claims.get("email_verified") is True else None,
        groups=frozenset(each for each in groups if isinstance(each, str))
        if isinstance(groups, list)
        else frozenset(),
    )


def claim(claims: Mapping[str, Any], name: str) -> Any:
    """The claim of this name, which may have dots, or else the claim at this path; None when there is none."""
    if name in claims:
        return claims[name]
    value: Any = claims
    for part in name.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value
