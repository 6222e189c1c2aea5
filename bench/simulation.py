"""A discrete-event simulation of an INDEX: its queues, the processors of each machine, and processes that die.

A document is read and embedded by a worker, then passes the server, then the stores. The workers of the server's
machine share its processors with the server and the stores, which come first, as by their niceness. Each machine more
has only workers, and each task takes `transfer_s` to get there and back. What a dead process held is done again.

`python -m bench.simulation` prints what machines and failures change for the costs of a measured run (see the measure
`simulation`), or for those given.
"""

from __future__ import annotations

import argparse
import json
import math
import random
from collections import deque
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from typing import Any

import simpy

from bench.corpus import WORK_FOLDER

COSTS_FILE = WORK_FOLDER / "simulation-costs.json"

_SLICE_S = 0.004  # a process keeps a processor for so long
_SERVING, _WORKING = 0, 1  # priorities: the smaller goes first
_TASKS_IN_FLIGHT = 2  # for each worker: one that is worked on, one that waits

Steps = Generator[simpy.Event, Any, None]


@dataclass(frozen=True)
class Costs:
    """Processor seconds of one document in a worker, the server, and the stores; `documents_per_task` go together."""

    worker_s: float
    server_s: float
    store_s: float
    documents_per_task: int = 16
    transfer_s: float = 0.0


@dataclass(frozen=True)
class Machine:
    cores: int
    workers: int


@dataclass(frozen=True)
class Failures:
    """Mean seconds between two deaths, of each worker and of the server, and how long each is away."""

    worker_mean_s: float = math.inf
    worker_away_s: float = 2.0
    server_mean_s: float = math.inf
    server_away_s: float = 18.0


@dataclass(frozen=True)
class Outcome:
    """`seconds` until all documents were stored; so many were `repeated`; `busy`: share of all worker time at work."""

    documents: int
    seconds: float
    repeated: int
    busy: float

    @property
    def rate(self) -> float:
        """Documents per second."""
        return self.documents / self.seconds


@dataclass(eq=False)
class _Task:
    documents: int
    begun: bool = False


@dataclass(eq=False)
class _Processors:
    """The processors of one machine, given to processes in slices."""

    env: simpy.Environment
    cores: int
    _resource: simpy.PriorityResource = field(init=False)

    def __post_init__(self) -> None:
        self._resource = simpy.PriorityResource(self.env, self.cores)

    def use(self, seconds: float, priority: int) -> Steps:
        while seconds > 0:
            with self._resource.request(priority) as turn:
                yield turn
                yield self.env.timeout(min(seconds, _SLICE_S))
            seconds -= _SLICE_S


class _Index:
    """One INDEX: tasks wait in `_waiting`, `_in_flight` bounds those that workers have or that wait to be stored."""

    def __init__(
        self, documents: int, costs: Costs, machines: Sequence[Machine], failures: Failures, seed: int
    ) -> None:
        self.env = simpy.Environment()
        self._costs, self._failures = costs, failures
        self._random = random.Random(seed)
        full, rest = divmod(documents, costs.documents_per_task)
        self._waiting = deque(
            _Task(size) for size in (*[costs.documents_per_task] * full, *([rest] if rest else []))
        )
        self._unfinished = set(self._waiting)
        workers = sum(each.workers for each in machines)
        self._for_workers = simpy.Store(self.env, capacity=max(1, (_TASKS_IN_FLIGHT - 1) * workers))
        self._for_server = simpy.Store(self.env, capacity=_TASKS_IN_FLIGHT * workers)
        self._for_stores = simpy.Store(self.env, capacity=_TASKS_IN_FLIGHT * workers)
        self._changed = self.env.event()
        self._serving = self.env.event().succeed()  # no server is there until it has happened
        self.finished = self.env.event()
        self.repeated = 0
        self.working_s = 0.0
        processors = [_Processors(self.env, each.cores) for each in machines]
        self.env.process(self._dispatch())
        self.env.process(self._pass_on(processors[0], costs.server_s, self._for_server, self._to_stores))
        self.env.process(self._pass_on(processors[0], costs.store_s, self._for_stores, self._finish))
        for number, machine in enumerate(machines):
            for _ in range(machine.workers):
                transfer_s = costs.transfer_s if number else 0.0
                self._let_die(self.env.process(self._work(processors[number], transfer_s)))
        if failures.server_mean_s < math.inf:
            self.env.process(self._server_deaths())

    def _let_die(self, worker: simpy.Process) -> None:
        def deaths() -> Steps:
            while True:
                yield self.env.timeout(self._random.expovariate(1 / self._failures.worker_mean_s))
                worker.interrupt()

        if self._failures.worker_mean_s < math.inf:
            self.env.process(deaths())

    def _dispatch(self) -> Steps:
        while True:
            while self._waiting:
                yield self._serving
                yield self._for_workers.put(self._waiting.popleft())
            yield self._changed

    def _work(self, processors: _Processors, transfer_s: float) -> Steps:
        while True:
            task: _Task | None = None
            try:
                task = yield self._for_workers.get()
                if task not in self._unfinished:
                    continue
                started = self.env.now
                task.begun = True
                yield self.env.timeout(transfer_s)
                yield from processors.use(task.documents * self._costs.worker_s, _WORKING)
                self.working_s += self.env.now - started
                yield self._for_server.put(task)
            except simpy.Interrupt:
                if task is not None:
                    self._repeat([task])
                yield from self._away()

    def _away(self) -> Steps:
        """A dead worker comes back; one that dies meanwhile is away as long again."""
        try:
            yield self.env.timeout(self._failures.worker_away_s)
        except simpy.Interrupt:
            yield from self._away()

    def _repeat(self, tasks: Sequence[_Task]) -> None:
        """Put new tasks in place of those that a dead process held; what is left of the old ones is ignored."""
        for task in [each for each in tasks if each in self._unfinished]:
            self.repeated += task.documents if task.begun else 0
            self._unfinished.discard(task)
            self._unfinished.add(again := _Task(task.documents))
            self._waiting.append(again)
        changed, self._changed = self._changed, self.env.event()
        changed.succeed()

    def _pass_on(
        self,
        processors: _Processors,
        seconds: float,
        source: simpy.Store,
        then: Callable[[_Task], simpy.Event | None],
    ) -> Steps:
        while True:
            task = yield source.get()
            yield self._serving
            if task in self._unfinished:
                yield from processors.use(task.documents * seconds, _SERVING)
                if (event := then(task)) is not None:
                    yield event

    def _to_stores(self, task: _Task) -> simpy.Event:
        return self._for_stores.put(task)

    def _finish(self, task: _Task) -> None:
        self._unfinished.discard(task)
        if not self._unfinished and not self.finished.triggered:
            self.finished.succeed()

    def _server_deaths(self) -> Steps:
        """What is not stored is lost with the server; the one that takes over begins with all that is not."""
        while True:
            yield self.env.timeout(self._random.expovariate(1 / self._failures.server_mean_s))
            self._serving = self.env.event()
            waiting = set(self._waiting)
            self._repeat([each for each in self._unfinished if each not in waiting])
            yield self.env.timeout(self._failures.server_away_s)
            self._serving.succeed()


