"""What `semantik-mcp` does: an MCP server of the SDK that passes requests on to `/mcp` of a running server.

It lists the tools itself, so that an assistant which starts before the server knows them.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import TypeVar

import httpx2
import mcp_types as types
from mcp import Client
from mcp.client.session import ClientSession
from mcp.client.streamable_http import streamable_http_client
from mcp.server.stdio import stdio_server
from mcp.shared.exceptions import MCPError
from mcp_types.version import LATEST_MODERN_VERSION

from handlers.mcp.sdk_listing import Context, Paginated, make_server
from semantik.commands.cli_common import print_output
from semantik.core.errors import Unavailable

_ANSWER_S = 120.0

R = TypeVar("R", bound=types.Result)
_Send = Callable[[ClientSession], Awaitable[R]]


def run(url: str, key: str, check: bool) -> int:
    """Serve until standard input ends, or only check; returns the exit status. Raises Unavailable."""
    # What goes wrong is in the answer to the assistant; the SDK's log would add tracebacks to its window.
    logging.getLogger("mcp").setLevel(logging.CRITICAL)
    return asyncio.run(_check(url, key) if check else _serve(url, key))


async def _serve(url: str, key: str) -> int:
    async with AsyncExitStack() as stack:
        relay = _Relay(url, await stack.enter_async_context(_http(key)))
        server = make_server(relay.call_tool, relay.list_resources, relay.read_resource)
        read, write = await stack.enter_async_context(stdio_server())
        await server.run(read, write, server.create_initialization_options())
    return 0


async def _check(url: str, key: str) -> int:
    """Print what an assistant will find. Raises Unavailable."""
    async with _http(key) as http:
        params = types.CallToolRequestParams(name="collections", arguments={"limit": 100})
        try:
            result = await _Relay(url, http).call(params)
        except MCPError as error:
            raise Unavailable(error.error.message) from error
    if result.is_error:
        raise Unavailable(" ".join(getattr(each, "text", "") for each in result.content))
    listed = result.structured_content["collections"]
    more = " or more" if result.structured_content["next_cursor"] else ""
    print_output(f"{url} answers; this key sees {len(listed)}{more} collections.")
    return 0


def _http(key: str) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(headers={"Authorization": f"Bearer {key}"}, timeout=_ANSWER_S)


class _Relay:
    """Passes requests on. Each has a client of its own: one whose connection fails takes nothing else along."""

    def __init__(self, url: str, http: httpx2.AsyncClient) -> None:
        self._url = url
        self._http = http

    async def call_tool(self, context: Context, params: types.CallToolRequestParams) -> types.CallToolResult:
        return await self.call(params)

    async def call(self, params: types.CallToolRequestParams) -> types.CallToolResult:
        plain = types.CallToolRequestParams(name=params.name, arguments=params.arguments)
        request = types.CallToolRequest(params=plain)
        return await self._passed_on(lambda session: session.send_request(request, types.CallToolResult))

    async def list_resources(self, context: Context, params: Paginated) -> types.ListResourcesResult:
        plain = types.PaginatedRequestParams(cursor=params.cursor if params else None)
        request = types.ListResourcesRequest(params=plain)
        return await self._passed_on(lambda session: session.send_request(request, types.ListResourcesResult))

    async def read_resource(
        self, context: Context, params: types.ReadResourceRequestParams
    ) -> types.ReadResourceResult:
        plain = types.ReadResourceRequestParams(uri=params.uri)
        request = types.ReadResourceRequest(params=plain)
        return await self._passed_on(lambda session: session.send_request(request, types.ReadResourceResult))

    async def _passed_on(self, send: _Send[R]) -> R:
        """The server's answer. Raises MCPError with a sentence."""
        transport = streamable_http_client(f"{self._url}/mcp", http_client=self._http)
        refusal: MCPError | None = None
        try:
            async with Client(transport, mode=LATEST_MODERN_VERSION) as client:
                try:
                    return await send(client.session)
                except MCPError as error:
                    refusal = error  # it would come out of the client's task group as part of a group
        except* httpx2.TransportError as group:
            reason = str(group.exceptions[0]) or type(group.exceptions[0]).__name__
            sentence = f"The server at {self._url} does not answer: {reason}. Is it running?"
            refusal = MCPError(types.INTERNAL_ERROR, sentence)
        assert refusal is not None
        raise refusal
