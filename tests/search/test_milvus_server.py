"""Servers with their vectors in Milvus: the same hits as with local segments, through outages, rebuilds and REINDEX."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.api import PASSWORD, ask, index, refusal_of
from support.milvus import Milvus, running_milvus
from support.patience import deadline, patience
from support.programs import run_program
from support.server import ROOT, SETUP_CODE, Serving, serve

from semantik.client.api import Client
from semantik.client.websocket import Refused
from semantik.core.errors import Unavailable
from semantik.index.milvus import milvus_registry

pytestmark = pytest.mark.gen_test

_WORDS = [
    "anchor",
    "bollard",
    "capstan",
    "dinghy",
    "ensign",
    "fender",
    "gunwale",
    "halyard",
    "inlet",
    "jetty",
]
_WORDS += ["keel", "lantern", "mast", "oar", "pump", "rope"]
_DOCUMENTS = 150
_QUERIES = 30


@pytest.fixture(scope="module")
def milvus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Milvus]:
    with running_milvus(tmp_path_factory.mktemp("milvus")) as server:
        yield server


def _flags(milvus: Milvus, **changes: Any) -> tuple[str, ...]:
    given = milvus.settings(**changes)
    return (
        *("--index-engine", "milvus", "--milvus-url", given.url, "--milvus-prefix", given.prefix),
        *("--milvus-index-type", given.index_type, "--milvus-timeout-s", f"{given.timeout_s:g}"),
        *("--milvus-catch-up", str(given.catch_up)),
    )


def _write(folder: Path, numbers: range = range(_DOCUMENTS)) -> None:
    folder.mkdir(exist_ok=True)
    for number in numbers:
        rng = random.Random(number)
        text = ". ".join(" ".join(rng.choices(_WORDS, k=12)) for _ in range(6))
        (folder / f"{number}.{'md' if number % 3 else 'txt'}").write_text(f"{text}.\n")


async def _signed_in(serving: Serving) -> Client:
    client = Client(serving.url)
    await client.register("somebody@example.com", PASSWORD, SETUP_CODE)
    await client.sign_in("somebody@example.com", PASSWORD)
    return client


async def _completed(client: Client, operation_id: str) -> None:
    messages = [message async for message in client.watch(operation_id)]
    assert "operation_completed" in {message["type"] for message in messages}, messages[-2:]


async def _until(answer: Callable[[], Awaitable[bool]]) -> None:
    async with deadline():
        while not await answer():  # noqa: ASYNC110 (a server tells no event)
            await asyncio.sleep(0.05)


def _queries() -> list[str]:
    rng = random.Random(5)
    return [" ".join(rng.choices(_WORDS, k=rng.choice([1, 2, 3, 5]))) for _ in range(_QUERIES)]


async def _all_hits(client: Client, collection: str, **more: Any) -> list[list[tuple[str, str]]]:
    found = []
    for query in _queries():
        hits = await ask(client, query, collection_ids=[collection], **more)
        found.append([(hit["document"]["name"], hit["passage"]) for hit in hits])
    return found


def _assert_congruent(one: list[list[Any]], other: list[list[Any]]) -> None:
    assert all(len(a) == len(b) for a, b in zip(one, other, strict=True))
    shared = sum(len(set(a) & set(b)) for a, b in zip(one, other, strict=True))
    assert shared >= 0.95 * sum(map(len, one)) > 0


async def test_hits_are_those_of_local_segments(
    start: Callable[..., Serving], milvus: Milvus, tmp_path: Path
) -> None:
    folder = tmp_path / "documents"
    _write(folder)
    local = serve(tmp_path / "local")
    try:
        with_engine = start(*_flags(milvus))
        clients = [await _signed_in(each) for each in (local, with_engine)]
        collections = [(await index(client, folder))[0] for client in clients]
        txt = {"extensions": [".txt"]}
        variants: list[dict[str, Any]] = [
            {},
            {"mode": "meaning"},
            {"filters": txt},
            {"mode": "meaning", "filters": txt},
        ]
        for step in range(3):
            for more in variants:
                found = [await _all_hits(*each, **more) for each in zip(clients, collections, strict=True)]
                _assert_congruent(*found)
                names = {name for hits in found[1] for name, _ in hits}
                assert not more.get("filters") or all(name.endswith(".txt") for name in names)
                if step:
                    assert "0.txt" not in names and "7.md" not in names
            for client, collection in zip(clients, collections, strict=True):
                if operation := await _change(client, collection, folder, step):
                    await _completed(client, operation)
        shown = await clients[1].call("GET", f"collections/{collections[1]}")
        assert shown["stats"]["engine"] == "milvus"
        assert not list((with_engine.data / "index").glob(f"{collections[1]}/*"))
    finally:
        local.stop()


async def _change(client: Client, collection: str, folder: Path, step: int) -> str | None:
    """Begin an APPEND that finds files gone and new, or a REINDEX; returns the operation's id."""
    body: dict[str, Any] = {}
    if step == 0:
        for gone in ("0.txt", "7.md"):
            (folder / gone).unlink(missing_ok=True)
        _write(folder, range(_DOCUMENTS, _DOCUMENTS + 20))
    elif step == 1:
        body = {"chunk_size": 32, "chunk_overlap": 0}
    else:
        return None
    begun = await client.call("POST", f"collections/{collection}/{('append', 'reindex')[step]}", body)
    operation_id: str = begun["operation_id"]
    return operation_id


