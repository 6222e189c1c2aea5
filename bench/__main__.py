"""Runs the benchmarks and prints one table: `make bench` runs all, `make bench ARGS="query engines"` some of them.

Each measure is a module of `bench/measures` and runs in its own process, one after the other. After each measure the
results and the machine are saved as JSON. Results depend on the machine; only ratios within one run are comparable.
"""

from __future__ import annotations

import argparse
import importlib
import json
import pkgutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from bench import measures
from bench.results import Result, table
from bench.sockets_report import machine

ROOT = Path(__file__).resolve().parent.parent
OUTPUT = ROOT / "build" / "bench.json"


def main() -> int:
    known = sorted(module.name for module in pkgutil.iter_modules(measures.__path__))
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("measures", nargs="*", help=f"the measures to run (default: all): {', '.join(known)}")
    parser.add_argument("--json", type=Path, default=OUTPUT, help="the output file (%(default)s)")
    parser.add_argument(
        "--one", action="store_true", help="run one measure in this process, and print its results as JSON"
    )
    arguments = parser.parse_args()
    if unknown := set(arguments.measures) - set(known):
        parser.error(f"There is no measure {', '.join(sorted(unknown))}; there are {', '.join(known)}.")
    if arguments.one:
        for result in _module(arguments.measures[0]).measure():
            print(json.dumps(vars(result)), flush=True)
        return 0
    return _run(arguments.measures or known, arguments.json)


def _run(names: list[str], output: Path) -> int:
    all_results: list[Result] = []
    failed = []
    record: dict[str, Any] = {"machine": machine(), "command": " ".join(sys.argv[1:]), "measures": {}}
    for name in names:
        started = time.perf_counter()
        print(f"{name}: {(_module(name).__doc__ or '').splitlines()[0]}", file=sys.stderr)
        command = [sys.executable, "-m", "bench", "--one", name]
        process = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False, cwd=ROOT)
        results = [Result(**json.loads(line)) for line in process.stdout.splitlines()]
        if process.returncode:
            failed.append(name)
        all_results += results
        record["measures"][name] = {
            "seconds": round(time.perf_counter() - started, 1),
            "complete": not process.returncode,
            "results": [result.as_json() for result in results],
        }
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(json.dumps(record, indent=2) + "\n")
        print(table(results), file=sys.stderr)
    print(table(all_results))
    if failed:
        print(f"These measures failed: {', '.join(failed)}.", file=sys.stderr)
    return 1 if failed else 0


def _module(name: str) -> Any:
    return importlib.import_module(f"bench.measures.{name}")


if __name__ == "__main__":
    sys.exit(main())
