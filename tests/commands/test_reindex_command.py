"""`bin/semantik-reindex`: beside a server, over the URL of a server, and without a server."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from support.api import PASSWORD, ask, documents, index, new_user
from support.programs import run_program
from support.server import ROOT, Serving

from semantik.client.api import Client

pytestmark = pytest.mark.gen_test

OPEN = ("--auth-registration", "open")


async def _run(*arguments: str, env: dict[str, str] | None = None) -> tuple[int, str, str]:
    program = ROOT / "bin" / "semantik-reindex"
    return await run_program(program, *arguments, env={**os.environ, **(env or {})})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    home = tmp_path / "log"
    home.mkdir()
    for number in range(4):
        text = " ".join(f"On day {day} of voyage {number} the wind came from the west." for day in range(40))
        (home / f"voyage-{number}.txt").write_text(text)
    return home


async def test_reindex_beside_a_server_and_without_one(start: Callable[..., Serving], folder: Path) -> None:
    serving = start(*OPEN)
    client = await new_user(serving)
    username = (await client.call("GET", "auth/me"))["username"]
    collection_id, _ = await index(client, folder, "Voyages")
    data = ("--data", str(serving.data))
    status, out, err = await _run("voyages", "--chunk-size", "40", "--wait", *data)
    assert (status, err) == (0, "") and "Voyages: done." in out
    view = await client.call("GET", f"collections/{collection_id}")
    assert (view["chunk_size"], view["generation"]) == (40, 2)
    status, out, err = await _run(collection_id, "--model", "/no/model", "--wait", *data)
    assert status == 1 and "/no/model" in err and "Traceback" not in err
    status, out, err = await _run("Elsewhere", *data)
    assert (status, out) == (2, "") and "no collection 'Elsewhere'" in err

    assert serving.stop() == 0
    status, out, err = await _run("--all", "--chunk-size", "60", *data)
    assert (status, err) == (0, "") and "Voyages: done." in out
    client = Client(start(*OPEN).url)
    await client.sign_in(username, PASSWORD)
    view = await client.call("GET", f"collections/{collection_id}")
    assert (view["chunk_size"], view["generation"], view["document_count"]) == (60, 3, 4)
    assert len(await ask(client, "Where did the wind come from?", k=4)) == 4
    assert {one["status"] for one in (await documents(client, collection_id)).values()} == {"indexed"}


async def test_reindex_over_the_url_of_a_server_with_an_api_key(shared: Serving, folder: Path) -> None:
    client = await new_user(shared)
    collection_id, _ = await index(client, folder, "Voyages")
    key = (await client.call("POST", "api-keys", {"name": "night", "scopes": ["write"]}))["key"]
    address = ("--url", shared.url)
    status, out, err = await _run(
        "Voyages", "--chunk-size", "30", "--wait", *address, env={"SEMANTIK_API_KEY": key}
    )
    assert (status, err) == (0, "") and "Voyages: done." in out
    assert (await client.call("GET", f"collections/{collection_id}"))["chunk_size"] == 30
    status, _, err = await _run("Voyages", *address, "--api-key", f"{key[:-4]}0000")
    assert status == 1 and "API key" in err
    status, _, err = await _run(
        "Voyages", "--chunk-size", "30", "--chunk-overlap", "30", *address, "--api-key", key
    )
    assert status == 1 and "chunk_overlap (30) must be less" in err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "name collections, or --all"),
        (("one", "--all"), "name collections, or --all"),
        (("one", "--chunk-size", "3", "--data", "/nonexistent"), "--chunk-size 3 is not allowed"),
        (("one", "--data", "/nonexistent/semantik"), "/nonexistent/semantik does not exist"),
        (("one", "--url", "http://127.0.0.1:9"), "give --username"),
        (("one", "--api-key", "x"), "--url"),
        (("one", "--api-key", "x", "--url", "localhost"), "is not the URL of a server"),
        (("one", "--api-key", "x", "--url", "ftp://localhost"), "is not the URL of a server"),
        (("one", "--api-key", "x", "--url", "http://[::1"), "is not the URL of a server"),
        (("one", "--api-key", "x", "--url", "http://a..b"), "is not the URL of a server"),
        (("one", "--api-key", "x", "--url", ""), "is not the URL of a server"),
        (("one", "--api-key", "k\u00eb\u0177", "--url", "http://127.0.0.1:9"), "The API key has characters"),
        (("one", "--api-key", "x\ny", "--url", "http://127.0.0.1:9"), "The API key has characters"),
    ],
)
async def test_misuse_is_reported_without_a_traceback(arguments: tuple[str, ...], words: str) -> None:
    status, out, err = await _run(*arguments)
    assert (status, out) == (2, "") and words in err and "Traceback" not in err


async def test_an_unreachable_server_is_reported() -> None:
    status, _, err = await _run("one", "--url", "http://127.0.0.1:9", "--api-key", "x")
    assert status == 1 and "does not answer" in err
