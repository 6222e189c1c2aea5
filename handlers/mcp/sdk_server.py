"""The tools and resources as a server of the MCP SDK. Loaded with the first request, since the SDK takes half a second
and 33 MB. The caller of a request comes with it: `CALLER` in the scope of its ASGI request. Runs on the loop.
"""

from __future__ import annotations

import json
import logging
from typing import Any

import mcp_types as types
from mcp.server.lowlevel import Server
from mcp.shared.exceptions import MCPError

from handlers.mcp.caller import Answer, Caller, Link
from handlers.mcp.resources import ResourceText, list_documents, read_document
from handlers.mcp.sdk_listing import TEXT, Context, Paginated, make_server
from handlers.mcp.tools import TOOLS as FUNCTIONS
from handlers.mcp.tools import guarded, run_tool
from semantik.core.errors import Busy, SemantikError, Unavailable

log = logging.getLogger("semantik.mcp")

CALLER = "semantik.caller"
_RETRY = -32000  # an error of this server: the same request may succeed later
_UNTRUSTED = {"semantik/untrusted": True}


def new_server() -> Server[Any]:
    return make_server(_call_tool, _list_resources, _read_resource)


async def _call_tool(context: Context, params: types.CallToolRequestParams) -> types.CallToolResult:
    if params.name not in FUNCTIONS:
        names = ", ".join(FUNCTIONS)
        raise MCPError(types.INVALID_PARAMS, f"There is no tool {params.name[:100]!r}; there are {names}.")
    try:
        answer = await run_tool(_caller(context), params.name, params.arguments or {})
    except SemantikError as error:
        return types.CallToolResult(content=[types.TextContent(text=str(error))], is_error=True)
    except Exception as error:
        log.error("The tool %s failed", params.name, exc_info=error)
        raise MCPError(
            types.INTERNAL_ERROR, "Something went wrong in the server; its log has the details."
        ) from error
    return _tool_result(answer)


async def _list_resources(context: Context, params: Paginated) -> types.ListResourcesResult:
    caller, cursor = _caller(context), params.cursor if params else None
    try:
        items, following = await guarded(caller, "resources/list", {}, lambda: list_documents(caller, cursor))
    except SemantikError as error:
        raise _protocol_error(error) from error
    resources = [
        types.Resource(uri=each.uri, name=each.name, title=each.title, mime_type=TEXT, _meta=_UNTRUSTED)
        for each in items
    ]
    return types.ListResourcesResult(resources=resources, next_cursor=following)


async def _read_resource(
    context: Context, params: types.ReadResourceRequestParams
) -> types.ReadResourceResult:
    caller, uri = _caller(context), str(params.uri)
    try:
        page = await guarded(caller, "resources/read", {"uri": uri[:500]}, lambda: read_document(caller, uri))
    except SemantikError as error:
        raise _protocol_error(error) from error
    return _resource_result(page)


def _caller(context: Context) -> Caller:
    assert context.request is not None  # every message comes with a request of HTTP
    caller: Caller = context.request.scope[CALLER]
    return caller


def _protocol_error(error: SemantikError) -> MCPError:
    later = isinstance(error, (Busy, Unavailable))
    return MCPError(_RETRY if later else types.INVALID_PARAMS, str(error))


def _tool_result(answer: Answer) -> types.CallToolResult:
    """The structured answer, the same as text for clients that know no structured ones, and links to documents."""
    text = json.dumps(answer.structured, ensure_ascii=False)
    content: list[types.ContentBlock] = [types.TextContent(text=text, _meta=_UNTRUSTED)]
    content += [_link(each) for each in answer.links]
    return types.CallToolResult(content=content, structured_content=answer.structured, _meta=_UNTRUSTED)


def _link(link: Link) -> types.ResourceLink:
    return types.ResourceLink(
        uri=link.uri, name=link.name, title=link.title, mime_type=TEXT, _meta=_UNTRUSTED
    )


def _resource_result(page: ResourceText) -> types.ReadResourceResult:
    return types.ReadResourceResult(
        contents=[
            types.TextResourceContents(uri=page.uri, mime_type=TEXT, text=page.notice),
            types.TextResourceContents(uri=page.uri, mime_type=TEXT, text=page.text, _meta=_UNTRUSTED),
        ]
    )
