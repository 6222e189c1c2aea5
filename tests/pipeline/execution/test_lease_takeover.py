"""An owner that is suspended until its lease expires: another server takes over, and the former owner writes nothing.

The former owner resumes either while the other server works or after the operation has ended.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.api import ask, new_user
from support.hold import held
from support.operation_fixtures import (
    KINDS,
    QUESTION,
    SMALL_STEPS,
    Begun,
    in_the_middle,
    is_as_undisturbed,
    make_folder,
    prepare,
    searching,
    start_on,
    until_ended,
)
from support.processes import suspend
from support.server import Serving
from support.two_servers import Two, owner_of, says
from support.watchers import Watcher, same_story

from semantik.client.api import Client
from semantik.storage.mongo import Store

pytestmark = [pytest.mark.gen_test, pytest.mark.noisy, pytest.mark.server]

_FLAGS = ("--auth-registration", "open", "--operations-lease-s", "3", "--progress-linger-s", "0.5")
_POLL_S = 0.02


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Two]:
    with Two(tmp_path_factory.mktemp("takeover")) as servers:
        servers.start(*_FLAGS, *SMALL_STEPS)
        yield servers


@pytest.mark.parametrize("woken", ["while the other works", "after its end"])
@pytest.mark.parametrize("kind", KINDS)
async def test_an_owner_without_its_lease_writes_nothing(
    two: Two, tmp_path: Path, kind: str, woken: str
) -> None:
    first, second = two.servers
    client = await new_user(first)
    folder = make_folder(tmp_path / "lamps")
    collection_id = await prepare(kind, client, folder)
    async with Store(two.stores.mongo_url, two.stores.database) as store:
        with held(folder, "lamp-079.txt"):  # one of the last
            started = await start_on(collection_id, kind, client, folder)
            owner = owner_of(await in_the_middle(store, started), two.servers)
            survivor = second if owner is first else first
            log_length = len(owner.log.read_text())
            suspend(owner.process.pid)
        other_client = Client(survivor.url, client.token)
        watcher = Watcher([survivor.url], client.token, started.operation_id)
        async with searching(other_client, started), asyncio.TaskGroup() as tasks:
            tasks.create_task(watcher.follow())
            await _wait_for_takeover(store, started, survivor, two)
            if woken == "after its end":
                await until_ended(store, started)
            owner.process.send_signal(signal.SIGCONT)
            await says(owner, log_length, "another server")
        assert (await until_ended(store, started)).status == "completed"
    assert "Traceback" not in owner.log.read_text()
    same_story([watcher])
    await is_as_undisturbed(started, other_client, two.stores, alone=False)
    hits = await ask(client, QUESTION, collection_ids=[started.collection_id], k=10)
    assert len(hits) == 10, "the former owner must search what the other server has written"


async def _wait_for_takeover(store: Store, started: Begun, survivor: Serving, two: Two) -> None:
    while True:
        operation = await store.operations.get(started.operation_id)
        assert operation is not None and not operation.ended
        if owner_of(operation, two.servers) is survivor:
            return
        await asyncio.sleep(_POLL_S)
