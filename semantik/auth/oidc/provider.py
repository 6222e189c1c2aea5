"""The provider: its metadata and signing keys, both cached, and its two endpoints for a sign-in. Runs on the loop."""

from __future__ import annotations

import asyncio
import base64
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from semantik.auth.oidc.http import ProviderHttp
from semantik.config.oidc_settings import OidcSettings, is_secure_url
from semantik.core.errors import Unauthorized

log = logging.getLogger("semantik.auth")

_MAX_AGE_S = (
    3600.0  # metadata and keys are fetched again after this time: a key that was withdrawn is refused
)
_ERROR_BYTES = 100


@dataclass(frozen=True)
class Metadata:
    """What the provider's discovery document says."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str
    auth_methods: tuple[str, ...]
    names_itself: bool  # whether its answers to the browser have the parameter `iss`


@dataclass(frozen=True)
class Tokens:
    """What a code was exchanged for."""

    id_token: str
    access_token: str


@dataclass(frozen=True)
class _Cached:
    oidc: OidcSettings
    fetched_at: float
    value: Any


class Provider:
    """The provider that the settings name when a method is called."""

    def __init__(self) -> None:
        self._http = ProviderHttp()
        self._cache: dict[str, _Cached] = {}
        self._fetches: dict[tuple[str, OidcSettings], asyncio.Task[Any]] = {}

    async def close(self) -> None:
        fetches = list(self._fetches.values())
        for fetch in fetches:
            fetch.cancel()
        await asyncio.gather(*fetches, return_exceptions=True)
        self._http.close()

    async def metadata(self, oidc: OidcSettings) -> Metadata:
        """Raises Unavailable."""
        value: Metadata = await self._cached("metadata", oidc, lambda: self._discover(oidc))
        return value

    async def keys(self, oidc: OidcSettings, *, fresh: bool = False) -> Sequence[Mapping[str, Any]]:
        """The keys that sign now, as JSON Web Keys; `fresh` fetches them again. Raises Unavailable."""
        if fresh:
            self._cache.pop("keys", None)
        value: Sequence[Mapping[str, Any]] = await self._cached("keys", oidc, lambda: self._fetch_keys(oidc))
        return value

    async def exchange(self, oidc: OidcSettings, code: str, verifier: str, redirect_url: str) -> Tokens:
        """Exchange an authorization code. Raises Unauthorized when the provider refuses it, and Unavailable."""
        metadata = await self.metadata(oidc)
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_url,
            "code_verifier": verifier,
        }
        headers: dict[str, str] = {}
        methods = metadata.auth_methods
        if not oidc.client_secret:
            form["client_id"] = oidc.client_id
        elif "client_secret_post" in methods and "client_secret_basic" not in methods:
            form |= {"client_id": oidc.client_id, "client_secret": oidc.client_secret}
        else:
            pair = f"{quote(oidc.client_id, safe='')}:{quote(oidc.client_secret, safe='')}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        answer = await self._http.post(oidc, metadata.token_endpoint, form, headers)
        error = str(answer.body.get("error", ""))[:_ERROR_BYTES]
        if error == "invalid_grant":
            raise Unauthorized("The provider no longer knows this sign-in; start it again.")
        id_token, access_token = answer.body.get("id_token"), answer.body.get("access_token")
        if answer.status != 200 or not isinstance(id_token, str) or not isinstance(access_token, str):
            reason = error or f"status {answer.status} without an ID token"
            raise self._http.unavailable(oidc, f"{metadata.token_endpoint} answered with {reason!r}")
        return Tokens(id_token, access_token)

    async def userinfo(self, oidc: OidcSettings, access_token: str) -> Mapping[str, Any]:
        """The claims at the userinfo endpoint, none if there is none. Raises Unavailable."""
        metadata = await self.metadata(oidc)
        if not metadata.userinfo_endpoint:
            return {}
        return await self._http.get(oidc, metadata.userinfo_endpoint, access_token)

    async def _cached(self, name: str, oidc: OidcSettings, fetch: Callable[[], Awaitable[Any]]) -> Any:
        """All who ask at the same time wait for one request."""
        known = self._cache.get(name)
        if known is not None and known.oidc == oidc and time.monotonic() - known.fetched_at < _MAX_AGE_S:
            return known.value
        key = (name, oidc)
        if key not in self._fetches:
            task = asyncio.ensure_future(self._fetch(name, oidc, fetch))
            self._fetches[key] = task
            task.add_done_callback(lambda done: self._fetched(key, done))
        return await asyncio.shield(self._fetches[key])

    async def _fetch(self, name: str, oidc: OidcSettings, fetch: Callable[[], Awaitable[Any]]) -> Any:
        value = await fetch()
        self._cache[name] = _Cached(oidc, time.monotonic(), value)
        return value

    def _fetched(self, key: tuple[str, OidcSettings], task: asyncio.Task[Any]) -> None:
        del self._fetches[key]
        if not task.cancelled():
            task.exception()  # who asked may have left, and asyncio would report it as never retrieved

    async def _discover(self, oidc: OidcSettings) -> Metadata:
        url = oidc.issuer.rstrip("/") + "/.well-known/openid-configuration"
        body = await self._http.get(oidc, url)
        if body.get("issuer") != oidc.issuer:
            raise self._http.unavailable(
                oidc, f"the provider calls itself {body.get('issuer')!r}: auth.oidc.issuer must be the same"
            )
        methods = body.get("token_endpoint_auth_methods_supported")

        def endpoint(name: str, needed: bool = True) -> str:
            value = body.get(name, "")
            if value == "" and not needed:
                return ""
            local = urlsplit(oidc.issuer).scheme == "http"
            if (
                not isinstance(value, str)
                or not is_secure_url(value)
                or (not local and urlsplit(value).scheme != "https")
            ):
                raise self._http.unavailable(oidc, f"{url} has no https address as {name}")
            return value

        return Metadata(
            oidc.issuer,
            endpoint("authorization_endpoint"),
            endpoint("token_endpoint"),
            endpoint("jwks_uri"),
            endpoint("userinfo_endpoint", needed=False),
            tuple(map(str, methods)) if isinstance(methods, list) else (),
            body.get("authorization_response_iss_parameter_supported") is True,
        )

    async def _fetch_keys(self, oidc: OidcSettings) -> Sequence[Mapping[str, Any]]:
        metadata = await self.metadata(oidc)
        keys = (await self._http.get(oidc, metadata.jwks_uri)).get("keys")
        if not isinstance(keys, list):
            raise self._http.unavailable(oidc, f"{metadata.jwks_uri} has no list of keys")
        return [key for key in keys if isinstance(key, dict)]


def authorization_url(metadata: Metadata, parameters: Mapping[str, str]) -> str:
    """Where the browser is sent to sign in; the endpoint may have a query of its own."""
    joint = "&" if urlsplit(metadata.authorization_endpoint).query else "?"
    return f"{metadata.authorization_endpoint}{joint}{urlencode(parameters)}"