@pytest.mark.noisy
@pytest.mark.parametrize(
    ("step", "stage"),
    [
        (0, "storing.published"),
        (0, "storing.vectors"),
        (0, "removal.marked"),
        (0, "removal.forgotten"),
        (1, "reindex.validated"),
        (1, "reindex.switched"),
    ],
)
async def test_a_crash_loses_and_doubles_nothing(
    start: Callable[..., Serving], milvus: Milvus, tmp_path: Path, step: int, stage: str
) -> None:
    folder = tmp_path / "documents"
    _write(folder, range(12))
    flags = (*_flags(milvus), "--reindex-grace-s", "0")
    serving = start(*flags)
    client = await _signed_in(serving)
    collection, _ = await index(client, folder)
    serving.stop()
    serving = start(*flags, env={"SEMANTIK_FAILPOINT": stage})
    client = await _again(serving)
    with suppress(Unavailable, Refused):  # the server may die before it answers
        await _change(client, collection, folder, step)
    await asyncio.to_thread(serving.process.wait, patience())
    client = await _again(start(*flags))

    async def rests() -> bool:
        return not (await client.call("GET", "operations", status="processing"))["items"]

    await _until(rests)
    shown = await client.call("GET", f"collections/{collection}")
    # A vector that was saved just before the crash may stay until a search finds it.
    assert shown["stats"]["vectors"] >= shown["chunk_count"] > 0
    found = {hit for hits in await _all_hits(client, collection, mode="meaning", k=500) for hit in hits}
    names = {name for name, _ in found}
    assert len(found) == shown["chunk_count"]
    assert names == {path.name for path in folder.iterdir()}


async def _again(serving: Serving) -> Client:
    client = Client(serving.url)
    await client.sign_in("somebody@example.com", PASSWORD)
    return client


@pytest.mark.noisy
async def test_searches_fail_clearly_and_indexing_waits_while_milvus_is_away(
    start: Callable[..., Serving], tmp_path: Path
) -> None:
    own = Milvus(tmp_path / "milvus")
    own.start()
    try:
        folder = tmp_path / "documents"
        _write(folder, range(20))
        flags = _flags(own, timeout_s=patience(2.0))
        serving = start(*flags)
        client = await _signed_in(serving)
        collection, _ = await index(client, folder)
        before = await _all_hits(client, collection, mode="meaning")
        own.kill()
        search = {"query": "anchor keel", "collection_ids": [collection]}
        refusal = await refusal_of(client, "POST", "search", {**search, "mode": "meaning"})
        assert refusal.status == 503 and f"Milvus at {own.url} does not answer" in str(refusal)
        hybrid = await client.call("POST", "search", search)
        assert hybrid["hits"] and hybrid["degraded"]
        assert await ask(client, "anchor", collection_ids=[collection], mode="words")
        serving.stop()  # nor does it have to be there when the server starts
        serving = start(*flags)
        client = await _again(serving)
        hybrid = await client.call("POST", "search", search)
        assert hybrid["hits"] and hybrid["degraded"]
        refusal = await refusal_of(client, "POST", "search", {**search, "mode": "meaning"})
        assert refusal.status == 503
        _write(folder, range(20, 40))
        begun = await client.call("POST", f"collections/{collection}/append", {})

        async def waits() -> bool:
            return "Milvus at" in serving.log.read_text().partition(" waits: ")[2]

        await _until(waits)
        assert (await client.call("GET", f"operations/{begun['operation_id']}"))["status"] == "processing"
        own.start()
        async with deadline():
            await _completed(client, begun["operation_id"])
        shown = await client.call("GET", f"collections/{collection}")
        assert shown["stats"]["vectors"] == shown["chunk_count"]
        found = await _all_hits(client, collection, mode="meaning")
        assert {name for hits in found for name, _ in hits} - {name for hits in before for name, _ in hits}
    finally:
        own.kill()


