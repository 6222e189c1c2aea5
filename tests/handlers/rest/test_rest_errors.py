"""The REST handlers on a real server: invalid requests, and the problem documents that answer them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from support.api import new_user, refusal_of
from support.server import Serving
from tornado.httpclient import AsyncHTTPClient

from semantik.client.api import Client

pytestmark = pytest.mark.gen_test
CHUNK_SIZE = "a whole number from 16 to 100000 is expected."


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
            "filters.colour is not known here; known are after, authors, before, extensions,",
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
async def test_invalid_search_gets_422_that_names_the_fault(
    shared: Serving, body: dict[str, Any], word: str
) -> None:
    refusal = await refusal_of(await new_user(shared), "POST", "search", body)
    assert refusal.status == 422
    assert any(each in str(refusal) for each in word.split("|"))


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
            "server, source_path.",
        ),
    ],
)
async def test_invalid_collection_options_get_422_that_says_what_is_allowed(
    shared: Serving, body: dict[str, Any], sentence: str
) -> None:
    client = await new_user(shared)
    refusal = await refusal_of(client, "POST", "collections", body)
    assert (refusal.status, str(refusal)) == (422, sentence)
    assert (await client.call("GET", "collections"))["items"] == []


async def test_unexpected_operation_options_get_422_that_says_what_is_expected(
    shared: Serving, tmp_path: Path
) -> None:
    client = await new_user(shared)
    made = await client.call("POST", "collections", {"name": "x"})
    refusal = await refusal_of(client, "POST", f"collections/{made['id']}/retry", {"x": 1})
    assert (refusal.status, str(refusal)) == (422, "x is not known here; nothing is expected.")
    headers = {"Authorization": f"Bearer {client.token}"}
    url = f"{shared.url}/api/v2/collections/{made['id']}/reindex"
    body = '{"chunk_size": ' + "9" * 5000 + "}"
    answer = await AsyncHTTPClient().fetch(url, method="POST", body=body, headers=headers, raise_error=False)
    assert answer.code == 422
    assert json.loads(answer.body)["detail"] == "The body has a number of too many digits."


async def test_invalid_parameters_and_paths_get_422_that_says_what_is_allowed(shared: Serving) -> None:
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
        refusal = await refusal_of(client, "GET", path)
        assert (refusal.status, str(refusal)) == (422, sentence)


async def test_errors_never_repeat_a_password(shared: Serving) -> None:
    body = {"username": "x", "password": ["my secret"], "refresh_token": "my secret"}
    refusal = await refusal_of(Client(shared.url), "POST", "auth/login", body)
    assert "password is not allowed: a text is expected" in str(refusal)
    assert "my secret" not in str(refusal)


async def test_every_error_is_a_problem_document(shared: Serving) -> None:
    http = AsyncHTTPClient()
    client = await new_user(shared)
    bearer = {"Authorization": f"Bearer {client.token}"}
    for method, path, body, headers, status in [
        ("GET", "/nowhere", None, {}, 404),
        ("GET", "/static/nothing.js", None, {}, 404),
        ("GET", "/static/%00", None, {}, 404),
        ("GET", "/static/%ff", None, {}, 422),
        ("GET", "/static/../base.py", None, {}, 403),
        ("POST", "/api/v2/auth/login", "{}", {"Origin": "http://["}, 403),
        ("GET", "/api/v2/collections", None, {}, 401),
        ("PUT", "/api/v2/collections", "{}", bearer, 405),
        ("POST", "/api/v2/search", "{not json", bearer, 422),
        ("POST", "/api/v2/search", "[" * 100_000, bearer, 422),
        ("POST", "/api/v2/search", '{"query":' + "[" * 970 + "]" * 970 + "}", bearer, 422),
        ("POST", "/api/v2/search", "\xff\xfe", bearer, 422),
        ("POST", "/api/v2/search", "x" * 1_100_000, bearer, 413),
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


@pytest.mark.gen_test
async def test_chunk_size_over_the_limit_of_the_model_is_reduced_with_a_warning(
    shared: Serving, tmp_path: Path
) -> None:
    (tmp_path / "note.txt").write_text("The lighthouse is painted every second spring.")
    client = await new_user(shared)
    options = {"name": "Large", "source_path": str(tmp_path), "chunk_size": 5000, "chunk_overlap": 1000}
    made = await client.call("POST", "collections", options)
    assert [message async for message in client.watch(made["operation_id"])][-1]["status"] == "completed"
    view = await client.call("GET", f"collections/{made['id']}")
    assert (view["chunk_size"], view["chunk_overlap"]) == (254, 63)
    [warning] = (await client.call("GET", f"operations/{made['operation_id']}"))["warnings"]
    assert warning.startswith("chunk_size was 5000, but ") and "reads 254 tokens" in warning
