"""Measures the live sockets beside a bare Tornado: `make bench-sockets ARGS="--operations 1 --deflate"`.

Starts `bin/semantik-server` and a Tornado that only writes, connects the same sockets to each, and sends both the same
messages in turn: bursts, then a steady rate. The figures belong to the machine and the moment; the ratios of one run
can be compared. Exits with 1 when a message was lost, came twice, or a socket was closed.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from types import FrameType
from typing import Any

import psutil

from bench import bare, readers, report
from bench.bare import Load
from bench.ours import ours
from bench.report import Figures

_ANSWER_S = 120
_SETTLE_S = 1.0
_SPARE_FILES = 500
_KIB = 1 << 10
_OF_ROUNDS: dict[str, Callable[[Iterable[float]], float]] = {
    "delivered": sum,
    "delivered_per_s": statistics.median,
    "cpu_us_per_message": statistics.median,
    "cpu_share": statistics.median,
    "waited_share": statistics.median,
    "p50_ms": statistics.median,
    "p99_ms": statistics.median,
    "max_ms": max,
    "wire_bytes_per_message": statistics.median,
    "reader_cpu_share": statistics.median,
    "lost": sum,
    "repeated": sum,
}


@dataclass
class Side:
    """One server, its readers, and what was measured of it."""

    name: str
    pid: int
    send: Callable[[Load], int]
    pipe: Connection
    sockets: int
    last_seq: int = 0
    empty: Figures = field(default_factory=dict)
    rounds: dict[str, list[Figures]] = field(default_factory=lambda: {"burst": [], "steady": []})
    figures: Figures = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def weigh(self) -> Figures:
        """Memory a socket in KiB, over what the server had before the first."""
        info = psutil.Process(self.pid).memory_full_info()
        return {
            "rss_kib": (info.rss / _KIB - self.empty.get("rss_kib", 0)) / (self.sockets if self.empty else 1),
            "uss_kib": (info.uss / _KIB - self.empty.get("uss_kib", 0)) / (self.sockets if self.empty else 1),
        }

    def run(self, count: int, rate: float = 0) -> Figures:
        """Send `count` messages for each operation, and wait until every socket has them."""
        load = Load(self.last_seq + 1, self.last_seq + count, rate)
        self.last_seq = load.last
        self.pipe.send(load.last)
        _answer(self.pipe)
        cpu_before, waited_before = self._time()
        begun_ns = self.send(load)
        taken: readers.Taken = _answer(self.pipe)
        cpu_after, waited_after = self._time()
        cpu_s = cpu_after - cpu_before
        for name in ("lost", "repeated", "foreign"):
            if number := getattr(taken, name):
                self.faults.append(f"{number} messages {name}")
        if taken.closed:
            self.faults.append(f"{len(taken.closed)} sockets closed, the first with: {taken.closed[0]}")
        wall_s = (taken.last_ns - begun_ns) / 1e9
        waits = taken.waits_ns or [0]
        return {
            "delivered": taken.delivered,
            "delivered_per_s": taken.delivered / wall_s,
            "cpu_us_per_message": 1e6 * cpu_s / max(1, taken.delivered),
            "cpu_share": cpu_s / wall_s,
            "waited_share": (waited_after - waited_before) / wall_s,
            "p50_ms": waits[len(waits) // 2] / 1e6,
            "p99_ms": waits[len(waits) * 99 // 100] / 1e6,
            "max_ms": waits[-1] / 1e6,
            "wire_bytes_per_message": taken.wire_bytes / max(1, taken.delivered),
            "reader_cpu_share": taken.cpu_s / taken.wall_s,
            "lost": taken.lost,
            "repeated": taken.repeated,
        }

    def _time(self) -> tuple[float, float]:
        """CPU seconds of the server's threads, and seconds that its loop was ready to run but had no core."""
        process = Path(f"/proc/{self.pid}")
        threads = [path.read_text().split() for path in process.glob("task/*/schedstat")]
        waited_ns = int((process / "schedstat").read_text().split()[1])
        return sum(int(thread[0]) for thread in threads) / 1e9, waited_ns / 1e9


