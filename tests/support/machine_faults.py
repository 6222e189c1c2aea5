"""One fault on one machine in the middle of an operation that 50 watchers follow, and what must have come of it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.api import new_user_at
from support.machine_watchers import Answers, searching_all, watchers
from support.machines import ENGINE, NAMES, SERVERS, Machines
from support.namespaces import CannotBeMade, Network
from support.operation_fixtures import (
    Begun,
    begin,
    in_the_middle,
    is_as_undisturbed,
    make_folder,
    until_ended,
)
from support.patience import deadline
from support.two_servers import until
from support.watchers import same_story

from semantik.client.api import Client
from semantik.storage.data_folder import instance_id
from semantik.storage.mongo import Store

OWNER = "the owner"  # the server that runs the operation
_WATCHERS = 50


@dataclass(frozen=True)
class Outcome:
    """The operation, the machine that was disturbed, and what searches were told before and during the fault."""

    begun: Begun
    client: Client
    disturbed: str
    before: Answers
    during: Answers


@contextmanager
def machines_in_namespaces(folder: Path, engine: bool = False) -> Iterator[Machines]:
    """All machines run, with Milvus among them if the servers' vectors are to be in it. Skips where that cannot be."""
    try:
        network = Network((*NAMES, ENGINE) if engine else NAMES).__enter__()
    except CannotBeMade as error:
        pytest.skip(f"network namespaces cannot be made here: {error}")
    try:
        with Machines(folder, network, engine=engine) as machines:
            yield machines
    finally:
        network.__exit__()


async def disturb_operation(
    machines: Machines, folder: Path, fault: str, name: str, kind: str, away_s: float
) -> Outcome:
    """Nothing is lost or done twice, and all watchers see the same, however the machine is disturbed for `away_s`."""
    urls = machines.urls
    client = await new_user_at(urls[SERVERS[-1]])
    begun = await begin(kind, client, make_folder(folder, 160))
    async with Store(machines.stores.mongo_url, machines.stores.database) as store:
        following = watchers(list(urls.values()), client.token, begun.operation_id, _WATCHERS)
        async with asyncio.TaskGroup() as tasks, deadline(180):
            for each in following:
                tasks.create_task(each.follow())
            operation = await in_the_middle(store, begun)
            assert operation.lease is not None
            owners = {instance_id(machines.folder / server): server for server in SERVERS}
            disturbed = owners[operation.lease.owner] if name == OWNER else name
            async with searching_all(urls, client.token, begun.collection_id) as before:
                await until(lambda: set(before.found) == set(SERVERS))
            async with searching_all(urls, client.token, begun.collection_id) as during:
                await asyncio.to_thread(machines.disturb, fault, disturbed)
                await asyncio.sleep(away_s)
                await asyncio.to_thread(machines.restore, fault, disturbed)
        ended = await until_ended(store, begun)
    assert ended.status == "completed"
    same_story(following)
    assert not before.failures
    async with deadline(120):
        await is_as_undisturbed(begun, client, machines.stores, alone=False)
    return Outcome(begun, client, disturbed, before, during)
