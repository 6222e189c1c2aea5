"""A server that dies at any step of any operation: the next one leaves what an undisturbed one leaves, told once.

REACHED says which steps each operation comes by.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import psutil
import pytest
from conftest import run
from support.crash_fixtures import FLAGS, Home, begin, collection_of, ended, left, newest_operation, signed_in
from support.light_pool import LightPool, light_pools
from support.patience import patience
from support.server import Serving

from pipeline.failpoints import STAGES
from semantik.client.api import Client
from semantik.commands.store_connection import open_stores
from semantik.core.errors import Unavailable
from semantik.integrity import CheckContext, check
from semantik.server import running
from semantik.storage.mongo import Store

pytestmark = [pytest.mark.gen_test, pytest.mark.noisy]

_ENDING = ("ending.saved", "ending.told")
_STORING = (
    "storing.taken",
    "storing.chunks",
    "storing.published",
    "storing.indexed",
    "storing.finished",
    "storing.settled",
    "storing.counted",
)
REACHED = {
    "index": ("scanning.registered", "scanning.completed", *_STORING, *_ENDING),
    "append": (
        "scanning.registered",
        "scanning.renamed",
        "removal.marked",
        "removal.forgotten",
        "scanning.completed",
        *_STORING,
        "storing.forgotten",
        *_ENDING,
    ),
    "retry": ("scanning.completed", "storing.chunks", "storing.settled", *_ENDING),
    "reindex": (
        "reindex.preflight",
        "reindex.staged",
        "reindex.registered",
        *_STORING,
        "reindex.reprocessed",
        "reindex.validated",
        "reindex.switched",
        *_ENDING,
        "retired.chunks",
    ),
    "cancelled_reindex": ("reindex.discarded", *_ENDING),
    "remove_source": ("removal.marked", "removal.forgotten", "remove_source.source", *_ENDING),
}
ELSEWHERE = {"watched.claimed"}  # before there is an operation: tests/pipeline/watching/test_watching.py
_ONCE = (
    "operation_queued",
    "operation_started",
    "scanning_completed",
    "processing_embeddings",
    "index_completed",
    "append_completed",
    "reindex_preflight",
    "staging_created",
    "validation_complete",
    "reindex_completed",
    "remove_source_completed",
)
_LAST = ("operation_completed", "operation_failed", "operation_cancelled")


def test_every_step_is_reached_by_an_operation() -> None:
    assert set(chain.from_iterable(REACHED.values())) | ELSEWHERE == STAGES


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    folder = tmp_path_factory.mktemp("harbour")
    home = Home(folder / "data", folder / "documents")
    run(home.prepare())
    return home


@pytest.fixture(scope="module")
def make_pool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[partial[LightPool]]:
    with light_pools(tmp_path_factory.mktemp("pool")) as make_pool:
        yield make_pool


@pytest.fixture(scope="module")
def undisturbed(
    home: Home, make_pool: partial[LightPool], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, dict[str, Any]]:
    """What each operation leaves when nothing happens to it; of a cancelled REINDEX that is what was before."""
    folder = tmp_path_factory.mktemp("undisturbed")
    found: dict[str, dict[str, Any]] = {}

    async def tell() -> None:
        mine = await home.again(folder / "data", folder / "documents")
        async with running(mine.settings, make_pool) as server, open_stores(mine.settings) as stores:
            client = await signed_in(server.url)
            for story in REACHED:
                if story != "cancelled_reindex":
                    await begin(client, story, mine.folder)
                    operation_id = await _operation(stores.store, client, story)
                    assert _ends(await ended(client, operation_id)) == ["operation_completed"]
                found[story] = await left(stores.store, client, story, mine.folder)
                # Vectors depend in their last digits on what they were embedded together with.
                scores = found[story]["hits"]
                found[story]["hits"] = {each: pytest.approx(scores[each], abs=0.02) for each in scores}

    run(tell())
    return found


@pytest.mark.parametrize(
    ("story", "stage"), [(story, stage) for story, stages in REACHED.items() for stage in stages]
)
async def test_a_server_that_dies_leaves_what_an_undisturbed_one_leaves(
    home: Home,
    undisturbed: dict[str, dict[str, Any]],
    make_pool: partial[LightPool],
    start: Callable[..., Serving],
    tmp_path: Path,
    story: str,
    stage: str,
) -> None:
    mine = await home.again(tmp_path / "data", tmp_path / "documents")
    if story == "cancelled_reindex":
        await _dies(start, story, "reindex.reprocessed", mine)
        await _cancel(mine)
        await _dies(start, story, stage, mine, asks=False)
    else:
        await _dies(start, story, stage, mine)

    async with running(mine.settings, make_pool) as server, open_stores(mine.settings) as stores:
        client = await signed_in(server.url)
        operation_id = await _operation(stores.store, client, story)
        frames = [frame for frame in await ended(client, operation_id) if "seq" in frame]
        found = await left(stores.store, client, story, mine.folder)
        if story == "cancelled_reindex":  # and what was before has been completed
            found["stages"] = undisturbed[story]["stages"]
        assert found == undisturbed[story]
        assert await check(CheckContext(stores.store, mine.settings, stores.redis_url, served=True)) == []
    assert [frame["seq"] for frame in frames] == list(range(1, len(frames) + 1))
    assert _ends(frames) == ["operation_cancelled" if story == "cancelled_reindex" else "operation_completed"]
    kinds = [frame["type"] for frame in frames]
    assert kinds[-1] == "status_update"
    assert all(kinds.count(kind) <= 1 for kind in _ONCE)
    scanned = [frame["data"] for frame in frames if frame["type"] == "scanning_completed"]
    assert all(value >= 0 for data in scanned for name, value in data.items() if "_documents" in name)
    errors = [Path(frame["data"]["path"]).name for frame in frames if frame["type"] == "error"]
    assert sorted(errors) == sorted(Path(path).name for path, _ in undisturbed[story]["failures"])


async def _dies(start: Callable[..., Serving], story: str, stage: str, home: Home, asks: bool = True) -> None:
    """Let a server die at the stage, in the operation that it is asked for or has to go on with."""
    serving = start(*FLAGS, env={"SEMANTIK_FAILPOINT": stage})
    tree = serving.tree
    if asks:
        client = await signed_in(serving.url)
        with suppress(Unavailable):  # it may die before it has answered
            await begin(client, story, home.folder)
    assert await asyncio.to_thread(serving.process.wait, patience()) == -signal.SIGKILL, (
        f"never came by {stage}"
    )
    await asyncio.to_thread(psutil.wait_procs, tree, patience())


async def _cancel(home: Home) -> None:
    async with open_stores(home.settings) as stores:
        [operation] = await stores.store.operations.with_status("processing")
        assert await stores.store.operations.request_cancel(operation.id)


async def _operation(store: Store, client: Client, story: str) -> str:
    return (await newest_operation(store, await collection_of(client, story))).id


def _ends(frames: list[dict[str, Any]]) -> list[str]:
    return [frame["type"] for frame in frames if frame["type"] in _LAST]
