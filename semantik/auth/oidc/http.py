"""Requests to the provider, bounded in time, size and number; every failure is Unavailable. Runs on the loop."""

from __future__ import annotations

import asyncio
import json
import logging
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from tornado.httpclient import HTTPError, HTTPRequest
from tornado.iostream import StreamClosedError
from tornado.simple_httpclient import SimpleAsyncHTTPClient

from semantik.config.oidc_settings import OidcSettings
from semantik.core.errors import Unavailable

log = logging.getLogger("semantik.auth")

_AT_ONCE = 10
_WAITING = 50  # requests that may wait for one of these; further sign-ins are refused
_MAX_BYTES = 1 << 20
_RETRY_S = 10
_LOG_S = 60.0  # one line a minute: anybody can start sign-ins
_FAILURES = (HTTPError, OSError, StreamClosedError, ssl.SSLError, TimeoutError, ValueError)


@dataclass(frozen=True)
class Answer:
    """What the provider answered: its status, and the JSON object of its body (empty if there is none)."""

    status: int
    body: Mapping[str, Any]


class ProviderHttp:
    """One client for all requests; `close` ends those in progress."""

    def __init__(self) -> None:
        self._client: SimpleAsyncHTTPClient | None = None
        self._open = 0
        self._logged_at = float("-inf")

    async def get(self, oidc: OidcSettings, url: str, token: str = "") -> Mapping[str, Any]:
        """The JSON object at `url`. Raises Unavailable."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        answer = await self._send(oidc, HTTPRequest(url, headers={"Accept": "application/json", **headers}))
        if answer.status != 200 or not answer.body:
            raise self.unavailable(oidc, f"{url} answered with status {answer.status} and no JSON object")
        return answer.body

    async def post(
        self, oidc: OidcSettings, url: str, form: Mapping[str, str], headers: Mapping[str, str]
    ) -> Answer:
        """Send a form. Raises Unavailable when there is no answer, or one that says so."""
        sent = {
            "Accept": "application/json",
            "Content-Type": "application/x-www-form-urlencoded",
            **headers,
        }
        answer = await self._send(oidc, HTTPRequest(url, method="POST", headers=sent, body=urlencode(form)))
        if answer.status >= 500 or answer.status == 429:
            raise self.unavailable(oidc, f"{url} answered with status {answer.status}")
        return answer

    def unavailable(self, oidc: OidcSettings, reason: str) -> Unavailable:
        """The error for the user; the reason is for the log."""
        if time.monotonic() - self._logged_at >= _LOG_S:
            self._logged_at = time.monotonic()
            log.warning("Nobody can sign in through %s: %s", oidc.issuer, reason)
        return Unavailable(
            f"The sign-in provider {oidc.issuer} cannot be used at the moment; try again in a minute, "
            "or sign in with a password.",
            _RETRY_S,
        )

    def close(self) -> None:
        if self._client is not None:
            self._client.close()

    async def _send(self, oidc: OidcSettings, request: HTTPRequest) -> Answer:
        if self._open >= _AT_ONCE + _WAITING:
            raise self.unavailable(oidc, f"{self._open} requests wait for its answers")
        if self._client is None:
            self._client = SimpleAsyncHTTPClient(
                force_instance=True,
                max_clients=_AT_ONCE,
                max_buffer_size=_MAX_BYTES,
                max_body_size=_MAX_BYTES,
            )
        request.follow_redirects = False
        request.connect_timeout = request.request_timeout = oidc.timeout_s
        request.ca_certs = oidc.ca_file or None
        request.user_agent = "Semantik"
        self._open += 1
        try:
            async with asyncio.timeout(oidc.timeout_s):
                response = await self._client.fetch(request, raise_error=False)
            if response.code == 599:
                raise response.error or OSError("there was no answer")
        except _FAILURES as error:
            what = str(error) or f"there was no answer within {oidc.timeout_s:g} s"
            raise self.unavailable(oidc, f"{request.url}: {what}") from error
        finally:
            self._open -= 1
        return Answer(response.code, _json(response.body))


def _json(body: bytes) -> Mapping[str, Any]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
