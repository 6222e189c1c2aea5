"""What the MCP server says of itself: its name, its tools and its templates, as the SDK's types.

`bin/semantik-mcp` says the same, so this must not load any service.
"""

from __future__ import annotations

from typing import Any

import mcp_types as types
from mcp.server.context import ServerRequestContext

from handlers.mcp.schemas import INSTRUCTIONS, TEMPLATE, TOOLS, ToolSchema
from semantik import __version__

TEXT = "text/plain"

Context = ServerRequestContext[Any, Any]
Paginated = types.PaginatedRequestParams | None


def server_facts() -> dict[str, str]:
    """The arguments of the SDK's server that say who it is."""
    return {
        "name": "semantik",
        "version": __version__,
        "title": "Semantik",
        "instructions": INSTRUCTIONS,
    }


async def list_tools(context: Context, params: Paginated) -> types.ListToolsResult:
    return types.ListToolsResult(tools=[_tool(each) for each in TOOLS])


async def list_templates(context: Context, params: Paginated) -> types.ListResourceTemplatesResult:
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
