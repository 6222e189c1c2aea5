"""Requests to one host: to checked addresses only, one at a time, with pauses, as robots.txt says. Runs on the loop."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from protego import Protego
from tornado.httpclient import HTTPError, HTTPRequest, HTTPResponse
from tornado.iostream import StreamClosedError
from tornado.simple_httpclient import SimpleAsyncHTTPClient

from pipeline.connectors.protocol import ConnectorError, ItemError
from semantik import __version__
from semantik.app.network import CheckedResolver, Network, Unreachable

AGENT = "Semantik"
_USER_AGENT = f"{AGENT}/{__version__} (private search server)"
_MAX_ROBOTS_BYTES = 512 << 10
_MAX_DELAY_S = 60.0
_FAILURES = (HTTPError, OSError, StreamClosedError, ssl.SSLError, TimeoutError, ValueError)


@dataclass(frozen=True)
class Answer:
    """What the host answered; its body, if the status is 200, is in the file that was given."""

    status: int
    headers: Mapping[str, str]
    bytes: int


class PoliteClient:
    """For the pages below `origin`, as https://example.org. Call `read_robots` first, and `close` at the end."""

    def __init__(self, origin: str, network: Network, max_bytes: int) -> None:
        self._origin = origin
        self._network = network
        self._max_bytes = max_bytes
        self._client = SimpleAsyncHTTPClient(
            force_instance=True,
            max_clients=1,
            max_body_size=max_bytes,
            resolver=CheckedResolver(network),
        )
        self._robots: Any = None
        self._delay_s = network.delay_s
        self._next_at = 0.0

    def close(self) -> None:
        self._client.close()

    async def read_robots(self, file: Path) -> None:
        """Read robots.txt, if there is one. Raises ConnectorError when it cannot be known what it says."""
        url = f"{self._origin}/robots.txt"
        try:
            with file.open("w+b") as body:
                answer = await self.get(url, {}, body)
                body.seek(0)
                text = body.read(_MAX_ROBOTS_BYTES).decode("utf-8", "replace") if answer.status == 200 else ""
        except ItemError as error:
            raise ConnectorError(f"{url}: {error}") from error
        if answer.status >= 500 or answer.status == 429:
            raise ConnectorError(
                f"{url} cannot be read (status {answer.status}): no page is fetched without it."
            )
        self._robots = Protego.parse(text)
        asked = self._robots.crawl_delay(AGENT)
        if asked:
            self._delay_s = max(self._delay_s, min(float(asked), _MAX_DELAY_S))

    def may_fetch(self, url: str) -> bool:
        """Whether the host's robots.txt allows it."""
        return bool(self._robots.can_fetch(url, AGENT))

    async def get(self, url: str, headers: Mapping[str, str], body: IO[bytes]) -> Answer:
        """Request a page, after the pause; `body` gets what comes with the status 200.

        Raises ItemError when there is no answer, or one that is too large.
        """
        await asyncio.sleep(max(0.0, self._next_at - time.monotonic()))
        sink = _Sink(body, self._max_bytes)
        request = HTTPRequest(
            url,
            headers={"Accept-Encoding": "identity", "Accept": "text/html, */*;q=0.8", **headers},
            follow_redirects=False,
            decompress_response=False,
            connect_timeout=self._network.timeout_s,
            request_timeout=0,
            user_agent=_USER_AGENT,
            streaming_callback=sink.write,
        )
        try:
            response = await self._answered(request, sink)
        except Unreachable as error:
            raise ConnectorError(str(error)) from error
        except _FAILURES as error:
            reason = "it is too large" if sink.too_large else str(error) or "it was silent for too long"
            raise ItemError(f"It cannot be fetched: {reason[:200].rstrip('.')}.") from error
        finally:
            self._next_at = time.monotonic() + self._delay_s
        if sink.too_large:
            raise ItemError(
                f"It has more than {self._max_bytes:,} bytes, which is more than is kept of one page."
            )
        if response.code == 200 and response.headers.get("Content-Encoding", "identity") != "identity":
            raise ItemError("The server sends it packed, though it was asked not to.")
        return Answer(response.code, response.headers, sink.bytes)

    async def _answered(self, request: HTTPRequest, sink: _Sink) -> HTTPResponse:
        """Wait as long as something comes; raises TimeoutError after a silence."""
        fetching = asyncio.ensure_future(self._client.fetch(request, raise_error=False))
        seen = -1
        while True:
            done, _ = await asyncio.wait({fetching}, timeout=self._network.timeout_s)
            if done:
                break
            if sink.bytes == seen:
                fetching.cancel()
                raise TimeoutError
            seen = sink.bytes
        response = fetching.result()
        if response.code == 599:
            raise response.error or OSError("there was no answer")
        return response


class _Sink:
    """Writes what comes of a body, up to a bound."""

    def __init__(self, file: IO[bytes], max_bytes: int) -> None:
        self._file = file
        self._max_bytes = max_bytes
        self.bytes = 0
        self.too_large = False

    def write(self, piece: bytes) -> None:
        self.bytes += len(piece)
        self.too_large = self.too_large or self.bytes > self._max_bytes
        if not self.too_large:
            self._file.write(piece)
