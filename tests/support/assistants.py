"""Assistants in tests: the SDK's own client over HTTP or stdio, with the protocol's revision of choice."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import httpx2
import mcp_types as types
from mcp import Client
from mcp.client.session import ClientSession
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client
from support.server import ROOT

NEWEST = "2026-07-28"
OLDER = "2025-06-18"
REVISIONS = (NEWEST, OLDER)


@asynccontextmanager
async def over_http(url: str, key: str, revision: str = NEWEST) -> AsyncIterator[ClientSession]:
    """A session with `/mcp`, by its URL alone and the header that a user sets."""
    headers = {"Authorization": f"Bearer {key}"}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=120) as http,
        _session(streamable_http_client(f"{url}/mcp", http_client=http), revision) as session,
    ):
        yield session


@asynccontextmanager
async def over_stdio(url: str, key: str, revision: str = NEWEST) -> AsyncIterator[ClientSession]:
    """A session with `bin/semantik-mcp`, started as an assistant starts it."""
    env = {"SEMANTIK_URL": url, "SEMANTIK_API_KEY": key, "PATH": os.environ["PATH"]}
    program = StdioServerParameters(command=str(ROOT / "bin" / "semantik-mcp"), args=[], env=env)
    async with _session(stdio_client(program, errlog=sys.stderr), revision) as session:
        yield session


@asynccontextmanager
async def _session(transport: Any, revision: str) -> AsyncIterator[ClientSession]:
    async with AsyncExitStack() as stack:
        if revision == NEWEST:
            client = await stack.enter_async_context(Client(transport, mode=NEWEST))
            yield client.session
            return
        read, write = await stack.enter_async_context(transport)
        session = await stack.enter_async_context(ClientSession(read, write))
        offer = types.InitializeRequestParams(
            protocol_version=revision,
            capabilities=types.ClientCapabilities(),
            client_info=types.Implementation(name="tests", version="1"),
        )
        answer = await session.send_request(types.InitializeRequest(params=offer), types.InitializeResult)
        assert answer.protocol_version == revision
        session.adopt(answer)
        await session.send_notification(types.InitializedNotification())
        yield session


async def call(session: ClientSession, tool: str, **arguments: Any) -> dict[str, Any]:
    """A tool's structured answer, which the client has compared with the tool's schema, and the test with its text."""
    result = await session.call_tool(tool, arguments)
    assert isinstance(result, types.CallToolResult) and not result.is_error, result
    assert json.loads(text_of(result)) == result.structured_content
    return dict(result.structured_content)


async def refused(session: ClientSession, tool: str, **arguments: Any) -> str:
    """The sentence of a tool that could not answer."""
    result = await session.call_tool(tool, arguments)
    assert isinstance(result, types.CallToolResult) and result.is_error, result
    return text_of(result)


def text_of(result: types.CallToolResult) -> str:
    first = result.content[0]
    assert isinstance(first, types.TextContent)
    return first.text
