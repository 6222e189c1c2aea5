"""The SDK's HTTP transport, which speaks ASGI, behind a handler of Tornado: one request in, one answer out.

The transport keeps no sessions and answers in JSON, so a request needs nothing of an earlier one, any server may answer
it, and nothing remains of a client that goes away. Runs on the loop.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from semantik.core.errors import Busy

_SDK = ("mcp.server.streamable_http_manager", "handlers.mcp.sdk_server")

_PATH = "/mcp"

Headers = Sequence[tuple[bytes, bytes]]
Message = Mapping[str, Any]


@dataclass(frozen=True)
class HttpAnswer:
    status: int
    headers: Headers
    body: bytes


class McpEndpoint:
    """Answers requests to `/mcp`; the SDK is loaded with the first one."""

    def __init__(self) -> None:
        self._in_progress = 0
        self._starting = asyncio.Lock()
        self._running: asyncio.Task[None] | None = None
        self._manager: Any = None
        self._caller_key = ""

    async def close(self) -> None:
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)

    async def answer(self, headers: Headers, body: bytes, caller: object, limit: int) -> HttpAnswer:
        """The answer to a request of `caller`. Raises Busy when `limit` requests are answered already."""
        if self._in_progress >= limit:
            raise Busy(
                f"The server answers {limit} requests of assistants already (mcp.requests): try again."
            )
        self._in_progress += 1
        try:
            await self._start()
            scope = {
                "type": "http",
                "asgi": {"version": "3.0"},
                "http_version": "1.1",
                "method": "POST",
                "scheme": "http",
                "path": _PATH,
                "raw_path": _PATH.encode(),
                "query_string": b"",
                "root_path": "",
                "headers": headers,
                "client": None,
                "server": None,
                self._caller_key: caller,
            }
            exchange = _Exchange(body)
            await self._manager.handle_request(scope, exchange.receive, exchange.send)
            return exchange.answer()
        finally:
            self._in_progress -= 1

    async def _start(self) -> None:
        async with self._starting:
            if self._running is None or self._running.done():
                manager_module, server_module = await asyncio.to_thread(_load)
                # Faults of clients are in their answers; the SDK's log would only repeat them.
                logging.getLogger("mcp").setLevel(logging.ERROR)
                self._caller_key = server_module.CALLER
                self._manager = manager_module.StreamableHTTPSessionManager(
                    server_module.new_server(), json_response=True, stateless=True
                )
                started = asyncio.get_running_loop().create_future()
                self._running = asyncio.create_task(_run(self._manager, started))
                await asyncio.wait((self._running, started), return_when=asyncio.FIRST_COMPLETED)
                if not started.done():
                    await self._running  # raises what kept it from starting


async def _run(manager: Any, started: asyncio.Future[None]) -> None:
    """Keep the transport running until it is cancelled: the SDK wants one task to start it and to end it."""
    async with manager.run():
        started.set_result(None)
        await asyncio.Event().wait()


def _load() -> list[ModuleType]:
    return [importlib.import_module(name) for name in _SDK]


class _Exchange:
    """One request of ASGI: its body is there from the beginning, and its answer is collected."""

    def __init__(self, body: bytes) -> None:
        self._body: bytes | None = body
        self._status = 500
        self._headers: Headers = ()
        self._parts: list[bytes] = []

    async def receive(self) -> Message:
        if self._body is None:
            await asyncio.Event().wait()  # until the request's task is cancelled: the client has gone then
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status, self._headers = message["status"], list(message.get("headers", ()))
        elif message["type"] == "http.response.body":
            self._parts.append(message.get("body", b""))

    def answer(self) -> HttpAnswer:
        return HttpAnswer(self._status, self._headers, b"".join(self._parts))
