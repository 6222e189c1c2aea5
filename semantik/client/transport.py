"""Requests of the REST API: encoded, sent, sent again where that is safe, and their answers decoded.

Knows no call by name; `semantik.client.calls` has those. Runs on an asyncio loop.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode

from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest, HTTPResponse

from semantik.client.download import Download
from semantik.client.retries import NotSent, Refused, Retries, retry_after_s
from semantik.client.values import UNSET, FileContent, ServerEvent
from semantik.core.errors import SemantikError, Unavailable

_ANSWER_S = 90.0
_UPLOAD_S = 3600.0
_PIECE = 1 << 18
_MAX_SHOWN = 200  # characters of an answer that is not the server's JSON
_IDEMPOTENT = ("GET", "HEAD", "PUT", "DELETE")

T = TypeVar("T")


@dataclass(frozen=True)
class Request:
    """Below `/api/v2/`; what is UNSET is not sent. `content` is a body of bytes, `body` one of JSON."""

    method: str
    path: str
    query: Mapping[str, Any] | None = None
    body: Any = None
    content: FileContent | None = None
    headers: Mapping[str, Any] | None = None
    repeatable: bool | None = None

    @property
    def may_repeat(self) -> bool:
        return self.method in _IDEMPOTENT if self.repeatable is None else self.repeatable

    def address(self, url: str) -> str:
        query = urlencode({name: _text(value) for name, value in _given(self.query).items()})
        path = self.path.removeprefix("../../") if self.path.startswith("../../") else f"api/v2/{self.path}"
        return f"{url}/{path}" + (f"?{query}" if query else "")

    @property
    def encoded(self) -> bytes | None:
        if isinstance(self.content, bytes):
            return self.content
        body = _given(self.body) if isinstance(self.body, dict) else self.body
        return None if body is None else json.dumps(body).encode()

    @property
    def sent_headers(self) -> dict[str, str]:
        given = {name: _text(value) for name, value in _given(self.headers).items()}
        return {"Content-Type": "application/json", **given}


class Transport:
    """Sends requests to the server at `url`. `token` is an API key or an access token."""

    def __init__(self, url: str, token: str = "", retries: Retries | None = None) -> None:
        self.url = url.rstrip("/")
        self.token = token
        self.retries = retries or Retries()
        self._http = AsyncHTTPClient()

    async def renew(self) -> None:
        """Called before each request; a client that can renews its access token here."""

    async def read_json(self, method: str, path: str, **parts: Any) -> Any:
        """The JSON of the answer (None where there is none); `parts` are fields of Request.

        Raises Refused, or Unavailable when no server answers.
        """
        return decoded(self.url, await self._fetch(Request(method, path, **parts)))

    async def read_text(self, method: str, path: str, **parts: Any) -> str:
        return (await self._fetch(Request(method, path, **parts))).body.decode()

    async def read_headers(self, method: str, path: str, **parts: Any) -> dict[str, str]:
        return dict((await self._fetch(Request(method, path, **parts))).headers.get_all())

    async def stream_bytes(self, method: str, path: str, **parts: Any) -> AsyncGenerator[bytes, None]:
        """The body in pieces, as it comes. Raises as `read_json`, also when the connection is lost in the middle."""
        request = Request(method, path, **parts)
        download = await self._repeated(request, lambda: self._open(request))
        try:
            async with aclosing(download.chunks()) as chunks:
                async for chunk in chunks:
                    yield chunk
        finally:
            download.close()

    async def stream_lines(self, method: str, path: str, **parts: Any) -> AsyncGenerator[Any, None]:
        """The JSON values of an answer that has one on each line."""
        async with aclosing(self._lines(method, path, parts)) as lines:
            async for line in lines:
                if line:
                    yield json.loads(line)

    async def stream_events(self, method: str, path: str, **parts: Any) -> AsyncGenerator[ServerEvent, None]:
        """Server-Sent Events, whose `data` is JSON."""
        event, cursor, data = "message", "", b""
        async with aclosing(self._lines(method, path, parts)) as lines:
            async for line in lines:
                field, _, value = line.partition(b":")
                value = value.removeprefix(b" ")
                if field == b"event":
                    event = value.decode()
                elif field == b"id":
                    cursor = value.decode()
                elif field == b"data":
                    data += (b"\n" if data else b"") + value
                elif not line and data:
                    yield {"event": event, "id": cursor, "data": json.loads(data)}
                    event, data = "message", b""

    async def _lines(self, method: str, path: str, parts: dict[str, Any]) -> AsyncGenerator[bytes, None]:
        rest = b""
        async with aclosing(self.stream_bytes(method, path, **parts)) as chunks:
            async for chunk in chunks:
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    yield line.removesuffix(b"\r")
        if rest:
            yield rest

    async def _fetch(self, request: Request) -> HTTPResponse:
        return await self._repeated(request, lambda: self.attempt(request))

    async def _repeated(self, request: Request, attempt: Callable[[], Awaitable[T]]) -> T:
        """What an attempt returns, after as many as the retries allow."""
        attempts, waited_s = 0, 0.0
        while True:
            try:
                await self.renew()
                return await attempt()
            except SemantikError as error:
                attempts += 1
                pause = self.retries.pause(error, request.may_repeat, attempts, waited_s)
                if pause is None:
                    raise
                waited_s += pause
                await asyncio.sleep(pause)

    async def attempt(self, request: Request) -> HTTPResponse:
        """Send a request once. Raises Refused, NotSent and Unavailable."""
        content = request.content if isinstance(request.content, Path) else None
        size = {"Content-Length": str(content.stat().st_size)} if content else {}
        sent = HTTPRequest(
            request.address(self.url),
            request.method,
            {**request.sent_headers, **self.authorization(), **size},
            None if content else request.encoded,
            request_timeout=_UPLOAD_S if request.content is not None else _ANSWER_S,
            body_producer=None if content is None else _sender(content),
            allow_nonstandard_methods=True,
        )
        try:
            answer = await self._http.fetch(sent, raise_error=False)
        except ConnectionRefusedError as error:
            raise NotSent(_unanswered(self.url, error)) from error
        except (OSError, HTTPClientError) as error:  # unknown host, connection lost, timeout
            raise Unavailable(_unanswered(self.url, error)) from error
        if answer.code >= HTTPStatus.BAD_REQUEST:
            raise refusal(self.url, answer.code, answer.reason, answer.body, answer.headers)
        return answer

    async def _open(self, request: Request) -> Download:
        headers = {**request.sent_headers, **self.authorization()}
        download = await Download.open(
            request.address(self.url), request.method, headers, request.encoded or b""
        )
        if download.status < HTTPStatus.BAD_REQUEST:
            return download
        try:
            body = b"".join([chunk async for chunk in download.chunks()])
        finally:
            download.close()
        raise refusal(self.url, download.status, download.reason, body, download.headers)

    def authorization(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}


def decoded(url: str, answer: HTTPResponse) -> Any:
    """The JSON of an answer. Raises Refused for what is none."""
    try:
        return json.loads(answer.body) if answer.body else None
    except ValueError as error:
        raise Refused(answer.code, _describe(url, answer.code, answer.reason, answer.body)) from error


def refusal(url: str, status: int, reason: str, body: bytes, headers: Mapping[str, str]) -> Refused:
    """The error of an answer: with the sentence of a problem document, if it is one."""
    try:
        problem = json.loads(body)
    except ValueError:
        problem = None
    problem = problem if isinstance(problem, dict) else {}
    detail = problem.get("detail") or _describe(url, status, reason, body)
    return Refused(
        status, detail, str(problem.get("type", "about:blank")), retry_after_s(headers.get("Retry-After"))
    )


def _describe(url: str, status: int, reason: str, body: bytes) -> str:
    """Describe an answer that is not a problem document, as `/health` and proxies send them."""
    text = " ".join(body.decode(errors="replace").split())[:_MAX_SHOWN]
    return f"{url} answered {status} {reason}" + (f": {text}" if text else ".")


def _unanswered(url: str, error: Exception) -> str:
    reason = getattr(error, "strerror", None) or getattr(error, "message", None) or error
    return f"{url} does not answer: {reason}."


def _given(values: Mapping[str, Any] | None) -> dict[str, Any]:
    return {name: value for name, value in (values or {}).items() if value is not UNSET}


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _sender(path: Path) -> Callable[[Callable[[bytes], Any]], Any]:
    """Sends a file in pieces, which are read in threads. Tornado awaits both, whatever its types say."""

    async def send(write: Callable[[bytes], Any]) -> None:
        file = await asyncio.to_thread(path.open, "rb")
        try:
            while piece := await asyncio.to_thread(file.read, _PIECE):
                await write(piece)
        finally:
            file.close()

    return send
