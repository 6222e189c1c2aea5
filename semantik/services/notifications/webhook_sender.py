"""Sends one signed request to the address of a webhook: to a checked address only, without redirects. Runs on the loop.

The host is resolved for each request, and the connection goes to an address that was checked after that.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from urllib.parse import urlsplit

from tornado.httpclient import HTTPError, HTTPRequest
from tornado.iostream import StreamClosedError
from tornado.simple_httpclient import HTTPStreamClosedError, HTTPTimeoutError, SimpleAsyncHTTPClient

from semantik import __version__
from semantik.app.network import CheckedResolver, Network, Unreachable
from semantik.config.settings import WebhookSettings
from semantik.core.errors import Invalid
from semantik.services.notifications.outcome import Outcome
from semantik.services.notifications.signature import signed_headers

_USER_AGENT = f"Semantik/{__version__} (webhooks)"
_MAX_ANSWER_BYTES = 1 << 20  # is read and thrown away
_MAX_URL = 2000
_BUSY = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)
_SHOWN = 200
_PURPOSE = ("webhooks", "webhooks.private_networks")
_FAILURES = (HTTPError, OSError, StreamClosedError, ssl.SSLError, ValueError)


def check_url(url: str) -> None:
    """Raises Invalid, which repeats no password."""
    expected = "url is not allowed: an address as https://example.org/path is expected"
    try:
        split = urlsplit(url)
        port = split.port
    except ValueError as error:
        raise Invalid(f"{expected}.") from error
    if split.username is not None or split.password is not None:
        raise Invalid(f"{expected}, without a user and a password.")
    printable = url.isascii() and url.isprintable() and " " not in url
    if split.scheme not in ("http", "https") or not split.hostname or port == 0 or split.fragment:
        raise Invalid(f"{expected}.")
    if not printable or len(url) > _MAX_URL:
        raise Invalid(f"{expected}, of at most {_MAX_URL} ASCII characters without spaces.")


@dataclass
class _Answer:
    """The status of an answer, as soon as its first line is there, and its `Retry-After`."""

    status: int | None = None
    retry_after: str = ""

    def header(self, line: str) -> None:
        name, _, value = line.partition(":")
        if line.startswith("HTTP/"):
            part = line.split(" ")[1:2]
            self.status = int(part[0]) if part and part[0].isdigit() else None
        elif name.lower() == "retry-after":
            self.retry_after = value.strip()


class WebhookSender:
    """`limits()` are the current settings."""

    def __init__(self, limits: Callable[[], WebhookSettings]) -> None:
        self._limits = limits

    async def send(self, url: str, secrets: Sequence[str], delivery_id: str, body: bytes) -> Outcome:
        limits = self._limits()
        answer = _Answer()
        client = SimpleAsyncHTTPClient(
            force_instance=True,
            max_clients=1,
            max_body_size=_MAX_ANSWER_BYTES,
            resolver=CheckedResolver(Network(limits.private_networks, limits.timeout_s, purpose=_PURPOSE)),
        )
        request = HTTPRequest(
            url,
            "POST",
            {
                "Content-Type": "application/json",
                "Accept-Encoding": "identity",
                **signed_headers(secrets, delivery_id, int(time.time()), body),
            },
            body,
            follow_redirects=False,
            decompress_response=False,
            connect_timeout=limits.timeout_s,
            request_timeout=limits.timeout_s,
            user_agent=_USER_AGENT,
            streaming_callback=lambda _: None,
            header_callback=answer.header,
        )
        error = ""
        try:
            async with asyncio.timeout(limits.timeout_s + 1):
                response = await client.fetch(request, raise_error=False)
            if response.code == HTTPTimeoutError("").code and response.error is not None:
                raise response.error
        except Unreachable as failure:
            return Outcome("retry", None, str(failure))
        except (HTTPTimeoutError, TimeoutError):
            error = f"There was no answer within {limits.timeout_s:g} s (webhooks.timeout_s)."
        except HTTPStreamClosedError:
            error = "The receiver closed the connection before its answer was complete."
        except _FAILURES as failure:
            reason = (getattr(failure, "strerror", None) or str(failure) or type(failure).__name__)[:_SHOWN]
            error = f"The receiver cannot be reached: {reason.rstrip('.')}."
        finally:
            client.close()
        return _outcome(answer, error)


def _outcome(answer: _Answer, error: str) -> Outcome:
    """Of an answer that broke off after a good status, the status counts: the receiver has taken the message."""
    status = answer.status
    if status is None:
        return Outcome("retry", None, error or "The answer has no status.")
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return Outcome("delivered", status)
    if status < HTTPStatus.BAD_REQUEST:
        return Outcome(
            "retry", status, f"The receiver answers {status}: redirects are not followed; change the address."
        )
    if status == HTTPStatus.GONE:
        return Outcome("gone", status, "The receiver answers 410: it wants no messages any more.")
    wanted_s = seconds_of(answer.retry_after, time.time()) if status in _BUSY else 0.0
    return Outcome("retry", status, f"The receiver answers {status}.", wanted_s)


def seconds_of(retry_after: str, moment: float) -> float:
    """What a `Retry-After`, in seconds or as a date, asks for at `moment`; 0 for one that is neither, or past."""
    if retry_after.isascii() and retry_after.isdigit():
        return float(retry_after)
    try:
        until = parsedate_to_datetime(retry_after)
    except ValueError:
        return 0.0
    return max(0.0, (until if until.tzinfo else until.replace(tzinfo=UTC)).timestamp() - moment)
