"""The REST handlers on a real server: collections, documents, search, and the isolation of users."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.api import ask, documents, index, new_user, refusal_of
from support.server import Serving

from semantik.client.api import Client
from semantik.client.websocket import Refused

pytestmark = pytest.mark.gen_test
TEXTS = {
    "bees.md": "# Bees\n\n## Winter\n\nIn winter the bees form a cluster and keep the queen warm.",
    "bread.txt": "Sourdough bread rises overnight; bake it in a hot oven until the crust is dark.",
    "sub/tides.txt": "The tide follows the moon: two high waters come in every lunar day.",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in TEXTS.items():
        path = tmp_path / "texts" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "texts"


async def test_collection_is_created_renamed_listed_and_deleted(shared: Serving, folder: Path) -> None:
    client = await new_user(shared)
    collection_id, _ = await index(client, folder, "Life")
    view = await client.call("GET", f"collections/{collection_id}")
    assert (view["status"], view["document_count"], view["access"]) == ("ready", 3, "own")
    assert view["active_operation_id"] is None
    changed = await client.call("PATCH", f"collections/{collection_id}", {"name": "Afterlife"})
    assert changed["name"] == "Afterlife"
    assert (await refusal_of(client, "POST", "collections", {"name": "AFTERLIFE"})).status == 409
    listed = await client.call("GET", "collections")
    assert [item["name"] for item in listed["items"]] == ["Afterlife"]
    sources = await client.call("GET", f"collections/{collection_id}/sources")
    assert [(s["path"], s["document_count"]) for s in sources["items"]] == [(str(folder), 3)]
    await client.call("DELETE", f"collections/{collection_id}")
    assert (await refusal_of(client, "GET", f"collections/{collection_id}")).status == 404
    assert await ask(client, "bees") == []
    made = await client.call("POST", "collections", {"name": "Afterlife"})
    assert (made["operation_id"], made["status"]) == (None, "empty")


async def test_second_source_is_indexed_into_the_same_collection(shared: Serving, folder: Path) -> None:
    client = await new_user(shared)
    made = await client.call("POST", "collections", {"name": "Two", "source_path": str(folder / "sub")})
    [_ async for _ in client.watch(made["operation_id"])]
    other = folder.parent / "other"
    other.mkdir()
    (other / "comet.txt").write_text("A comet's tail always points away from the sun.")
    added = await client.call("POST", f"collections/{made['id']}/sources", {"path": str(other)})
    [_ async for _ in client.watch(added["operation_id"])]
    assert set(await documents(client, made["id"])) == {"tides.txt", "comet.txt"}
    assert (await ask(client, "Where does the tail of a comet point?", k=1))[0]["document"][
        "name"
    ] == "comet.txt"
    for existing in (folder / "sub", other):
        refusal = await refusal_of(
            client, "POST", f"collections/{made['id']}/sources", {"path": str(existing)}
        )
        assert refusal.status == 409


async def test_hits_have_document_chunk_position_heading_and_score(shared: Serving, folder: Path) -> None:
    client = await new_user(shared)
    collection_id, _ = await index(client, folder)
    (hit, *_rest) = await ask(client, "How do bees survive the winter?", collection_ids=[collection_id], k=3)
    assert hit["document"]["name"] == "bees.md"
    assert "cluster" in hit["passage"]
    assert hit["heading"] == "Bees › Winter"
    assert TEXTS["bees.md"][hit["start"] : hit["end"]] == hit["passage"]
    assert hit["collection"] == {"id": collection_id, "name": "Documents"}
    assert 0.3 < hit["score"] <= 1


async def test_search_applies_offset_threshold_and_filters(shared: Serving, folder: Path) -> None:
    client = await new_user(shared)
    await index(client, folder)
    names = [hit["document"]["name"] for hit in await ask(client, "water and the moon", k=3)]
    assert names[0] == "tides.txt" and len(names) == 3
    paged = [
        (await ask(client, "water and the moon", k=1, offset=n))[0]["document"]["name"] for n in range(3)
    ]
    assert paged == names
    scores = [hit["score"] for hit in await ask(client, "water and the moon", score_threshold=0.2)]
    assert scores and min(scores) >= 0.2
    filters_by_name = {
        "bees.md": {"extensions": [".MD"]},
        "tides.txt": {"path_glob": "sub/*"},
        "bread.txt": {"path_glob": "b*.txt"},
    }
    for name, filters in filters_by_name.items():
        hits = await ask(client, "water and the moon", filters=filters)
        assert {hit["document"]["name"] for hit in hits} == {name}
    assert await ask(client, "moon", filters={"modified_before": "2001-01-01"}) == []
    assert len(await ask(client, "moon", filters={"modified_after": "2001-01-01T00:00:00Z"})) == 3


async def test_documents_are_paginated_and_filtered_by_status_and_name(shared: Serving, folder: Path) -> None:
    client = await new_user(shared)
    (folder / "nothing.txt").write_text("")
    collection_id, _ = await index(client, folder)
    path = f"collections/{collection_id}/documents"
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = await client.call("GET", path, limit=1, **cursor)
        seen += [item["name"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert seen == ["bees.md", "bread.txt", "nothing.txt", "tides.txt"]
    skipped = (await client.call("GET", path, status="skipped"))["items"]
    assert [(item["name"], item["error"]["category"]) for item in skipped] == [("nothing.txt", "empty")]
    named = (await client.call("GET", path, name="BEES"))["items"]
    assert [item["name"] for item in named] == ["bees.md"]
    content = await client.call("GET", f"{path}/{named[0]['id']}/content", limit=10)
    assert content == {
        "text": "# Bees\n\n##",
        "offset": 0,
        "length": len(TEXTS["bees.md"]),
        "next_offset": 10,
    }
    for query in ({"status": "lost"}, {"limit": 0}, {"limit": "x"}, {"cursor": "x"}, {"wrong": 1}):
        assert (await refusal_of(client, "GET", path, **query)).status == 422


async def test_resources_of_another_user_are_not_found(shared: Serving, folder: Path) -> None:
    owner, stranger = await new_user(shared), await new_user(shared)
    made = await owner.call("POST", "collections", {"name": "Mine", "source_path": str(folder)})
    [_ async for _ in owner.watch(made["operation_id"])]
    document = next(iter((await documents(owner, made["id"])).values()))
    for method, path in [
        ("GET", f"collections/{made['id']}"),
        ("PATCH", f"collections/{made['id']}"),
        ("DELETE", f"collections/{made['id']}"),
        ("GET", f"collections/{made['id']}/sources"),
        ("GET", f"collections/{made['id']}/documents"),
        ("GET", f"collections/{made['id']}/documents/{document['id']}"),
        ("GET", f"collections/{made['id']}/documents/{document['id']}/content"),
        ("GET", f"operations/{made['operation_id']}"),
        ("DELETE", f"operations/{made['operation_id']}"),
    ]:
        body = {} if method == "PATCH" else None
        assert (await refusal_of(stranger, method, path, body)).status == 404, path
    refusal = await refusal_of(stranger, "POST", "search", {"query": "bees", "collection_ids": [made["id"]]})
    assert refusal.status == 404
    assert await ask(stranger, "bees") == []
    assert (await stranger.call("GET", "operations"))["items"] == []
    with pytest.raises(Refused, match="no operation") as refused:
        [_ async for _ in stranger.watch(made["operation_id"])]
    assert refused.value.status == 1008
    assert len((await owner.call("GET", "operations", collection_id=made["id"]))["items"]) == 1


async def test_health_reports_that_all_stores_are_available(shared: Serving) -> None:
    state = await Client(shared.url).call("GET", "health")
    assert (state["status"], state["mongo"], state["redis"]) == ("ok", True, True)
    assert state["engine"] is None
