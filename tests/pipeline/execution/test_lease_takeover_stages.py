"""An owner that is suspended between two steps, loses its lease, and resumes after the operation has ended.

The step that it then takes changes nothing.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from support.api import new_user
from support.operation_fixtures import (
    SMALL_STEPS,
    is_as_undisturbed,
    make_folder,
    prepare,
    start_on,
    until_ended,
)
from support.processes import suspend
from support.two_servers import Two, says, until
from support.watchers import Watcher, same_story

from semantik.client.api import Client
from semantik.storage.mongo import Store

pytestmark = [pytest.mark.gen_test, pytest.mark.noisy, pytest.mark.server]

_FLAGS = ("--auth-registration", "open", "--operations-lease-s", "3", "--progress-linger-s", "0.5")


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Two]:
    with Two(tmp_path_factory.mktemp("stages")) as servers:
        servers.servers = [servers.start_one("second", *_FLAGS, *SMALL_STEPS)]
        yield servers


@pytest.mark.parametrize(
    ("kind", "step"),
    [
        ("index", "storing.taken:1"),
        ("append", "scanning.registered"),
        ("append", "removal.marked"),
        ("append", "storing.taken:1"),
        ("append", "storing.finished:1"),
        ("append", "storing.forgotten:1"),
        ("reindex", "reindex.registered"),
        ("reindex", "storing.taken:1"),
    ],
)
async def test_a_late_step_of_an_owner_without_its_lease_changes_nothing(
    two: Two, tmp_path: Path, kind: str, step: str
) -> None:
    other = two.servers[0]
    client = await new_user(other)
    folder = make_folder(tmp_path / "lamps", 40)
    collection_id = await prepare(kind, client, folder)
    env = {"SEMANTIK_FAILPOINT": f"{step}:stop" if ":" in step else f"{step}:1:stop"}
    first = two.start_one("first", *_FLAGS, *SMALL_STEPS, env=env)
    two.servers = [other, first]
    try:
        suspend(other.process.pid)  # so that the first takes the operation
        started = await start_on(collection_id, kind, Client(first.url, client.token), folder)
        process = psutil.Process(first.process.pid)
        await until(lambda: process.status() == psutil.STATUS_STOPPED)
        other.process.send_signal(signal.SIGCONT)
        async with Store(two.stores.mongo_url, two.stores.database) as store:
            assert (await until_ended(store, started)).status == "completed"
        log_length = len(first.log.read_text())
        first.process.send_signal(signal.SIGCONT)
        await says(first, log_length, "another server")
        watcher = Watcher([other.url], client.token, started.operation_id)
        await watcher.follow()
        same_story([watcher])
        assert await asyncio.to_thread(first.stop) == 0
    finally:
        other.process.send_signal(signal.SIGCONT)
    await is_as_undisturbed(started, client, two.stores, alone=False)
