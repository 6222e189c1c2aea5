"""What the MCP server says of itself: its name, its tools and its templates, as the SDK's types.

`bin/semantik-mcp` says the same, so this must not load any service.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server

from handlers.mcp.schemas import INSTRUCTIONS, TEMPLATE, TOOLS, ToolSchema
from semantik import __version__

TEXT = "text/plain"

P = TypeVar("P")
R = TypeVar("R")

Context = ServerRequestContext[Any, Any]
Paginated = types.PaginatedRequestParams | None


_Handler = Callable[[Context, P], Awaitable[R]]


def make_server(
    call_tool: _Handler[types.CallToolRequestParams, types.CallToolResult],
    list_resources: _Handler[Paginated, types.ListResourcesResult],
    read_resource: _Handler[types.ReadResourceRequestParams, types.ReadResourceResult],
) -> Server[Any]:
    """A server of the SDK that lists what there is itself, and does everything else with these functions."""
    return Server(
        "semantik",
        version=__version__,
        title="Semantik",
        instructions=INSTRUCTIONS,
        on_list_tools=_list_tools,
        on_list_resource_templates=_list_templates,
        on_call_tool=call_tool,
        on_list_resources=list_resources,
        on_read_resource=read_resource,
    )


async def _list_tools(context: Context, params: Paginated) -> types.ListToolsResult:
    return types.ListToolsResult(tools=[_tool(each) for each in TOOLS])


async def _list_templates(context: Context, params: Paginated) -> types.ListResourceTemplatesResult:
    template = types.ResourceTemplate(
        uri_template=TEMPLATE,
        name="document",
        title="The text of a document",
        description="From the character offset on; its ids come from search.",
        mime_type=TEXT,
    )
    return types.ListResourceTemplatesResult(resource_templates=[template])


def _tool(schema: ToolSchema) -> types.Tool:
    hints = types.ToolAnnotations(
        title=schema.title,
        read_only_hint=True,
        destructive_hint=False,
        idempotent_hint=True,
        open_world_hint=False,
    )
    return types.Tool(
        name=schema.name,
        title=schema.title,
        description=schema.description,
        input_schema=schema.input,
        output_schema=schema.output,
        annotations=hints,
    )
