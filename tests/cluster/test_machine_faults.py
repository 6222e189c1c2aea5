"""Three servers, two remote workers, their scheduler and both stores, each on a machine of its own: one is killed or
halted, or its cable is cut, in the middle of an operation. Nothing is lost, nothing is done twice, all watchers see the
same, and searches fail only where nothing is left that could answer.

`make test-machines` tries every fault on every machine in every operation, and takes hours.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.api import new_user_at
from support.machine_watchers import searching_all, watchers
from support.machines import NAMES, SERVERS, Machines
from support.namespaces import CannotBeMade, Network
from support.operation_fixtures import (
    KINDS,
    begin,
    in_the_middle,
    is_as_undisturbed,
    make_folder,
    until_ended,
)
from support.patience import deadline
from support.two_servers import until
from support.watchers import same_story

from semantik.storage.data_folder import instance_id
from semantik.storage.mongo import Store

pytestmark = [
    pytest.mark.gen_test,
    pytest.mark.noisy,
    pytest.mark.server,
    pytest.mark.xdist_group("machines"),
]

_ALL = os.environ.get("SEMANTIK_TEST_ALL_FAULTS") == "1"
# Longer than the leases, than a worker may be silent, and than it takes to notice that a cable is cut.
_AWAY_S = {"kill": 5.0, "halt": 30.0, "cut": 60.0} if _ALL else {"kill": 3.0, "halt": 12.0, "cut": 25.0}
_STORES = ("mongo", "redis")  # without which no server can answer
_OWNER = "the owner"  # the server that runs the operation
_FEW = [
    ("kill", _OWNER, "index"),
    ("cut", _OWNER, "append"),
]  # a minute of processor time each
_EVERY = [
    (fault, name, kind)
    for kind in KINDS
    for fault in _AWAY_S
    for name in (*(each for each in NAMES if each not in SERVERS), _OWNER, SERVERS[0])
]
_WATCHERS = 50


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machines]:
    folder = tmp_path_factory.mktemp("machines")
    try:
        network = Network(NAMES).__enter__()
    except CannotBeMade as error:
        pytest.skip(f"network namespaces cannot be made here: {error}")
    try:
        with Machines(folder, network) as machines:
            yield machines
    finally:
        network.__exit__()


@pytest.mark.parametrize(("fault", "name", "kind"), _EVERY if _ALL else _FEW)
async def test_nothing_is_lost_or_done_twice(
    machines: Machines, tmp_path: Path, fault: str, name: str, kind: str
) -> None:
    urls = machines.urls
    client = await new_user_at(urls[SERVERS[-1]])
    folder = make_folder(tmp_path / "lamps", 160)
    begun = await begin(kind, client, folder)
    async with Store(machines.stores.mongo_url, machines.stores.database) as store:
        following = watchers(list(urls.values()), client.token, begun.operation_id, _WATCHERS)
        async with asyncio.TaskGroup() as tasks, deadline(180):
            for each in following:
                tasks.create_task(each.follow())
            operation = await in_the_middle(store, begun)
            assert operation.lease is not None
            owners = {instance_id(machines.folder / server): server for server in SERVERS}
            disturbed = owners[operation.lease.owner] if name == _OWNER else name
            async with searching_all(urls, client.token, begun.collection_id) as before:
                await until(lambda: set(before.found) == set(SERVERS))
            async with searching_all(urls, client.token, begun.collection_id) as during:
                await asyncio.to_thread(machines.disturb, fault, disturbed)
                await asyncio.sleep(_AWAY_S[fault])
                await asyncio.to_thread(machines.restore, fault, disturbed)
        ended = await until_ended(store, begun)
    assert ended.status == "completed"
    same_story(following)
    assert not before.failures
    if disturbed not in _STORES:
        assert {name for name, _ in during.failures} <= {disturbed}, during.failures
        assert set(during.found) >= set(SERVERS) - {disturbed}
    async with deadline(120):
        await is_as_undisturbed(begun, client, machines.stores, alone=False)
