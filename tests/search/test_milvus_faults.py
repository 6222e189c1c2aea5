"""Servers with their vectors in Milvus, when it is away or hangs, and when they are killed themselves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest
from support.api import ask, index, refusal_of
from support.milvus import Milvus, running_milvus
from support.milvus_documents import (
    again,
    all_hits,
    change,
    completed,
    milvus_flags,
    signed_in,
    until,
    write,
)
from support.patience import deadline, patience
from support.server import Serving

from semantik.client.api import Client
from semantik.client.websocket import Refused
from semantik.core.errors import Unavailable

pytestmark = pytest.mark.gen_test


@pytest.fixture(scope="module")
def milvus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Milvus]:
    with running_milvus(tmp_path_factory.mktemp("milvus")) as server:
        yield server


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
    write(folder, range(12))
    flags = (*milvus_flags(milvus), "--reindex-grace-s", "0")
    serving = start(*flags)
    client = await signed_in(serving)
    collection, _ = await index(client, folder)
    serving.stop()
    serving = start(*flags, env={"SEMANTIK_FAILPOINT": stage})
    client = await again(serving)
    with suppress(Unavailable, Refused):  # the server may die before it answers
        await change(client, collection, folder, step)
    await asyncio.to_thread(serving.process.wait, patience())
    client = await again(start(*flags))

    async def rests() -> bool:
        return not (await client.call("GET", "operations", status="processing"))["items"]

    await until(rests)
    shown = await client.call("GET", f"collections/{collection}")
    # A vector that was saved just before the crash may stay until a search finds it.
    assert shown["stats"]["vectors"] >= shown["chunk_count"] > 0
    found = {hit for hits in await all_hits(client, collection, mode="meaning", k=500) for hit in hits}
    names = {name for name, _ in found}
    assert len(found) == shown["chunk_count"]
    assert names == {path.name for path in folder.iterdir()}


@pytest.mark.noisy
async def test_searches_fail_clearly_and_indexing_waits_while_milvus_is_away(
    start: Callable[..., Serving], tmp_path: Path
) -> None:
    own = Milvus(tmp_path / "milvus")
    own.start()
    try:
        folder = tmp_path / "documents"
        write(folder, range(20))
        flags = milvus_flags(own, timeout_s=patience(2.0))
        serving = start(*flags)
        client = await signed_in(serving)
        collection, _ = await index(client, folder)
        before = await all_hits(client, collection, mode="meaning")
        own.kill()
        search = {"query": "anchor keel", "collection_ids": [collection]}
        refusal = await refusal_of(client, "POST", "search", {**search, "mode": "meaning"})
        assert refusal.status == 503 and f"Milvus at {own.url} does not answer" in str(refusal)
        hybrid = await client.call("POST", "search", search)
        assert hybrid["hits"] and hybrid["degraded"]
        assert await ask(client, "anchor", collection_ids=[collection], mode="words")
        serving.stop()  # nor does it have to be there when the server starts
        serving = start(*flags)
        client = await again(serving)
        hybrid = await client.call("POST", "search", search)
        assert hybrid["hits"] and hybrid["degraded"]
        refusal = await refusal_of(client, "POST", "search", {**search, "mode": "meaning"})
        assert refusal.status == 503
        write(folder, range(20, 40))
        begun = await client.call("POST", f"collections/{collection}/append", {})

        async def waits() -> bool:
            return "Milvus at" in serving.log.read_text().partition(" waits: ")[2]

        await until(waits)
        assert (await client.call("GET", f"operations/{begun['operation_id']}"))["status"] == "processing"
        own.start()
        async with deadline():
            await completed(client, begun["operation_id"])
        shown = await client.call("GET", f"collections/{collection}")
        assert shown["stats"]["vectors"] == shown["chunk_count"]
        found = await all_hits(client, collection, mode="meaning")
        assert {name for hits in found for name, _ in hits} - {name for hits in before for name, _ in hits}
    finally:
        own.kill()


@pytest.mark.noisy
async def test_a_call_that_hangs_ends_at_its_deadline(start: Callable[..., Serving], tmp_path: Path) -> None:
    own = Milvus(tmp_path / "milvus")
    own.start()
    try:
        folder = tmp_path / "documents"
        write(folder, range(5))
        client = await signed_in(start(*milvus_flags(own, timeout_s=patience(2.0))))
        collection, _ = await index(client, folder)
        own.pause()
        async with deadline():
            body = {"query": "keel", "collection_ids": [collection], "mode": "meaning"}
            refusal = await refusal_of(client, "POST", "search", body)
        assert refusal.status == 503 and "does not answer" in str(refusal)
        own.resume()
        await until(partial(_answers, client, collection))
    finally:
        own.kill()


@pytest.mark.noisy
async def test_words_answer_until_a_milvus_that_was_restarted_has_loaded_its_collections(
    start: Callable[..., Serving], tmp_path: Path
) -> None:
    own = Milvus(tmp_path / "milvus")
    own.start()
    try:
        folder = tmp_path / "documents"
        write(folder, range(5))
        client = await signed_in(start(*milvus_flags(own)))
        collection, _ = await index(client, folder)
        assert await _answers(client, collection)
        own.kill()
        own.start()  # no search has seen that it was away
        body = {"query": "keel", "collection_ids": [collection]}
        for _ in range(3):
            assert (await client.call("POST", "search", body))["hits"]
        await until(partial(_answers, client, collection))
        assert not (await client.call("POST", "search", body))["degraded"]
    finally:
        own.kill()


async def _answers(client: Client, collection: str) -> bool:
    try:
        return bool(await ask(client, "keel", collection_ids=[collection], mode="meaning"))
    except Refused as refused:
        assert refused.status == 503
        return False
