"""Parts that die or are stopped during an INDEX, an APPEND or a REINDEX, which end with the same result as without.

Searches go on meanwhile; while a store is away they get an error that says so.
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
from support.server import Serving, serve
from support.watchers import Watcher, same_story

from semantik.storage.mongo import Store

pytestmark = [pytest.mark.gen_test, pytest.mark.noisy, pytest.mark.server]

_FLAGS = ("--auth-registration", "open", "--progress-linger-s", "0.5")
_STANDSTILL_S = 30.0


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """One server, which is well again after each of the faults."""
    serving = serve(tmp_path_factory.mktemp("faults") / "data", *_FLAGS, *SMALL_STEPS, real=True)
    yield serving
    assert serving.stop() == 0


def _worker(serving: Serving) -> psutil.Process:
    return [c for c in serving.tree[1:] if "forkserver" in " ".join(c.cmdline())][-1]


def _fork_server(serving: Serving) -> psutil.Process:
    return next(c for c in serving.tree[1:] if "forkserver" in " ".join(c.cmdline()))


def _store(word: str) -> Callable[[Serving], psutil.Process]:
    return lambda serving: next(c for c in serving.tree[1:] if word in " ".join(c.cmdline()))


_PARTS = (_worker, _store("redis-server"), _fork_server, _store("mongo"))


@pytest.mark.xdist_group("faults: parts that are killed")
@pytest.mark.parametrize("kind", KINDS)
async def test_each_part_is_killed_during_an_operation(serving: Serving, tmp_path: Path, kind: str) -> None:
    client = await new_user(serving)
    begun = await begin(kind, client, make_folder(tmp_path / "lamps", 120))
    watcher = Watcher([serving.url], client.token, begun.operation_id)
    stores = serving.stores
    async with (
        Store(stores.mongo_url, stores.database) as store,
        searching(client, begun, away_allowed=True),
        asyncio.TaskGroup() as tasks,
    ):
        tasks.create_task(watcher.follow())
        for number, part in enumerate(_PARTS):
            await in_the_middle(store, begun, number / 6)
            part(serving).kill()
    same_story([watcher])
    assert watcher.frames[-1]["data"]["status"] == "completed"
    await is_as_undisturbed(begun, client, stores)


@pytest.mark.xdist_group("faults: stores that stand still")
@pytest.mark.parametrize("word", ["redis-server", "mongo"])
async def test_a_store_is_stopped_for_half_a_minute_during_two_operations(
    serving: Serving, tmp_path: Path, word: str
) -> None:
    client = await new_user(serving)
    folders = {kind: make_folder(tmp_path / kind) for kind in ("append", "reindex")}
    prepared = {kind: await prepare(kind, client, folder, kind) for kind, folder in folders.items()}
    works = [await start_on(prepared[kind], kind, client, folder, kind) for kind, folder in folders.items()]
    # While Redis is away no message arrives.
    watchers = [
        Watcher([serving.url], client.token, one.operation_id, silence_s=2 * _STANDSTILL_S) for one in works
    ]
    stores = serving.stores
    async with Store(stores.mongo_url, stores.database) as store, asyncio.TaskGroup() as tasks:
        for watcher in watchers:
            tasks.create_task(watcher.follow())
        await in_the_middle(store, works[1], 0.1)
        child = _store(word)(serving)
        async with searching(client, works[0], True), searching(client, works[1], True):
            child.suspend()
            await asyncio.sleep(_STANDSTILL_S)
            child.resume()
            for one in works:
                assert (await until_ended(store, one)).status == "completed"
    for watcher, one in zip(watchers, works, strict=True):
        same_story([watcher])
        await is_as_undisturbed(one, client, stores)
