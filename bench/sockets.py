"""Measures the live sockets beside a bare Tornado: `make bench-sockets ARGS="--operations 1 --deflate"`.

Starts `bin/semantik-server` and a Tornado that only writes, connects the same sockets to each, and sends both the same
messages: bursts, in turn, then a steady rate. The figures belong to the machine and the moment; the ratios of one run
can be compared. Exits with 1 when a message was lost, came twice, or a socket was closed.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import platform
import resource
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from types import FrameType
from typing import Any

import psutil
import tornado

from bench import bare, readers
from bench.bare import Load
from bench.ours import ours

_ANSWER_S = 120
_SETTLE_S = 1.0
_SPARE_FILES = 500
_KIB = 1 << 10
Figures = dict[str, float]


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
    bursts: list[Figures] = field(default_factory=list)
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
        process = psutil.Process(self.pid)
        before = sum(process.cpu_times()[:2])
        begun_ns = self.send(load)
        taken: readers.Taken = _answer(self.pipe)
        cpu_s = sum(process.cpu_times()[:2]) - before
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
            "p50_ms": waits[len(waits) // 2] / 1e6,
            "p99_ms": waits[len(waits) * 99 // 100] / 1e6,
            "max_ms": waits[-1] / 1e6,
            "wire_bytes_per_message": taken.wire_bytes / max(1, taken.delivered),
            "reader_cpu_share": taken.cpu_s / taken.wall_s,
            "lost": taken.lost,
            "repeated": taken.repeated,
        }


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
    for number in range(options.rounds):
        for side in sides:
            side.bursts.append(side.run(options.burst))
            rate = side.bursts[-1]["delivered_per_s"]
            _say(f"burst {number + 1} of {options.rounds}, {side.name}: {rate:,.0f} delivered/s")
    for side in sides:
        for name in side.bursts[0]:
            side.figures[f"burst_{name}"] = statistics.median(each[name] for each in side.bursts)
        _say(f"{side.name}: {options.rate:g} messages/s for each operation, {options.seconds:g} s")
        steady = side.run(max(1, round(options.rate * options.seconds)), options.rate)
        side.figures |= {f"steady_{name}": value for name, value in steady.items()}
        for name in ("lost", "repeated"):
            side.figures[name] = steady[name] + sum(each[name] for each in side.bursts)
    time.sleep(_SETTLE_S)
    for side in sides:
        side.figures |= {f"after_{name}": value for name, value in side.weigh().items()}


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


def _table(sides: list[Side], offered_per_s: float) -> str:
    one, other = (side.figures for side in sides)
    rows = [
        ("burst: delivered/s", "burst_delivered_per_s", "{:,.0f}"),
        ("burst: server CPU µs per delivered message", "burst_cpu_us_per_message", "{:.1f}"),
        ("burst: server CPU share of a core", "burst_cpu_share", "{:.2f}"),
        ("burst: reader CPU share of a core", "burst_reader_cpu_share", "{:.2f}"),
        (f"steady: delivered/s, of {offered_per_s:,.0f} offered", "steady_delivered_per_s", "{:,.0f}"),
        ("steady: p50 from XADD to receipt, ms", "steady_p50_ms", "{:.2f}"),
        ("steady: p99, ms", "steady_p99_ms", "{:.2f}"),
        ("steady: max, ms", "steady_max_ms", "{:.2f}"),
        ("steady: server CPU µs per delivered message", "steady_cpu_us_per_message", "{:.1f}"),
        ("steady: server CPU share of a core", "steady_cpu_share", "{:.2f}"),
        ("steady: reader CPU share of a core", "steady_reader_cpu_share", "{:.2f}"),
        ("memory a socket, idle: USS, KiB", "idle_uss_kib", "{:.1f}"),
        ("memory a socket, idle: RSS, KiB", "idle_rss_kib", "{:.1f}"),
        ("memory a socket, after the load: USS, KiB", "after_uss_kib", "{:.1f}"),
        ("memory a socket, after the load: RSS, KiB", "after_rss_kib", "{:.1f}"),
        ("bytes of a message on the wire", "burst_wire_bytes_per_message", "{:.0f}"),
        ("seconds to connect all sockets", "connect_s", "{:.1f}"),
        ("messages lost", "lost", "{:.0f}"),
        ("messages repeated", "repeated", "{:.0f}"),
    ]
    lines = [f"{'':44}{'ours':>12}{'bare Tornado':>14}{'ours / bare':>13}"]
    for title, name, shape in rows:
        ratio = f"{one[name] / other[name]:.2f}" if other[name] > 0 else ""
        lines.append(f"{title:44}{shape.format(one[name]):>12}{shape.format(other[name]):>14}{ratio:>13}")
    return "\n".join(lines)


def _machine() -> dict[str, Any]:
    model = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    return {
        "processor": model[0].partition(": ")[2] if model else platform.machine(),
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / (1 << 30), 1),
        "load_before": os.getloadavg()[0],
        "kernel": platform.release(),
        "python": platform.python_version(),
        "tornado": tornado.version,
    }


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
    parser.add_argument("--rounds", type=int, default=3, help="bursts for each server; the median counts [3]")
    parser.add_argument("--rate", type=float, default=20.0, help="messages an operation and second [20]")
    parser.add_argument("--seconds", type=float, default=8.0, help="of the steady rate [8]")
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
    machine = _machine()
    sides = measure(options)
    kind = "permessage-deflate" if options.deflate else "no compression"
    print(f"{options.sockets} sockets on {options.operations} operations, {kind}; {machine}\n")
    print(_table(sides, options.rate * options.sockets))
    faults = [f"{side.name}: {fault}" for side in sides for fault in side.faults]
    for fault in faults:
        print(fault)
    if options.json:
        figures: dict[str, Any] = {"machine": machine, "options": vars(options), "faults": faults}
        figures |= {side.name: {**side.figures, "bursts": side.bursts} for side in sides}
        options.json.write_text(json.dumps(figures, indent=2, default=str) + "\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
