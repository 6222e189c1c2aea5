"""`semantik-mcp`: lets an assistant that starts programs (stdio) use a running server, with an API key.

It lists the tools itself, so that an assistant which starts before the server knows them, and passes everything else on
to `/mcp` of the server, one request each: rights, limits and the audit trail are the server's. Signals end it at once.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import TypeVar

import httpx2
import mcp_types as types
from mcp import Client
from mcp.client.session import ClientSession
from mcp.client.streamable_http import streamable_http_client
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from mcp.shared.exceptions import MCPError
from mcp_types.version import LATEST_MODERN_VERSION

from handlers.mcp.sdk_listing import Context, Paginated, list_templates, list_tools, server_facts
from semantik import __version__
from semantik.commands.cli_common import USAGE_ERROR, check_url, print_output, report_error
from semantik.core.errors import Invalid, Unavailable

_PROG = "semantik-mcp"
_URL, _KEY = "SEMANTIK_URL", "SEMANTIK_API_KEY"
_DEFAULT_URL = "http://127.0.0.1:8080"
_ANSWER_S = 120.0

R = TypeVar("R", bound=types.Result)
_Send = Callable[[ClientSession], Awaitable[R]]


def main(argv: list[str]) -> int:
    """Serve until standard input ends and return the exit status: 0 done, 1 failed, 2 usage error."""
    arguments = _parser().parse_args(argv)
    url, key = arguments.url.rstrip("/"), os.environ.get(_KEY, "")
    try:
        check_url(url)
        if not key or not (key.isascii() and key.isprintable()):
            raise Invalid(f"Set {_KEY} to an API key with the scope read; the page makes one below API keys.")
    except Invalid as error:
        return report_error(_PROG, error)
    # What goes wrong is in the answer to the assistant; the SDK's log would add tracebacks to its window.
    logging.getLogger("mcp").setLevel(logging.CRITICAL)
    try:
        return asyncio.run(_check(url, key) if arguments.check else _serve(url, key))
    except Unavailable as error:
        return report_error(_PROG, error)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=_PROG,
        description="An MCP server on standard input and output, for assistants that start programs: it searches and "
        "reads documents through a running server of Semantik.",
        epilog=f"The API key is taken from {_KEY}. Exit status: 0 done, 1 failed, {USAGE_ERROR} usage error.",
    )
    parser.add_argument("--version", action="version", version=f"semantik {__version__}")
    parser.add_argument(
        "--url",
        default=os.environ.get(_URL, _DEFAULT_URL),
        help=f"the server, {_URL} unless given, else {_DEFAULT_URL}",
    )
    parser.add_argument("--check", action="store_true", help="say whether the server answers, and end")
    return parser


async def _serve(url: str, key: str) -> int:
    async with AsyncExitStack() as stack:
        relay = _Relay(url, await stack.enter_async_context(_http(key)))
        server = Server(
            **server_facts(),
            on_list_tools=list_tools,
            on_list_resource_templates=list_templates,
            on_call_tool=relay.call_tool,
            on_list_resources=relay.list_resources,
            on_read_resource=relay.read_resource,
        )
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