def measure(options: argparse.Namespace) -> list[Side]:
    """Both sides, measured in turn."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="semantik-bench-")))
        _say("starting the servers")
        server = stack.enter_context(ours(folder, options.operations, options.sockets, options.burst))
        minimum, tornado_pid = stack.enter_context(_child(bare.main, server.operation_ids))
        port = _answer(minimum)
        bare_paths = tuple(f"/{number}" for number in range(options.operations))

        def send_bare(load: Load) -> int:
            minimum.send(load)
            return int(_answer(minimum))

        sides = []
        for name, pid, at, paths, send in (
            ("ours", server.pid, server.port, server.paths, server.send),
            ("bare", tornado_pid, port, bare_paths, send_bare),
        ):
            _say(f"{name}: connecting {options.sockets} sockets")
            plan = readers.Plan("127.0.0.1", at, paths, options.sockets, options.deflate)
            empty = Side(name, pid, send, minimum, options.sockets).weigh()
            begun = time.monotonic()
            pipe, _ = stack.enter_context(_child(readers.main, plan))
            _answer(pipe)
            side = Side(name, pid, send, pipe, options.sockets, empty=empty)
            side.figures["connect_s"] = time.monotonic() - begun
            sides.append(side)
        _take_turns(sides, options)
        if found := server.complaints():
            _say(f"the server's log has {len(found)} warnings, the last: {found[-1]}")
        return sides


def _take_turns(sides: list[Side], options: argparse.Namespace) -> None:
    time.sleep(_SETTLE_S)
    for side in sides:
        side.figures |= {f"idle_{name}": value for name, value in side.weigh().items()}
    for kind, count, rate in (
        ("burst", options.burst, 0.0),
        ("steady", max(1, round(options.rate * options.seconds)), options.rate),
    ):
        for number in range(options.rounds):
            for side in sides:
                found = side.run(count, rate)
                side.rounds[kind].append(found)
                told = f"{found['delivered_per_s']:,.0f} delivered/s, p50 {found['p50_ms']:,.1f} ms"
                _say(f"{kind} {number + 1} of {options.rounds}, {side.name}: {told}")
    time.sleep(_SETTLE_S)
    for side in sides:
        side.figures |= {f"after_{name}": value for name, value in side.weigh().items()}
        for kind, rounds in side.rounds.items():
            for name, choose in _OF_ROUNDS.items():
                side.figures[f"{kind}_{name}"] = choose(each[name] for each in rounds)
        for name in ("lost", "repeated"):
            side.figures[name] = side.figures[f"burst_{name}"] + side.figures[f"steady_{name}"]


@contextmanager
def _child(work: Callable[..., None], plan: object) -> Iterator[tuple[Connection, int]]:
    """A process of our own at the other end of a pipe; it has ended when this leaves."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=work, args=(there, plan), daemon=True)
    process.start()
    there.close()
    assert process.pid is not None
    try:
        yield here, process.pid
    finally:
        process.terminate()
        process.join()
        here.close()


def _answer(pipe: Connection) -> Any:
    if not pipe.poll(_ANSWER_S):
        raise SystemExit(f"A process of the load tool did not answer within {_ANSWER_S} s.")
    try:
        return pipe.recv()
    except EOFError:
        raise SystemExit("A process of the load tool has ended; what it said stands above.") from None


def _raise_file_limit(wanted: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < wanted:
        raise SystemExit(f"{wanted} open files are needed and {hard} allowed: raise `ulimit -Hn`.")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))


def _leave(number: int, _: FrameType | None) -> None:
    """Every `with` is left on the way out, once: another signal does not disturb it."""
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)
    sys.exit(128 + number)


def _say(line: str) -> None:
    print(f"  {line}", file=sys.stderr, flush=True)


def _parse() -> argparse.Namespace:
    shape = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="bench-sockets", description=__doc__, formatter_class=shape)
    parser.add_argument("--sockets", type=int, default=1000, help="sockets for each server [1000]")
    parser.add_argument("--operations", type=int, default=10, help="that the sockets are spread over [10]")
    parser.add_argument("--burst", type=int, default=100, help="messages an operation in a burst [100]")
    parser.add_argument(
        "--rounds", type=int, default=3, help="of bursts and of a steady rate; medians count [3]"
    )
    parser.add_argument("--rate", type=float, default=20.0, help="messages an operation and second [20]")
    parser.add_argument("--seconds", type=float, default=3.0, help="of the steady rate in a round [3]")
    parser.add_argument("--deflate", action="store_true", help="offer permessage-deflate, as browsers do")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures here, too")
    options = parser.parse_args()
    if min(options.sockets, options.operations, options.burst, options.rounds) < 1:
        parser.error("sockets, operations, burst and rounds are at least 1")
    if min(options.rate, options.seconds) <= 0:
        parser.error("rate and seconds are above 0")
    return options


def main() -> int:
    options = _parse()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _leave)
    _raise_file_limit(options.sockets + _SPARE_FILES)
    machine = report.machine()
    sides = measure(options)
    kind = "permessage-deflate" if options.deflate else "no compression"
    print(f"{options.sockets} sockets on {options.operations} operations, {kind}; {machine}\n")
    figures = {side.name: side.figures for side in sides}
    offered_per_s = options.rate * options.sockets
    print(report.table(figures["ours"], figures["bare"], offered_per_s))
    doubts = report.doubts(figures, offered_per_s)
    faults = [f"{side.name}: {fault}" for side in sides for fault in side.faults]
    for line in (*doubts, *faults):
        print(line)
    if options.json:
        told: dict[str, Any] = {
            "machine": machine,
            "options": vars(options),
            "doubts": doubts,
            "faults": faults,
        }
        told |= {side.name: {**side.figures, "rounds": side.rounds} for side in sides}
        options.json.write_text(json.dumps(told, indent=2, default=str) + "\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
