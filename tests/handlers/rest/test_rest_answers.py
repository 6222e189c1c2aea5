"""`POST /answers` with an endpoint that is a process of its own: it streams, is silent, fails and dies."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.answer_endpoint import Endpoint, answer_endpoint
from support.api import index, new_user, refusal_of
from support.people import new_administrator
from support.server import Serving, serve
from tornado.httpclient import AsyncHTTPClient, HTTPResponse

from semantik.client.api import Client

pytestmark = pytest.mark.gen_test
_FACT = "The generator of the north station runs for forty hours on one tank."
_OTHER = "The generator of the south station runs for nine hours on one tank."
_QUESTION = "How many hours does the generator run on one tank?"
Event = tuple[str, dict[str, Any]]


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    with answer_endpoint(tmp_path_factory.mktemp("endpoint")) as endpoint:
        yield endpoint


@pytest.fixture(scope="module")
def answering(endpoint: Endpoint, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A server with that endpoint."""
    folder = tmp_path_factory.mktemp("answering")
    flags = ("--auth-registration", "open", "--answers-url", endpoint.url, "--answers-silence-s", "0.5")
    key = {"SEMANTIK_ANSWERS_API_KEY": "of-the-endpoint"}
    serving = serve(folder / "data", *flags, "--answers-model", "small", env=key)
    yield serving
    assert serving.stop() == 0


async def _ask(client: Client, question: str = _QUESTION, **more: Any) -> HTTPResponse:
    return await AsyncHTTPClient().fetch(
        f"{client.url}/api/v2/answers",
        method="POST",
        body=json.dumps({"question": question, **more}),
        headers={"Authorization": f"Bearer {client.token}"},
        raise_error=False,
        request_timeout=60,
    )


async def _events(client: Client, question: str = _QUESTION, **more: Any) -> list[Event]:
    answer = await _ask(client, question, **more)
    assert answer.code == 200, answer.body
    assert answer.headers["Content-Type"] == "text/event-stream"
    found = []
    for block in answer.body.decode().split("\n\n"):
        if block and not block.startswith(":"):
            name, data = block.split("\n")
            found.append((name.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
    return found


async def _documents(serving: Serving, folder: Path, **texts: str) -> tuple[Client, str]:
    folder.mkdir()
    for name, text in texts.items():
        (folder / f"{name}.txt").write_text(text)
    user = await new_user(serving)
    return user, (await index(user, folder))[0]


async def test_sentences_come_with_their_passages(
    answering: Serving, endpoint: Endpoint, tmp_path: Path
) -> None:
    user, collection_id = await _documents(answering, tmp_path / "own", north=_FACT)
    stranger, _ = await _documents(answering, tmp_path / "foreign", south=_OTHER)
    known = len(endpoint.requests())
    first, *sentences, last = await _events(user)
    [passage] = first[1]["passages"]
    assert (first[0], passage["number"], passage["passage"]) == ("passages", 1, _FACT)
    chunk_id = f"{collection_id}:{passage['seq']}"
    assert passage["chunk_id"] == chunk_id
    cited = [{"number": 1, "chunk_id": chunk_id}]
    assert sentences == [
        ("sentence", {"text": f"They say: {_FACT}", "citations": cited}),
        ("sentence", {"text": "All is said.", "citations": cited}),
    ]
    assert last == ("end", {"outcome": "answered", "message": None, "omitted": 2, "cut": False})
    [request] = endpoint.requests()[known:]
    sent = json.dumps(request["messages"])
    assert _FACT in sent and _OTHER not in sent and str(tmp_path) not in sent
    assert request["stream"] is True and request["model"] == "small"
    assert request["authorization"] == "Bearer of-the-endpoint"
    assert (
        await refusal_of(stranger, "POST", "answers", {"question": "x", "collection_ids": [collection_id]})
    ).status == 404
    assert len(endpoint.requests()) == known + 1


async def test_weak_matches_are_not_sent(answering: Serving, endpoint: Endpoint, tmp_path: Path) -> None:
    user, _ = await _documents(answering, tmp_path / "own", north=_FACT)
    known = len(endpoint.requests())
    missing = {
        "outcome": "not_in_documents",
        "message": "This is not in your documents.",
        "omitted": 0,
        "cut": False,
    }
    for question in ("Who painted the ceiling of the chapel in Rome?", "type:pdf generator"):
        assert await _events(user, question) == [("passages", {"passages": []}), ("end", missing)]
    assert len(endpoint.requests()) == known
    refusal = await refusal_of(user, "POST", "answers", {"question": ""})
    assert refusal.status == 422 and "question" in str(refusal)


@pytest.mark.parametrize(
    ("way", "outcome"),
    [
        ("unknown", "not_in_documents"),
        ("uncited", "not_in_documents"),
        ("long", "answered"),
        ("silent", "sent nothing for 0.5 s (answers.silence_s)"),
        ("dies", "broke off in the middle"),
        ("garbage", "sent what is no chunk of a chat completion"),
        ("fails", "reports an error: out of memory"),
        ("missing", "answers 404: model 'small' not found."),
        ("other", "sent no stream of chat completion chunks; is it OpenAI-compatible?"),
    ],
)
async def test_what_endpoints_do(
    answering: Serving, endpoint: Endpoint, tmp_path: Path, way: str, outcome: str
) -> None:
    user, _ = await _documents(answering, tmp_path / "own", north=_FACT)
    endpoint.behave(way)
    events = await _events(user)
    endpoint.behave("cites")
    (name, data), texts = events[-1], [data["text"] for name, data in events if name == "sentence"]
    if name == "end":
        assert data["outcome"] == outcome and data["cut"] == (way == "long")
        assert data["omitted"] == (2 if way == "uncited" else 0)
        assert texts == (["The first sentence."] if way == "long" else [])
    else:
        assert name == "error" and data["status"] == 503 and outcome in data["detail"]
        assert texts == ([] if way in ("missing", "other") else ["The beginning is there."])


async def test_as_many_answers_as_may_be_and_the_audit_trail(
    start: Callable[..., Serving], tmp_path: Path
) -> None:
    with answer_endpoint(tmp_path) as endpoint:
        endpoint.behave("silent")
        flags = ("--answers-url", endpoint.url, "--answers-concurrent", "1")
        serving = start("--auth-registration", "open", *flags)
        user, collection_id = await _documents(serving, tmp_path / "own", north=_FACT)
        waiting = asyncio.ensure_future(_ask(user))
        await asyncio.to_thread(endpoint.wait_for_request)
        refusal = await _ask(user)
        assert refusal.code == 429 and refusal.headers["Retry-After"] == "5"
        assert "answers.concurrent" in json.loads(refusal.body)["detail"]
        administrator = await new_administrator(serving)
        assert serving.stop() == 0  # an answer does not hold it up
        answer = await asyncio.gather(waiting, return_exceptions=True)
        assert b"event: error" in getattr(answer[0], "body", b"event: error")
    serving = start("--answers-url", endpoint.url)  # where nothing listens any more
    again = Client(serving.url, user.token)
    [_, (name, data)] = await _events(again)
    assert name == "error" and "cannot be reached" in data["detail"]
    assert serving.stop() == 0
    serving = start()
    assert (
        await refusal_of(Client(serving.url, user.token), "POST", "answers", {"question": "x"})
    ).status == 404
    events = (await Client(serving.url, administrator.token).call("GET", "audit", action="answer.ask"))[
        "items"
    ]
    assert {"passages": 1, "collections": collection_id} in [event["details"] for event in events]
    assert "generator" not in json.dumps(events)