def simulate(
    documents: int,
    costs: Costs,
    machines: Sequence[Machine],
    failures: Failures = Failures(),
    seed: int = 1,
) -> Outcome:
    """Run one INDEX of so many documents on the machines, of which the first is the server's. Deterministic."""
    index = _Index(documents, costs, machines, failures, seed)
    index.env.run(index.finished)
    workers = sum(each.workers for each in machines)
    return Outcome(
        documents, index.env.now, index.repeated, index.working_s / (workers * max(index.env.now, 1e-9))
    )


def bound(costs: Costs, machines: Sequence[Machine]) -> tuple[float, str]:
    """The highest rate that the processors allow, in documents per second, and what it is that gives way first."""
    server, *others = machines
    serving_s = costs.server_s + costs.store_s
    remote = sum(min(each.cores, each.workers) for each in others) / costs.worker_s
    # Local workers get what the server and the stores leave them of their machine.
    shared = (server.cores + remote * costs.worker_s) / (costs.worker_s + serving_s)
    local = min(server.workers, server.cores) / costs.worker_s
    bounds = {
        "the process of the server": 1 / costs.server_s,
        "the stores": 1 / costs.store_s,
        "the processors of the server's machine": server.cores / serving_s,
        "the workers": min(local + remote, shared) if server.workers else remote,
    }
    name = min(bounds, key=bounds.__getitem__)
    return bounds[name], name


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.simulation", description=__doc__)
    parser.add_argument("--documents", type=int, default=20_000, help="(default: %(default)s)")
    parser.add_argument("--worker-s", type=float, help="processor seconds of a document in a worker")
    parser.add_argument("--server-s", type=float, help="the same in the server")
    parser.add_argument("--store-s", type=float, help="the same in the stores")
    parser.add_argument("--transfer-s", type=float, default=0.05, help="of a task (default: %(default)s)")
    arguments = parser.parse_args()
    given = {name: getattr(arguments, name) for name in ("worker_s", "server_s", "store_s")}
    if None in given.values():
        if not COSTS_FILE.exists():
            parser.error(
                "Give all three costs, or run `python -m bench simulation` first, which measures them."
            )
        given = json.loads(COSTS_FILE.read_text()) | {
            name: value for name, value in given.items() if value is not None
        }
    costs = Costs(**given | {"transfer_s": arguments.transfer_s})
    print("| machines | deaths | documents/s | bound | gives way first | workers busy | done again |")
    print("| --- | --- | ---: | ---: | --- | ---: | ---: |")
    for name, machines in _MACHINES.items():
        for death, failures in _FAILURES.items():
            outcome = simulate(arguments.documents, costs, machines, failures)
            rate, first = bound(costs, machines)
            print(
                f"| {name} | {death} | {outcome.rate:.0f} | {rate:.0f} | {first} | {outcome.busy:.0%}"
                f" | {outcome.repeated / outcome.documents:.2%} |"
            )


_MACHINES = {
    "1 with 2 processors": [Machine(2, 2)],
    "1 with 8": [Machine(8, 8)],
    "1 with 8, no workers; 2 with 16": [Machine(8, 0), *[Machine(16, 16)] * 2],
    "1 with 8, no workers; 8 with 16": [Machine(8, 0), *[Machine(16, 16)] * 8],
}
_FAILURES = {
    "none": Failures(),
    "each worker once a minute": Failures(worker_mean_s=60),
    "the server every 5 minutes": Failures(server_mean_s=300),
}

if __name__ == "__main__":
    main()
