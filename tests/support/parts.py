"""Archives in a collection: its documents, its operations, and whether what is left fits together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from semantik.client.api import Client

LETTERS = {
    "letters/spring.txt": "The swallows came back to the barn in April.",
    "letters/autumn.txt": "The beeches turned red early this year.",
    "list.csv": "tree,height\nash,31\n",
}


async def listed(client: Client, collection_id: str, folder: Path) -> dict[str, dict[str, Any]]:
    """All documents of a collection by their paths below the folder."""
    answer = await client.call("GET", f"collections/{collection_id}/documents", limit=500)
    return {one["path"].removeprefix(f"{folder}/"): one for one in answer["items"]}


async def run(client: Client, path: str, body: Any = None, method: str = "POST") -> dict[str, Any]:
    """Run an operation to its end; returns its record."""
    accepted = await client.call(method, path, {} if method == "POST" and body is None else body)
    async for _ in client.watch(accepted["operation_id"]):
        pass
    operation: dict[str, Any] = await client.call("GET", f"operations/{accepted['operation_id']}")
    return operation


async def is_sound(client: Client, collection_id: str, folder: Path) -> None:
    """The counts are those of the documents, each part has its container, and each chunk its document."""
    found = await listed(client, collection_id, folder)
    ids = {one["id"]: one for one in found.values()}
    view = await client.call("GET", f"collections/{collection_id}")
    assert view["pending_count"] == 0
    assert view["failed_count"] == sum(one["status"] == "failed" for one in found.values())
    assert view["chunk_count"] == sum(one["chunk_count"] for one in found.values())
    assert view["stats"]["vectors"] == view["chunk_count"]
    for path, one in found.items():
        if one["container_id"] is not None:
            container = ids[one["container_id"]]
            assert container["part_count"] is not None
            assert path.startswith(container["path"].removeprefix(f"{folder}/") + "#") and path.endswith(
                one["part"]
            )
        elif one["part_count"] is not None:
            assert one["chunk_count"] == 0
