"""Compares the live sockets with a minimal Tornado server: `make bench-sockets ARGS="--operations 1 --deflate"`.

Starts `bin/semantik-server` and a Tornado server that only writes, connects the same sockets to each, and sends both
the same messages in turn: bursts, then a steady rate. Results depend on the machine; the ratios of one run are
comparable. Exits with 1 if a message was lost or repeated, or a socket was closed.
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

from bench import socket_readers, sockets_report, tornado_baseline
from bench.semantik_target import start_semantik
from bench.socket_rounds import ReaderPlan, RoundResult
from bench.sockets_report import Measurements
from bench.tornado_baseline import Load

_ANSWER_S = 120
_REST_S = 1.0
_EXTRA_FILES = 500
_KIB = 1 << 10
_AGGREGATES: dict[str, Callable[[Iterable[float]], float]] = {
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
class Target:
    """One server, its readers, and its measurements."""

    name: str
    pid: int
    send: Callable[[Load], int]
    pipe: Connection
    sockets: int
    last_seq: int = 0
    baseline_memory: Measurements = field(default_factory=dict)
    rounds: dict[str, list[Measurements]] = field(default_factory=lambda: {"burst": [], "steady": []})
    results: Measurements = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def memory_per_socket(self) -> Measurements:
        """Memory per socket in KiB, above the memory of the server before the first socket."""
        info = psutil.Process(self.pid).memory_full_info()
        return {
            "rss_kib": (info.rss / _KIB - self.baseline_memory.get("rss_kib", 0))
            / (self.sockets if self.baseline_memory else 1),
            "uss_kib": (info.uss / _KIB - self.baseline_memory.get("uss_kib", 0))
            / (self.sockets if self.baseline_memory else 1),
        }

    def run(self, count: int, rate: float = 0) -> Measurements:
        """Send `count` messages for each operation, and wait until every socket has them."""
        load = Load(self.last_seq + 1, self.last_seq + count, rate)
        self.last_seq = load.last
        self.pipe.send(load.last)
        _receive(self.pipe)
        cpu_before, waited_before = self._cpu_times()
        started_ns = self.send(load)
        received: RoundResult = _receive(self.pipe)
        cpu_after, waited_after = self._cpu_times()
        cpu_s = cpu_after - cpu_before
        for name in ("lost", "repeated", "mismatched"):
            if number := getattr(received, name):
                self.faults.append(f"{number} messages {name}")
        if received.closed:
            self.faults.append(f"{len(received.closed)} sockets closed, the first with: {received.closed[0]}")
        wall_s = (received.last_ns - started_ns) / 1e9
        latencies = received.latencies_ns or [0]
        return {
            "delivered": received.delivered,
            "delivered_per_s": received.delivered / wall_s,
            "cpu_us_per_message": 1e6 * cpu_s / max(1, received.delivered),
            "cpu_share": cpu_s / wall_s,
            "waited_share": (waited_after - waited_before) / wall_s,
            "p50_ms": latencies[len(latencies) // 2] / 1e6,
            "p99_ms": latencies[len(latencies) * 99 // 100] / 1e6,
            "max_ms": latencies[-1] / 1e6,
            "wire_bytes_per_message": received.wire_bytes / max(1, received.delivered),
            "reader_cpu_share": received.cpu_s / received.wall_s,
            "lost": received.lost,
            "repeated": received.repeated,
        }

    def _cpu_times(self) -> tuple[float, float]:
        """CPU seconds of the server's threads, and seconds that its loop was ready to run but waited for a core."""
        process = Path(f"/proc/{self.pid}")
        threads = [path.read_text().split() for path in process.glob("task/*/schedstat")]
        waited_ns = int((process / "schedstat").read_text().split()[1])
        return sum(int(thread[0]) for thread in threads) / 1e9, waited_ns / 1e9


