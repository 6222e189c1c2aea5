"""The tools of `/mcp` with the SDK's own client, in the newest revision and in an older one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import mcp_types as types
import pytest
from mcp.client.session import ClientSession
from support.api import index, new_user
from support.api_keys import make_key
from support.assistants import REVISIONS, over_http
from support.server import Serving

pytestmark = pytest.mark.gen_test
_TEXTS = {
    "bees.md": "# Bees\n\nIn winter the bees form a cluster. They keep the queen warm by shivering.",
    "bread.txt": "Sourdough bread rises overnight; bake it in a hot oven until the crust is dark.",
    "tides.txt": "The tide follows the moon. Two high waters come in every lunar day, said Ilse Quandt.",
    "tides-copy.txt": "The tide follows the moon. Two high waters come in every lunar day, said Ilse Quandt.",
}


async def call(session: ClientSession, tool: str, **arguments: Any) -> dict[str, Any]:
    """A tool's structured answer, which the client has compared with the tool's schema."""
    result = await session.call_tool(tool, arguments)
    assert isinstance(result, types.CallToolResult)
    assert not result.is_error, result.content
    text = result.content[0]
    assert isinstance(text, types.TextContent) and json.loads(text.text) == result.structured_content
    return dict(result.structured_content)


@pytest.mark.parametrize("revision", REVISIONS)
async def test_an_assistant_searches_and_reads(shared: Serving, tmp_path: Path, revision: str) -> None:
    folder = tmp_path / "texts"
    folder.mkdir()
    for name, text in _TEXTS.items():
        (folder / name).write_text(text)
    user = await new_user(shared)
    collection_id, _ = await index(user, folder, "Life")
    _, key = await make_key(user, scopes=["read"])
    async with over_http(shared.url, key.token, revision) as session:
        tools = (await session.list_tools()).tools
        assert [tool.name for tool in tools] == ["search", "read", "similar", "collections", "operations"]
        assert all(tool.output_schema and tool.annotations.read_only_hint for tool in tools)
        found = await call(session, "search", query="What does Ilse Quandt say of the tides?", limit=2)
        assert found["next_offset"] == 2
        hit = found["hits"][0]
        print(json.dumps(found, indent=1))
