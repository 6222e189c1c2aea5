"""How tests save searches, put documents where they are found, and wait for alerts."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from support.api import index
from support.patience import deadline

from semantik.client.api import Client

# A server that looks for alerts often and sends again soon, to receivers on this machine.
QUICK = (
    "--alerts-interval-s=0.1",
    "--webhooks-retry-s=0.05",
    "--webhooks-private-networks=127.0.0.0/8",
    "--auth-registration=open",
)
LAMP = "The lamp is green."
OTHERS = ("Bread is baked in the morning.", "A bowline does not slip.", "Gulls steal everything at noon.")


async def collection(client: Client, folder: Path, name: str = "Notes") -> str:
    """A collection of a few documents, of which none is about lamps."""
    folder.mkdir(exist_ok=True)
    for number, text in enumerate(OTHERS):
        (folder / f"{number}.txt").write_text(text)
    collection_id, _ = await index(client, folder, name)
    return collection_id


async def save(client: Client, query: str = "green lamp", **more: Any) -> dict[str, Any]:
    body = {"name": f"About {query}", "query": query, **more}
    made: dict[str, Any] = await client.call("POST", "saved-searches", body)
    return made


async def append(client: Client, collection_id: str) -> dict[str, Any]:
    """Scan the collection again; the end of the operation."""
    begun = await client.call("POST", f"collections/{collection_id}/append", {})
    frames = [frame async for frame in client.watch(begun["operation_id"])]
    ended: dict[str, Any] = frames[-1]
    return ended


async def add(client: Client, collection_id: str, folder: Path, **texts: str) -> None:
    """Write documents by their names, and have them indexed."""
    for name, text in texts.items():
        (folder / f"{name}.txt").write_text(text)
    await append(client, collection_id)


async def alerts(client: Client, **query: Any) -> list[dict[str, Any]]:
    """The oldest first."""
    items: list[dict[str, Any]] = (await client.call("GET", "alerts", limit=500, **query))["items"]
    return items[::-1]


async def names_of_alerts(client: Client, **query: Any) -> list[str]:
    return [each["document"]["name"] for each in await alerts(client, **query)]


async def until_alerts(client: Client, number: int, **query: Any) -> list[dict[str, Any]]:
    """Wait until there are so many."""
    async with deadline():
        while len(found := await alerts(client, **query)) < number:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    return found


async def deliveries(client: Client, target: str, of: str = "webhooks") -> list[dict[str, Any]]:
    """To a webhook or, with `of` saved-searches, by mail; the oldest first."""
    items: list[dict[str, Any]] = (await client.call("GET", f"{of}/{target}/deliveries", limit=500))["items"]
    return items[::-1]


async def until_delivery(
    client: Client, target: str, status: str, number: int = 1, of: str = "webhooks"
) -> dict[str, Any]:
    """Wait until so many deliveries have this status; the last of them."""
    async with deadline():
        while True:
            found = [each for each in await deliveries(client, target, of) if each["status"] == status]
            if len(found) >= number:
                return found[-1]
            await asyncio.sleep(0.05)