async def test_a_call_that_hangs_ends_at_its_deadline(start: Callable[..., Serving], tmp_path: Path) -> None:
    own = Milvus(tmp_path / "milvus")
    own.start()
    try:
        folder = tmp_path / "documents"
        _write(folder, range(5))
        client = await _signed_in(start(*_flags(own, timeout_s=patience(2.0))))
        collection, _ = await index(client, folder)
        own.pause()
        async with deadline():
            body = {"query": "keel", "collection_ids": [collection], "mode": "meaning"}
            refusal = await refusal_of(client, "POST", "search", body)
        assert refusal.status == 503 and "does not answer" in str(refusal)
        own.resume()
        await _until(partial(_answers, client, collection))
    finally:
        own.kill()


async def _answers(client: Client, collection: str) -> bool:
    try:
        return bool(await ask(client, "keel", collection_ids=[collection], mode="meaning"))
    except Refused as refused:
        assert refused.status == 503
        return False


async def test_milvus_is_filled_beside_the_local_index_which_answers_meanwhile(
    start: Callable[..., Serving], milvus: Milvus, tmp_path: Path
) -> None:
    folder = tmp_path / "documents"
    _write(folder)
    serving = start()
    client = await _signed_in(serving)
    collection, _ = await index(client, folder)
    before = await _all_hits(client, collection)
    serving.stop()
    serving = start(*_flags(milvus, catch_up=10))
    client = await _again(serving)
    _assert_congruent(await _all_hits(client, collection), before)
    async with deadline():
        while (await client.call("GET", f"collections/{collection}"))["stats"].get("engine") != "milvus":
            _assert_congruent(await _all_hits(client, collection), before)
    async with deadline():  # the next search frees the disk
        while list((serving.data / "index" / collection).glob("*")):
            await ask(client, "keel", collection_ids=[collection])
    _assert_congruent(await _all_hits(client, collection), before)


@pytest.mark.noisy
async def test_check_compares_milvus_with_mongodb_and_repair_mends_it(
    start: Callable[..., Serving], milvus: Milvus, tmp_path: Path
) -> None:
    folder = tmp_path / "documents"
    _write(folder, range(20))
    settings = milvus.settings()
    given = {"SEMANTIK_INDEX_ENGINE": "milvus"}
    for name in ("url", "prefix", "index_type"):
        given[f"SEMANTIK_MILVUS_{name.upper()}"] = getattr(settings, name)
    serving = start(env=given)
    client = await _signed_in(serving)
    collection, _ = await index(client, folder)
    before = await _all_hits(client, collection)
    serving.stop()
    program = (ROOT / "bin" / "semantik-cleanup", "--data", serving.data)
    check = partial(run_program, *program, "--check", env={**os.environ, **given})
    assert (await check())[0] == 0
    registry = milvus_registry(settings)
    damaged = await registry.open(collection, 1, 384)
    await damaged.delete([(2, 5)])
    extra = damaged.last_seq + 1
    vector = np.zeros((1, 384), np.float16)
    vector[0, 0] = 1
    await damaged.add(np.array([extra]), vector)
    await registry.open("11111111-2222-3333-4444-555555555555", 1, 384)
    await registry.close()
    status, out, _ = await check()
    assert status == 1
    assert "of 3 chunks, from 2 to 4" in out and f"that do not exist: 1, from {extra}" in out
    assert "does not exist" in out and "__11111111_2222" in out
    assert (await run_program(*program, "--repair", env={**os.environ, **given}))[0] == 0
    assert (await check())[0] == 0
    client = await _again(start(env=given))
    _assert_congruent(await _all_hits(client, collection), before)
