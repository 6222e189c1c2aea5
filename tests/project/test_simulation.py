"""The simulation of an INDEX keeps to what is known without it."""

from __future__ import annotations

import pytest

from bench.simulation import Costs, Failures, Machine, bound, simulate

COSTS = Costs(worker_s=0.008, server_s=0.003, store_s=0.002, documents_per_task=10)
ONE_MACHINE = [Machine(cores=2, workers=2)]


@pytest.mark.parametrize(
    ("machines", "rate", "first"),
    [
        ([Machine(2, 1)], 1 / 0.008, "the workers"),
        (ONE_MACHINE, 2 / 0.013, "the workers"),
        ([Machine(2, 4)], 2 / 0.013, "the workers"),
        ([Machine(4, 0), Machine(16, 16)], 1 / 0.003, "the process of the server"),
        ([Machine(1, 0), Machine(16, 16)], 1 / 0.005, "the processors of the server's machine"),
    ],
)
def test_without_failures_what_gives_way_first_sets_the_rate(
    machines: list[Machine], rate: float, first: str
) -> None:
    assert bound(COSTS, machines) == (pytest.approx(rate), first)
    assert simulate(4000, COSTS, machines).rate == pytest.approx(rate, rel=0.04)


def test_what_dead_processes_held_is_done_again_and_all_is_done_in_the_end() -> None:
    whole = simulate(4000, COSTS, ONE_MACHINE)
    for failures in (Failures(worker_mean_s=5), Failures(server_mean_s=10, server_away_s=3)):
        outcome = simulate(4000, COSTS, ONE_MACHINE, failures, seed=3)
        assert 0 < outcome.repeated < 4000 and outcome.seconds > whole.seconds
        assert outcome == simulate(4000, COSTS, ONE_MACHINE, failures, seed=3)


def test_the_transfer_of_a_task_adds_to_its_time_at_the_worker() -> None:
    machines = [Machine(4, 0), Machine(2, 2)]
    slow = Costs(COSTS.worker_s, COSTS.server_s, COSTS.store_s, 10, transfer_s=0.04)
    assert simulate(2000, slow, machines).rate == pytest.approx(2 / (0.008 + 0.004), rel=0.05)
