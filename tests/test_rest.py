"""The REST doors on a real server: collections, documents, search, problems, and who may see what."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import Serving, ask, documents, index, new_user
from tornado.httpclient import AsyncHTTPClient

from semantik.client import Client, Refused

pytestmark = pytest.mark.gen_test(timeout=90)

CHUNK_SIZE = "a whole number from 16 to 100000 is expected."

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


async def _refusal(client: Client, method: str, path: str, body: Any = None, **query: Any) -> Refused:
    with pytest.raises(Refused) as refused:
        await client.call(method, path, body, **query)
    return refused.value


async def test_a_collection_lives_from_creation_to_deletion(shared: Serving, folder: Path) -> None:
    client = await new_user(shared)
    collection_id, _ = await index(client, folder, "Life")
    view = await client.call("GET", f"collections/{collection_id}")
    assert (view["status"], view["document_count"], view["owner"]) == ("ready", 3, True)
    assert view["active_operation_id"] is None
    changed = await client.call("PATCH", f"collections/{collection_id}", {"name": "Afterlife"})
    assert changed["name"] == "Afterlife"
    assert (await _refusal(client, "POST", "collections", {"name": "AFTERLIFE"})).status == 409
    listed = await client.call("GET", "collections")
    assert [item["name"] for item in listed["items"]] == ["Afterlife"]
    sources = await client.call("GET", f"collections/{collection_id}/sources")
    assert [(s["path"], s["document_count"]) for s in sources["items"]] == [(str(folder), 3)]
    await client.call("DELETE", f"collections/{collection_id}")
    assert (await _refusal(client, "GET", f"collections/{collection_id}")).status == 404
    assert await ask(client, "bees") == []
    made = await client.call("POST", "collections", {"name": "Afterlife"})
    assert (made["operation_id"], made["status"]) == (None, "empty")


async def test_a_second_folder_is_indexed_into_the_same_collection(shared: Serving, folder: Path) -> None:
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
    for known in (folder / "sub", other):
        refusal = await _refusal(client, "POST", f"collections/{made['id']}/sources", {"path": str(known)})
        assert refusal.status == 409


async def test_hits_carry_all_that_a_reader_needs(shared: Serving, folder: Path) -> None:
    client = await new_user(shared)
    collection_id, _ = await index(client, folder)
    (hit, *_rest) = await ask(client, "How do bees survive the winter?", collection_ids=[collection_id], k=3)
    assert hit["document"]["name"] == "bees.md"
    assert "cluster" in hit["passage"]
    assert hit["heading"] == "Bees › Winter"
    assert TEXTS["bees.md"][hit["start"] : hit["end"]] == hit["passage"]
    assert hit["collection"] == {"id": collection_id, "name": "Documents"}
    assert 0.3 < hit["score"] <= 1


async def test_search_pages_thresholds_and_filters(shared: Serving, folder: Path) -> None:
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
    wanted = {
        "bees.md": {"extensions": [".MD"]},
        "tides.txt": {"path_glob": "sub/*"},
        "bread.txt": {"path_glob": "b*.txt"},
    }
    for name, filters in wanted.items():
        hits = await ask(client, "water and the moon", filters=filters)
        assert {hit["document"]["name"] for hit in hits} == {name}
    assert await ask(client, "moon", filters={"modified_before": "2001-01-01"}) == []
    assert len(await ask(client, "moon", filters={"modified_after": "2001-01-01T00:00:00Z"})) == 3


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ({}, "query"),
        ({"query": "  "}, "query"),
        ({"query": "x" * 10_001}, "10000"),
        ({"query": "x", "k": 0}, "k"),
        ({"query": "x", "k": 900, "offset": 900}, "offset"),
        ({"query": "x", "k": "many"}, "k"),
        ({"query": "x", "score_threshold": 2}, "score_threshold"),
        ({"query": "x", "filters": {"modified_after": "yesterday"}}, "ISO 8601"),
        (
            {"query": "x", "filters": {"colour": "red"}},
            "filters.colour is not known here; known are extensions,",
        ),
        ({"query": "x", "filters": []}, "filters (a list) is not allowed: an object is expected"),
        (
            {"query": "x", "filters": {"extensions": [".md", 7]}},
            "filters.extensions[1] = 7 is not allowed: a file",
        ),
        (
            {"query": "x", "filters": {"path_glob": ""}},
            'filters.path_glob = "" is not allowed: a text of 1 to 1000',
        ),
        (
            {"query": "x", "collection_ids": "x"},
            'collection_ids = "x" is not allowed: a list of at most 1000',
        ),
        ({"query": "x", "bogus": 1}, "bogus"),
        ({"query": "\ud800"}, "surrogate"),
        ({"query": "x", "collection_ids": ["\udfff"]}, "surrogate"),
        ({"query": "x", "k": True}, "k"),
        ({"query": "x", "score_threshold": 10**400}, "score_threshold"),
        ({"query": "x", "score_threshold": float("nan")}, "score_threshold"),
        ({"query": "x", "filters": {"modified_after": "9999-12-31"}}, "year"),
        ({"query": "x", "filters": {"modified_before": "0001-01-01"}}, "ISO 8601|year"),
    ],
)
async def test_a_bad_search_is_told_what_is_wrong(shared: Serving, body: dict[str, Any], word: str) -> None:
    refusal = await _refusal(await new_user(shared), "POST", "search", body)
    assert refusal.status == 422
    assert any(each in str(refusal) for each in word.split("|"))


async def test_documents_are_listed_by_status_name_and_page(shared: Serving, folder: Path) -> None:
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
        assert (await _refusal(client, "GET", path, **query)).status == 422


async def test_nobody_sees_what_is_another_users(shared: Serving, folder: Path) -> None:
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
        assert (await _refusal(stranger, method, path, body)).status == 404, path
    refusal = await _refusal(stranger, "POST", "search", {"query": "bees", "collection_ids": [made["id"]]})
    assert refusal.status == 404
    assert await ask(stranger, "bees") == []
    assert (await stranger.call("GET", "operations"))["items"] == []
    with pytest.raises(Refused, match="no operation") as closed:
        [_ async for _ in stranger.watch(made["operation_id"])]
    assert closed.value.status == 1008
    assert len((await owner.call("GET", "operations", collection_id=made["id"]))["items"]) == 1


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({}, "name is missing."),
        ({"name": " "}, "name must have 1 to 200 printable characters."),
        ({"name": None}, "name = null is not allowed: a text is expected."),
        ({"name": "x", "chunk_size": 15}, "chunk_size = 15 is not allowed: " + CHUNK_SIZE),
        ({"name": "x", "chunk_size": True}, "chunk_size = true is not allowed: " + CHUNK_SIZE),
        ({"name": "x", "chunk_size": 10**400}, f"chunk_size = 1{'0' * 59}… is not allowed: " + CHUNK_SIZE),
        ({"name": "x", "chunk_size": float("inf")}, "chunk_size = Infinity is not allowed: " + CHUNK_SIZE),
        ({"name": "x", "chunk_size": {}}, "chunk_size (an object) is not allowed: " + CHUNK_SIZE),
        (
            {"name": "x", "chunk_size": 20, "chunk_overlap": 20},
            "chunk_overlap (20) must be less than chunk_size (20).",
        ),
        (
            {"name": "x", "embedding_model": ""},
            'embedding_model = "" is not allowed: a text of 1 to 500 characters is expected.',
        ),
        (
            {"name": "x", "colour": "red"},
            "colour is not known here; known are chunk_overlap, chunk_size, description, embedding_model, name, "
            "source_path.",
        ),
    ],
)
async def test_a_bad_wish_for_a_collection_is_refused_with_what_is_allowed(
    shared: Serving, body: dict[str, Any], sentence: str
) -> None:
    client = await new_user(shared)
    refusal = await _refusal(client, "POST", "collections", body)
    assert (refusal.status, str(refusal)) == (422, sentence)
    assert (await client.call("GET", "collections"))["items"] == []


async def test_a_bad_query_or_address_is_refused_with_what_is_allowed(shared: Serving) -> None:
    client = await new_user(shared)
    limits = "a whole number from 1 to 500 is expected."
    for path, sentence in [
        ("collections?limit=0", f'limit = "0" is not allowed: {limits}'),
        (
            "collections?limit=99999999999999999999",
            f'limit = "99999999999999999999" is not allowed: {limits}',
        ),
        ("collections?limit=1&limit=x", f'limit = "x" is not allowed: {limits}'),
        ("collections?limit=%ed%a0%80", "The query's parameter limit is not UTF-8."),
        ("collections?cursor=%ff", "The query's parameter cursor is not UTF-8."),
        ("collections?%ff=1", "ÿ is not known here; known are cursor, limit."),
        ("collections/%ed%a0%80", "The address is not UTF-8."),
    ]:
        refusal = await _refusal(client, "GET", path)
        assert (refusal.status, str(refusal)) == (422, sentence)


async def test_no_refusal_repeats_a_password(shared: Serving) -> None:
    body = {"username": "x", "password": ["my secret"], "refresh_token": "my secret"}
    refusal = await _refusal(Client(shared.url), "POST", "auth/login", body)
    assert "password is not allowed: a text is expected" in str(refusal)
    assert "my secret" not in str(refusal)


async def test_every_error_is_a_problem_document(shared: Serving) -> None:
    http = AsyncHTTPClient()
    client = await new_user(shared)
    signed = {"Authorization": f"Bearer {client.token}"}
    for method, path, body, headers, status in [
        ("GET", "/nowhere", None, {}, 404),
        ("GET", "/static/nothing.js", None, {}, 404),
        ("GET", "/static/%00", None, {}, 404),
        ("GET", "/static/%ff", None, {}, 422),
        ("GET", "/static/../base.py", None, {}, 403),
        ("POST", "/api/v2/auth/login", "{}", {"Origin": "http://["}, 403),
        ("GET", "/api/v2/collections", None, {}, 401),
        ("PUT", "/api/v2/collections", "{}", signed, 405),
        ("POST", "/api/v2/search", "{not json", signed, 422),
        ("POST", "/api/v2/search", "[" * 100_000, signed, 422),
        ("POST", "/api/v2/search", '{"query":' + "[" * 970 + "]" * 970 + "}", signed, 422),
        ("POST", "/api/v2/search", "\xff\xfe", signed, 422),
        ("POST", "/api/v2/search", "x" * 1_100_000, signed, 413),
    ]:
        answer = await http.fetch(
            shared.url + path,
            method=method,
            body=body,
            headers=headers,
            raise_error=False,
            allow_nonstandard_methods=True,
        )
        problem = json.loads(answer.body)
        assert (answer.code, problem["status"]) == (status, status), path
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert problem["detail"] and problem["title"]
        assert "Traceback" not in problem["detail"]


async def test_health_tells_that_all_parts_are_there(shared: Serving) -> None:
    state = await Client(shared.url).call("GET", "health")
    assert (state["status"], state["mongo"], state["redis"]) == ("ok", True, True)


@pytest.mark.gen_test(timeout=90)
async def test_a_chunk_size_that_the_model_cannot_read_is_told_as_it_is_used(
    shared: Serving, tmp_path: Path
) -> None:
    (tmp_path / "note.txt").write_text("The lighthouse is painted every second spring.")
    client = await new_user(shared)
    wish = {"name": "Large", "source_path": str(tmp_path), "chunk_size": 5000, "chunk_overlap": 1000}
    made = await client.call("POST", "collections", wish)
    assert [frame async for frame in client.watch(made["operation_id"])][-1]["status"] == "completed"
    view = await client.call("GET", f"collections/{made['id']}")
    assert (view["chunk_size"], view["chunk_overlap"]) == (254, 63)
    [warning] = (await client.call("GET", f"operations/{made['operation_id']}"))["warnings"]
    assert warning.startswith("chunk_size was 5000, but ") and "reads 254 tokens" in warning
