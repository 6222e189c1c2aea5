"""Archives and mailboxes: each file inside is a document of its own, through scans, changes, moves and removals."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from support.api import ask, index, new_user
from support.server import Serving

from semantik.client.api import Client

pytestmark = pytest.mark.gen_test


def write_zip(path: Path, members: Mapping[str, str | bytes]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name, (2024, 5, 1, 12, 0, 0)), content)
    return path


async def listed(client: Client, collection_id: str, folder: Path) -> dict[str, dict[str, Any]]:
    """All documents of a collection by their paths below the folder."""
    answer = await client.call("GET", f"collections/{collection_id}/documents", limit=500)
    return {one["path"].removeprefix(f"{folder}/"): one for one in answer["items"]}


async def run(client: Client, path: str, body: Any = None, method: str = "POST") -> dict[str, Any]:
    """Run an operation to its end, and check the counts that it leaves; returns its record."""
    accepted = await client.call(method, path, {} if method == "POST" and body is None else body)
    async for _ in client.watch(accepted["operation_id"]):
        pass
    operation: dict[str, Any] = await client.call("GET", f"operations/{accepted['operation_id']}")
    return operation


LETTERS = {
    "letters/spring.txt": "The swallows came back to the barn in April.",
    "letters/autumn.txt": "The beeches turned red early this year.",
    "list.csv": "tree,height\nash,31\n",
}


async def test_each_file_in_an_archive_is_a_document(shared: Serving, tmp_path: Path) -> None:
    client = await new_user(shared)
    folder = tmp_path / "papers"
    write_zip(folder / "garden.zip", LETTERS)
    (folder / "note.txt").write_text("A note beside the archive.")
    collection_id, _ = await index(client, folder)
    found = await listed(client, collection_id, folder)
    assert set(found) == {"garden.zip", "note.txt", *(f"garden.zip#{name}" for name in LETTERS)}
    archive, letter = found["garden.zip"], found["garden.zip#letters/spring.txt"]
    assert (archive["status"], archive["mime"], archive["part_count"], archive["chunk_count"]) == (
        "indexed", "application/zip", 3, 0,
    )  # fmt: skip
    assert (letter["container_id"], letter["part"]) == (archive["id"], "letters/spring.txt")
    assert (letter["mime"], letter["name"]) == ("text/plain", "garden.zip#letters/spring.txt")
    [hit] = await ask(client, "swallows in the barn", collection_ids=[collection_id], k=1)
    assert hit["passage"] == LETTERS["letters/spring.txt"]
    assert hit["document"]["id"] == letter["id"] and hit["document"]["part"] == "letters/spring.txt"
    content = await client.call("GET", f"collections/{collection_id}/documents/{letter['id']}/content")
    assert content["text"] == LETTERS["letters/spring.txt"]
    view = await client.call("GET", f"collections/{collection_id}")
    assert (view["document_count"], view["pending_count"], view["failed_count"]) == (5, 0, 0)
