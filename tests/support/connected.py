"""A collection with a source that is no folder, on a real server; and what there is of it."""

from __future__ import annotations

import asyncio
import signal
from typing import Any

import psutil
from support.patience import patience
from support.server import Serving

from semantik.client.api import Client

LOOPBACK = ("--connectors-private-networks", "127.0.0.0/8", "--connectors-delay-s", "0")


class ConnectedSource:
    def __init__(self, client: Client, collection_id: str) -> None:
        self.client = client
        self.id = collection_id
        self.source: dict[str, Any] = {}

    async def add(self, kind: str, **options: Any) -> list[dict[str, Any]]:
        """Add the source; returns the messages of its operation."""
        body = {"kind": kind, "options": options}
        added = await self.client.call("POST", f"collections/{self.id}/sources", body)
        self.source = added["source"]
        return [each async for each in self.client.watch(added["operation_id"])]

    async def scan(self) -> dict[str, Any]:
        """Scan again; returns the operation as it ended."""
        queued = await self.client.call("POST", f"collections/{self.id}/append", {})
        return await self.end_of(queued["operation_id"])

    async def end_of(self, operation_id: str) -> dict[str, Any]:
        async for _ in self.client.watch(operation_id):
            pass
        ended: dict[str, Any] = await self.client.call("GET", f"operations/{operation_id}")
        return ended

    async def documents(self) -> dict[str, dict[str, Any]]:
        """All documents by their paths below the source's address."""
        page = await self.client.call("GET", f"collections/{self.id}/documents", limit=500)
        items = page["items"]
        assert len({each["path"] for each in items}) == len(items)
        address = self.source["path"]
        assert all(each["path"].startswith(f"{address}/") for each in items)
        return {each["path"].removeprefix(f"{address}/"): each for each in items}


async def connected(client: Client, name: str = "Fetched") -> ConnectedSource:
    made = await client.call("POST", "collections", {"name": name})
    return ConnectedSource(client, made["id"])


async def dies(serving: Serving) -> None:
    """Wait until a server has reached its failpoint."""
    tree = serving.tree
    assert await asyncio.to_thread(serving.process.wait, patience()) == -signal.SIGKILL
    await asyncio.to_thread(psutil.wait_procs, tree, patience())
