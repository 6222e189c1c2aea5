"""A server that dies at any failpoint of any operation: the next server gives the result of an undisturbed run.

Each message is published once. REACHED lists the failpoints that each operation reaches.
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
    "storing.vectors",
    "storing.indexed",
    "storing.finished",
    "storing.settled",
    "storing.counted",
)
REACHED = {
    "index": ("scanning.registered", "scanning.completed", "storing.parts", *_STORING, *_ENDING),
    "append": (
        "scanning.registered",
        "scanning.renamed",
        "removal.marked",
        "removal.forgotten",
        "scanning.completed",
        "storing.parts",
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
# No operation exists yet at the first one: tests/pipeline/watching/test_watching_faults.py kills a server there. The
# others need pictures: tests/pipeline/operations/test_recognition.py.
FETCHING = {"fetching.kept", "fetching.finished"}  # tests/connectors/test_git_source.py
# tests/services/notifications/test_alerts_crash.py
NOTIFYING = {"ending.notified", "alerts.added", "alerts.queued", "alerts.saved"}
TESTED_ELSEWHERE = {*FETCHING, *NOTIFYING, "watched.claimed", "recognition.recognised", "recognition.marked"}
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


def test_every_failpoint_is_reached_by_an_operation() -> None:
    assert set(chain.from_iterable(REACHED.values())) | TESTED_ELSEWHERE == STAGES


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
    """The result of each operation without a fault; for a cancelled REINDEX that is the state before it."""
    folder = tmp_path_factory.mktemp("undisturbed")
    found: dict[str, dict[str, Any]] = {}

    async def run_all() -> None:
        mine = await home.again(folder / "data")
        async with running(mine.settings, make_pool) as server, open_stores(mine.settings) as stores:
            client = await signed_in(server.url)
            for scenario in REACHED:
                if scenario != "cancelled_reindex":
                    await begin(client, scenario, mine.folder)
                    operation_id = await _operation(stores.store, client, scenario)
                    assert _final_types(await ended(client, operation_id)) == ["operation_completed"]
                found[scenario] = await left(stores.store, client, scenario, mine.folder)
                # The last digits of a vector depend on the batch that it was embedded in.
                scores = found[scenario]["hits"]
                found[scenario]["hits"] = {each: pytest.approx(scores[each], abs=0.02) for each in scores}

    run(run_all())
    return found


@pytest.mark.parametrize(
    ("scenario", "stage"), [(scenario, stage) for scenario, stages in REACHED.items() for stage in stages]
)
async def test_a_crash_leaves_the_result_of_an_undisturbed_run(
    home: Home,
    undisturbed: dict[str, dict[str, Any]],
    make_pool: partial[LightPool],
    start: Callable[..., Serving],
    tmp_path: Path,
    scenario: str,
    stage: str,
) -> None:
    mine = await home.again(tmp_path / "data")
    if scenario == "cancelled_reindex":
        await _crash(start, scenario, "reindex.reprocessed", mine)
        await _cancel(mine)
        await _crash(start, scenario, stage, mine, requested=False)
    else:
        await _crash(start, scenario, stage, mine)

    async with running(mine.settings, make_pool) as server, open_stores(mine.settings) as stores:
        client = await signed_in(server.url)
        operation_id = await _operation(stores.store, client, scenario)
        messages = [message for message in await ended(client, operation_id) if "seq" in message]
        found = await left(stores.store, client, scenario, mine.folder)
        if scenario == "cancelled_reindex":  # the newest operation is cancelled, the other one completed
            found["stages"] = undisturbed[scenario]["stages"]
        assert found == undisturbed[scenario]
        issues = await check(CheckContext(stores.store, mine.settings, stores.redis_url, served=True))
        # A vector that was saved just before the crash stays until a search finds it: that is no fault.
        assert [each for each in issues if not each.informational] == []
    assert [message["seq"] for message in messages] == list(range(1, len(messages) + 1))
    assert _final_types(messages) == [
        "operation_cancelled" if scenario == "cancelled_reindex" else "operation_completed"
    ]
    kinds = [message["type"] for message in messages]
    assert kinds[-1] == "status_update"
    assert all(kinds.count(kind) <= 1 for kind in _ONCE)
    scanned = [message["data"] for message in messages if message["type"] == "scanning_completed"]
    assert all(value >= 0 for data in scanned for name, value in data.items() if "_documents" in name)
    errors = [Path(message["data"]["path"]).name for message in messages if message["type"] == "error"]
    assert sorted(errors) == sorted(Path(path).name for path, _ in undisturbed[scenario]["failures"])


async def _crash(
    start: Callable[..., Serving], scenario: str, stage: str, home: Home, requested: bool = True
) -> None:
    """Let a server die at the stage, in an operation that is requested (`requested`) or that it has to resume."""
    serving = start(*FLAGS, env={"SEMANTIK_FAILPOINT": stage})
    tree = serving.tree
    if requested:
        client = await signed_in(serving.url)
        with suppress(Unavailable):  # the server may die before it answers
            await begin(client, scenario, home.folder)
    assert await asyncio.to_thread(serving.process.wait, patience()) == -signal.SIGKILL, (
        f"never reached {stage}"
    )
    await asyncio.to_thread(psutil.wait_procs, tree, patience())


async def _cancel(home: Home) -> None:
    async with open_stores(home.settings) as stores:
        [operation] = await stores.store.operations.with_status("processing")
        assert await stores.store.operations.request_cancel(operation.id)


async def _operation(store: Store, client: Client, scenario: str) -> str:
    return (await newest_operation(store, await collection_of(client, scenario))).id


def _final_types(messages: list[dict[str, Any]]) -> list[str]:
    return [message["type"] for message in messages if message["type"] in _LAST]
