"""Titles, headings and languages reach the store; a vector is made anew when what stands before its text changes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pymongo import AsyncMongoClient
from support.api import documents, index, new_user
from support.server import Serving

from semantik.client.api import Client

pytestmark = pytest.mark.gen_test

FOG = "The valley lies in the fog, and it is cold there until the sun comes over the hills. " * 30


async def _chunks(serving: Serving, collection_id: str, generation: int = 1) -> list[dict[str, Any]]:
    where = {"collection_id": collection_id, "generation": generation}
    async with AsyncMongoClient(serving.stores.mongo_url) as client:
        return await client[serving.stores.database]["chunks"].find(where).sort("start", 1).to_list()


async def _append(client: Client, collection_id: str, operation: str = "append") -> None:
    accepted = await client.call("POST", f"collections/{collection_id}/{operation}", {})
    assert [message async for message in client.watch(accepted["operation_id"])]


def _page(title: str, heading: str) -> str:
    return f"<title>{title}</title><h1>{heading}</h1><p>{FOG}</p>"


async def test_a_new_title_or_heading_gives_new_vectors_to_the_same_texts(
    shared: Serving, tmp_path: Path
) -> None:
    folder = tmp_path / "reports"
    folder.mkdir()
    path = folder / "report.html"
    path.write_text(_page("Observatory", "Autumn"))
    client = await new_user(shared)
    collection_id, _ = await index(client, folder)
    first = await _chunks(shared, collection_id)
    assert [one["context"] for one in first[1:]] == ["Observatory\nAutumn\n"] * (len(first) - 1)
    assert {(one["title"], one["heading"], one["language"]) for one in first} == {
        ("Observatory", "Autumn", "en")
    }
    assert (await documents(client, collection_id))["report.html"]["language"] == "en"

    path.write_text(_page("Lighthouse", "Autumn"))
    await _append(client, collection_id)
    second = await _chunks(shared, collection_id)
    assert [one["text"] for one in second] == [one["text"] for one in first]
    assert all(a["vector"] != b["vector"] for a, b in zip(first, second, strict=True))

    await _append(client, collection_id, "reindex")
    third = await _chunks(shared, collection_id, 2)
    kept = ("text", "title", "heading", "context", "language", "vector")
    assert [[one[name] for name in kept] for one in third] == [[one[name] for name in kept] for one in second]


async def test_copies_with_another_title_have_vectors_of_their_own(shared: Serving, tmp_path: Path) -> None:
    folder = tmp_path / "reports"
    folder.mkdir()
    for title in ("Observatory", "Lighthouse"):
        (folder / f"{title}.html").write_text(_page(title, "Autumn"))
    client = await new_user(shared)
    collection_id, _ = await index(client, folder)
    by_title: dict[str, list[Any]] = {}
    for one in await _chunks(shared, collection_id):
        by_title.setdefault(one["title"], []).append(one)
    pairs = list(zip(by_title["Observatory"], by_title["Lighthouse"], strict=True))
    assert all(a["text"] == b["text"] and a["vector"] != b["vector"] for a, b in pairs)
