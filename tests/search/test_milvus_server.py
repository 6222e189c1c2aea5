"""Servers with their vectors in Milvus: the same hits as with local segments, through outages, rebuilds and REINDEX."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.api import ask, index
from support.milvus import Milvus, running_milvus
from support.milvus_documents import (
    again,
    all_hits,
    assert_congruent,
    change,
    completed,
    milvus_flags,
    signed_in,
    write,
)
from support.patience import deadline
from support.programs import run_program
from support.server import ROOT, Serving, serve

from semantik.index.milvus import milvus_registry

pytestmark = pytest.mark.gen_test


@pytest.fixture(scope="module")
def milvus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Milvus]:
    with running_milvus(tmp_path_factory.mktemp("milvus")) as server:
        yield server


async def test_hits_are_those_of_local_segments(
    start: Callable[..., Serving], milvus: Milvus, tmp_path: Path
) -> None:
    folder = tmp_path / "documents"
    write(folder)
    local = serve(tmp_path / "local")
    try:
        with_engine = start(*milvus_flags(milvus))
        clients = [await signed_in(each) for each in (local, with_engine)]
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
                found = [await all_hits(*each, **more) for each in zip(clients, collections, strict=True)]
                assert_congruent(*found)
                names = {name for hits in found[1] for name, _ in hits}
                assert not more.get("filters") or all(name.endswith(".txt") for name in names)
                if step:
                    assert "0.txt" not in names and "7.md" not in names
            for client, collection in zip(clients, collections, strict=True):
                if operation := await change(client, collection, folder, step):
                    await completed(client, operation)
        shown = await clients[1].call("GET", f"collections/{collections[1]}")
        assert shown["stats"]["engine"] == "milvus"
        assert not list((with_engine.data / "index").glob(f"{collections[1]}/*"))
    finally:
        local.stop()


async def test_milvus_is_filled_beside_the_local_index_which_answers_meanwhile(
    start: Callable[..., Serving], milvus: Milvus, tmp_path: Path
) -> None:
    folder = tmp_path / "documents"
    write(folder)
    serving = start()
    client = await signed_in(serving)
    collection, _ = await index(client, folder)
    before = await all_hits(client, collection)
    serving.stop()
    serving = start(*milvus_flags(milvus, catch_up=10), "--rate-limits-search-per-s=0")
    client = await again(serving)
    assert_congruent(await all_hits(client, collection), before)
    async with deadline():
        while (await client.call("GET", f"collections/{collection}"))["stats"].get("engine") != "milvus":
            assert_congruent(await all_hits(client, collection), before)
    async with deadline():  # the next search frees the disk
        while list((serving.data / "index" / collection).glob("*")):
            await ask(client, "keel", collection_ids=[collection])
    assert_congruent(await all_hits(client, collection), before)


@pytest.mark.noisy
async def test_check_compares_milvus_with_mongodb_and_repair_mends_it(
    start: Callable[..., Serving], milvus: Milvus, tmp_path: Path
) -> None:
    folder = tmp_path / "documents"
    write(folder, range(20))
    settings = milvus.settings()
    given = {"SEMANTIK_INDEX_ENGINE": "milvus"}
    for name in ("url", "prefix", "index_type"):
        given[f"SEMANTIK_MILVUS_{name.upper()}"] = getattr(settings, name)
    serving = start(env=given)
    client = await signed_in(serving)
    collection, _ = await index(client, folder)
    before = await all_hits(client, collection)
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
    client = await again(start(env=given))
    assert_congruent(await all_hits(client, collection), before)