def measure(options: argparse.Namespace) -> list[Target]:
    """Measure both servers in turn."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="semantik-bench-")))
        _log("starting the servers")
        server = stack.enter_context(
            start_semantik(folder, options.operations, options.sockets, options.burst)
        )
        baseline_pipe, tornado_pid = stack.enter_context(
            _child_process(tornado_baseline.main, server.operation_ids)
        )
        port = _receive(baseline_pipe)
        baseline_paths = tuple(f"/{number}" for number in range(options.operations))

        def send_baseline(load: Load) -> int:
            baseline_pipe.send(load)
            return int(_receive(baseline_pipe))

        targets = []
        for name, pid, target_port, paths, send in (
            ("semantik", server.pid, server.port, server.paths, server.send),
            ("tornado", tornado_pid, port, baseline_paths, send_baseline),
        ):
            _log(f"{name}: connecting {options.sockets} sockets")
            plan = ReaderPlan("127.0.0.1", target_port, paths, options.sockets, options.deflate)
            baseline_memory = Target(name, pid, send, baseline_pipe, options.sockets).memory_per_socket()
            started = time.monotonic()
            pipe, _ = stack.enter_context(_child_process(socket_readers.main, plan))
            _receive(pipe)
            target = Target(name, pid, send, pipe, options.sockets, baseline_memory=baseline_memory)
            target.results["connect_s"] = time.monotonic() - started
            targets.append(target)
        _run_rounds(targets, options)
        if warnings := server.logged_warnings():
            _log(f"the server's log has {len(warnings)} warnings, the last: {warnings[-1]}")
        return targets


def _run_rounds(targets: list[Target], options: argparse.Namespace) -> None:
    time.sleep(_REST_S)
    for target in targets:
        target.results |= {f"idle_{name}": value for name, value in target.memory_per_socket().items()}
    for kind, count, rate in (
        ("burst", options.burst, 0.0),
        ("steady", max(1, round(options.rate * options.seconds)), options.rate),
    ):
        for number in range(options.rounds):
            for target in targets:
                measured = target.run(count, rate)
                target.rounds[kind].append(measured)
                summary = f"{measured['delivered_per_s']:,.0f} delivered/s, p50 {measured['p50_ms']:,.1f} ms"
                _log(f"{kind} {number + 1} of {options.rounds}, {target.name}: {summary}")
    time.sleep(_REST_S)
    for target in targets:
        target.results |= {f"after_{name}": value for name, value in target.memory_per_socket().items()}
        for kind, rounds in target.rounds.items():
            for name, aggregate in _AGGREGATES.items():
                target.results[f"{kind}_{name}"] = aggregate(each[name] for each in rounds)
        for name in ("lost", "repeated"):
            target.results[name] = target.results[f"burst_{name}"] + target.results[f"steady_{name}"]


@contextmanager
def _child_process(function: Callable[..., None], plan: object) -> Iterator[tuple[Connection, int]]:
    """Start a process connected by a pipe; it has ended on exit."""
    context = multiprocessing.get_context("spawn")
    parent_end, child_end = context.Pipe()
    process = context.Process(target=function, args=(child_end, plan), daemon=True)
    process.start()
    child_end.close()
    assert process.pid is not None
    try:
        yield parent_end, process.pid
    finally:
        process.terminate()
        process.join()
        parent_end.close()


def _receive(pipe: Connection) -> Any:
    if not pipe.poll(_ANSWER_S):
        raise SystemExit(f"A process of the load tool did not answer within {_ANSWER_S} s.")
    try:
        return pipe.recv()
    except EOFError:
        raise SystemExit("A process of the load tool has ended; its output is above.") from None


def _raise_file_limit(wanted: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < wanted:
        raise SystemExit(f"{wanted} open files are needed and {hard} allowed: raise `ulimit -Hn`.")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))


def _exit_on_signal(number: int, _: FrameType | None) -> None:
    """Exit through every `with` block; further signals are ignored, so that the cleanup is not interrupted."""
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)
    sys.exit(128 + number)


def _log(line: str) -> None:
    print(f"  {line}", file=sys.stderr, flush=True)


def _parse() -> argparse.Namespace:
    formatter = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="bench-sockets", description=__doc__, formatter_class=formatter)
    parser.add_argument("--sockets", type=int, default=1000, help="sockets for each server [1000]")
    parser.add_argument(
        "--operations", type=int, default=10, help="operations that the sockets are distributed over [10]"
    )
    parser.add_argument("--burst", type=int, default=100, help="messages per operation in a burst [100]")
    parser.add_argument(
        "--rounds", type=int, default=3, help="rounds of bursts and of the steady rate; medians are shown [3]"
    )
    parser.add_argument("--rate", type=float, default=20.0, help="messages per operation and second [20]")
    parser.add_argument(
        "--seconds", type=float, default=3.0, help="seconds of the steady rate in a round [3]"
    )
    parser.add_argument("--deflate", action="store_true", help="offer permessage-deflate, as browsers do")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write all results to this file")
    options = parser.parse_args()
    if min(options.sockets, options.operations, options.burst, options.rounds) < 1:
        parser.error("sockets, operations, burst and rounds are at least 1")
    if min(options.rate, options.seconds) <= 0:
        parser.error("rate and seconds are above 0")
    return options


def main() -> int:
    options = _parse()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _exit_on_signal)
    _raise_file_limit(options.sockets + _EXTRA_FILES)
    machine = sockets_report.machine()
    targets = measure(options)
    kind = "permessage-deflate" if options.deflate else "no compression"
    print(f"{options.sockets} sockets on {options.operations} operations, {kind}; {machine}\n")
    results = {target.name: target.results for target in targets}
    offered_per_s = options.rate * options.sockets
    print(sockets_report.table(results["semantik"], results["tornado"], offered_per_s))
    caveats = sockets_report.caveats(results, offered_per_s)
    faults = [f"{target.name}: {fault}" for target in targets for fault in target.faults]
    for line in (*caveats, *faults):
        print(line)
    if options.json:
        record: dict[str, Any] = {
            "machine": machine,
            "options": vars(options),
            "caveats": caveats,
            "faults": faults,
        }
        record |= {target.name: {**target.results, "rounds": target.rounds} for target in targets}
        options.json.write_text(json.dumps(record, indent=2, default=str) + "\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
