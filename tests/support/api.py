"""What tests ask of a server's REST interface again and again."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from support.server import SETUP_CODE, Serving

from semantik.client.api import Client
from semantik.client.websocket import Refused

PASSWORD = "a good password"

_users = iter(range(1_000_000))


async def new_user(serving: Serving) -> Client:
    """A client that is signed in as somebody new."""
    return await new_user_at(serving.url)


async def new_user_at(url: str) -> Client:
    client = Client(url)
    name = f"user-{os.getpid()}-{next(_users)}@example.com"
    await client.register(name, PASSWORD, SETUP_CODE)
    await client.sign_in(name, PASSWORD)
    return client


async def index(client: Client, folder: Path, name: str = "Documents") -> tuple[str, list[dict[str, Any]]]:
    """Make a collection of a folder; returns its id and all frames of its INDEX operation."""
    made = await client.call("POST", "collections", {"name": name, "source_path": str(folder)})
    frames = [frame async for frame in client.watch(made["operation_id"])]
    return made["id"], frames


async def ask(client: Client, query: str, **more: Any) -> list[dict[str, Any]]:
    answer = await client.call("POST", "search", {"query": query, **more})
    hits: list[dict[str, Any]] = answer["hits"]
    return hits


async def refusal_of(client: Client, method: str, path: str, body: Any = None, **query: Any) -> Refused:
    with pytest.raises(Refused) as refused:
        await client.call(method, path, body, **query)
    return refused.value


async def documents(client: Client, collection_id: str) -> dict[str, dict[str, Any]]:
    """Every document of a collection by its file name."""
    page = await client.call("GET", f"collections/{collection_id}/documents", limit=500)
    return {item["name"]: item for item in page["items"]}
