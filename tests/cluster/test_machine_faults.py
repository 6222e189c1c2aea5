"""Three servers, two remote workers, their scheduler and both stores, each on a machine of its own: one is killed or
halted, or its cable is cut, in the middle of an operation. Nothing is lost, nothing is done twice, all watchers see the
same, and searches fail only where nothing is left that could answer.

`make test-machines` tries every fault on every machine in every operation, and takes the better part of an hour.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.machine_faults import OWNER, disturb_operation, machines_in_namespaces
from support.machines import NAMES, SERVERS, Machines
from support.operation_fixtures import KINDS

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
_FEW = [
    ("kill", OWNER, "index"),
    ("cut", OWNER, "append"),
]  # a minute of processor time each
_EVERY = [
    (fault, name, kind)
    for kind in KINDS
    for fault in _AWAY_S
    for name in (*(each for each in NAMES if each not in SERVERS), OWNER, SERVERS[0])
]


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machines]:
    with machines_in_namespaces(tmp_path_factory.mktemp("machines")) as machines:
        yield machines


@pytest.mark.parametrize(("fault", "name", "kind"), _EVERY if _ALL else _FEW)
async def test_nothing_is_lost_or_done_twice(
    machines: Machines, tmp_path: Path, fault: str, name: str, kind: str
) -> None:
    outcome = await disturb_operation(machines, tmp_path / "lamps", fault, name, kind, _AWAY_S[fault])
    during, disturbed = outcome.during, outcome.disturbed
    if disturbed not in _STORES:
        assert {name for name, _ in during.failures} <= {disturbed}, during.failures
        assert set(during.found) >= set(SERVERS) - {disturbed}
