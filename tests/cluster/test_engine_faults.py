"""The same machines with the vectors of all servers in Milvus, on a machine of its own: it is killed or halted, or its
cable is cut, in the middle of an operation, or that happens to the server that runs it. The promises are the same, and
words answer on every server while Milvus is away.

`make test-machines` tries every fault in every operation.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from pymongo import AsyncMongoClient
from support.api import ask
from support.machine_faults import OWNER, Outcome, disturb_operation, machines_in_namespaces
from support.machines import ENGINE, SERVERS, Machines
from support.operation_fixtures import KINDS, QUESTION

from semantik.client.api import Client
from semantik.config.milvus_settings import MilvusSettings
from semantik.index.milvus.inspection import milvus_inspector

pytestmark = [
    pytest.mark.gen_test,
    pytest.mark.noisy,
    pytest.mark.server,
    pytest.mark.xdist_group("machines"),
]

_ALL = os.environ.get("SEMANTIK_TEST_ALL_FAULTS") == "1"
_AWAY_S = {"kill": 5.0, "halt": 30.0, "cut": 60.0} if _ALL else {"kill": 3.0, "halt": 8.0, "cut": 12.0}
_FEW = [("halt", ENGINE, "index")]
_EVERY = [(fault, name, kind) for kind in KINDS for fault in _AWAY_S for name in (ENGINE, OWNER)]


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machines]:
    with machines_in_namespaces(tmp_path_factory.mktemp("engine"), engine=True) as machines:
        yield machines


@pytest.mark.parametrize(("fault", "name", "kind"), _EVERY if _ALL else _FEW)
async def test_words_answer_while_milvus_is_away_and_nothing_is_lost_or_done_twice(
    machines: Machines, tmp_path: Path, fault: str, name: str, kind: str
) -> None:
    outcome = await disturb_operation(machines, tmp_path / "lamps", fault, name, kind, _AWAY_S[fault])
    during, disturbed = outcome.during, outcome.disturbed
    assert {name for name, _ in during.failures} <= {disturbed}, during.failures
    assert set(during.found) >= set(SERVERS) - {disturbed}
    if disturbed == ENGINE:
        assert all(during.degraded[server] for server in SERVERS), during
    assert not any(outcome.before.degraded.values())
    await _milvus_has_what_mongodb_has(machines, outcome)
    for url in machines.urls.values():
        found = await ask(
            Client(url, outcome.client.token),
            QUESTION,
            collection_ids=[outcome.begun.collection_id],
            mode="meaning",
        )
        assert found


async def _milvus_has_what_mongodb_has(machines: Machines, outcome: Outcome) -> None:
    """Every chunk once; without a fault on a server also nothing besides."""
    key = outcome.begun.collection_id
    async with AsyncMongoClient(machines.stores.mongo_url) as mongo:
        chunks = await mongo[machines.stores.database]["chunks"].find({"collection_id": key}).to_list()
    [generation] = {row["generation"] for row in chunks}
    expected = sorted(row["seq"] for row in chunks)
    async with milvus_inspector(MilvusSettings(url=machines.engine_url)) as inspector:
        stored = await inspector.stored(inspector.name(key, generation), expected[-1] + 1)
    assert stored is not None
    _, seqs = stored
    assert len(np.unique(seqs)) == len(seqs)
    assert set(expected) <= set(seqs.tolist())
    if outcome.disturbed == ENGINE:
        assert expected == seqs.tolist()
