"""Processes that die or are suspended during an INDEX, APPEND or REINDEX: the result is that of an undisturbed run.

Searches continue meanwhile; while a store is unavailable they get an error that says so.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from support.api import new_user
from support.operation_fixtures import (
    KINDS,
    SMALL_STEPS,
    begin,
    in_the_middle,
    is_as_undisturbed,
    make_folder,
    prepare,
    searching,
    start_on,
    until_ended,
)
from support.processes import command_line
from support.server import Serving, serve
from support.watchers import Watcher, same_story

from semantik.storage.mongo import Store

pytestmark = [pytest.mark.gen_test, pytest.mark.noisy, pytest.mark.server]

_FLAGS = ("--auth-registration", "open", "--progress-linger-s", "0.5")
_SUSPENDED_S = 30.0


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """One server, which recovers after each fault."""
    serving = serve(tmp_path_factory.mktemp("faults") / "data", *_FLAGS, *SMALL_STEPS, real=True)
    yield serving
    assert serving.stop() == 0


def _worker(serving: Serving) -> psutil.Process:
    return [c for c in serving.tree[1:] if "forkserver" in " ".join(command_line(c))][-1]


def _fork_server(serving: Serving) -> psutil.Process:
    return next(c for c in serving.tree[1:] if "forkserver" in " ".join(command_line(c)))


def _store(word: str) -> Callable[[Serving], psutil.Process]:
    return lambda serving: next(c for c in serving.tree[1:] if word in " ".join(command_line(c)))


_PROCESSES = (_worker, _store("redis-server"), _fork_server, _store("mongo"))


@pytest.mark.xdist_group("faults: parts that are killed")
@pytest.mark.parametrize("kind", KINDS)
async def test_an_operation_survives_the_kill_of_each_process(
    serving: Serving, tmp_path: Path, kind: str
) -> None:
    client = await new_user(serving)
    started = await begin(kind, client, make_folder(tmp_path / "lamps", 120))
    watcher = Watcher([serving.url], client.token, started.operation_id)
    stores = serving.stores
    async with (
        Store(stores.mongo_url, stores.database) as store,
        searching(client, started, away_allowed=True),
        asyncio.TaskGroup() as tasks,
    ):
        tasks.create_task(watcher.follow())
        for number, process in enumerate(_PROCESSES):
            await in_the_middle(store, started, number / 6)
            process(serving).kill()
    same_story([watcher])
    assert watcher.frames[-1]["data"]["status"] == "completed"
    await is_as_undisturbed(started, client, stores)


@pytest.mark.xdist_group("faults: stores that stand still")
@pytest.mark.parametrize("word", ["redis-server", "mongo"])
async def test_two_operations_survive_a_store_suspended_for_half_a_minute(
    serving: Serving, tmp_path: Path, word: str
) -> None:
    client = await new_user(serving)
    folders = {kind: make_folder(tmp_path / kind) for kind in ("append", "reindex")}
    prepared = {kind: await prepare(kind, client, folder, kind) for kind, folder in folders.items()}
    operations = [
        await start_on(prepared[kind], kind, client, folder, kind) for kind, folder in folders.items()
    ]
    # While Redis is suspended no message arrives.
    watchers = [
        Watcher([serving.url], client.token, one.operation_id, silence_s=2 * _SUSPENDED_S)
        for one in operations
    ]
    stores = serving.stores
    async with Store(stores.mongo_url, stores.database) as store, asyncio.TaskGroup() as tasks:
        for watcher in watchers:
            tasks.create_task(watcher.follow())
        await in_the_middle(store, operations[1], 0.1)
        child = _store(word)(serving)
        async with searching(client, operations[0], True), searching(client, operations[1], True):
            child.suspend()
            await asyncio.sleep(_SUSPENDED_S)
            child.resume()
            for one in operations:
                assert (await until_ended(store, one)).status == "completed"
    for watcher, one in zip(watchers, operations, strict=True):
        same_story([watcher])
        await is_as_undisturbed(one, client, stores)
