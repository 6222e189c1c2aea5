"""Runs the benchmarks and prints one table: `make bench` runs the standard ones, `make bench ARGS="query engines"`
some, `make bench ARGS=all` all; `make bench QUICK=1` does less of each.

`python -m bench compare REVISION [NAME ...]` measures this build beside that of another revision of this repository,
in turns. Each measure runs in its own process, one after the other, and each result is printed as soon as it is there.
After each measure the results and the machine are saved as JSON. Results depend on the machine; only ratios within one
run are comparable.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import pkgutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from bench import comparisons, measures, sizes
from bench.previous_build import previous_build, resolved
from bench.results import Result, line, table
from bench.sockets_report import machine

ROOT = Path(__file__).resolve().parent.parent
OUTPUT = ROOT / "build" / "bench.json"
_COMPARE = "compare"


def main() -> int:
    known = sorted(module.name for module in pkgutil.iter_modules(measures.__path__))
    pairs, usual = (", ".join(names) for names in (comparisons.COMPARISONS, comparisons.STANDARD))
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument(
        "measures",
        nargs="*",
        help=f"all, or the measures to run (default: {', '.join(measures.STANDARD)}): {', '.join(known)}; or "
        f"{_COMPARE} REVISION, and what to compare (default: {usual}): {pairs}",
    )
    parser.add_argument("--json", type=Path, default=OUTPUT, help="the output file (%(default)s)")
    parser.add_argument("--quick", action="store_true", help="do less of each; the table says so")
    parser.add_argument(
        "--one", action="store_true", help="run one measure in this process, and print its results as JSON"
    )
    arguments = parser.parse_args()
    if arguments.quick:
        os.environ[sizes.VARIABLE] = "1"
    names: list[str] = arguments.measures
    if names[:1] == [_COMPARE]:
        return _run_comparisons(parser, names[1:], arguments)
    if names == ["all"]:
        names = known
    if unknown := set(names) - set(known):
        parser.error(f"There is no measure {', '.join(sorted(unknown))}; there are {', '.join(known)}.")
    if arguments.one:
        _print_results(_module(names[0]).measure())
        return 0
    commands = {name: [name] for name in names or measures.STANDARD}
    return _run(commands, arguments.json, lambda name: _module(name).__doc__ or "")


def _run_comparisons(parser: argparse.ArgumentParser, names: list[str], arguments: argparse.Namespace) -> int:
    if not names:
        parser.error(f"{_COMPARE} needs a revision: {_COMPARE} REVISION [NAME ...].")
    chosen = names[1:] or list(comparisons.STANDARD)
    if unknown := set(chosen) - set(comparisons.COMPARISONS):
        there = ", ".join(comparisons.COMPARISONS)
        parser.error(f"There is nothing to compare called {', '.join(sorted(unknown))}; there are {there}.")
    commit = resolved(names[0])
    if commit is None:
        parser.error(f"There is no revision {names[0]} in this repository.")
    build = previous_build(commit)
    if arguments.one:
        _print_results(comparisons.compare(chosen[0], build, names[0]))
        return 0
    commands = {name: [_COMPARE, names[0], name] for name in chosen}
    return _run(commands, arguments.json, comparisons.description)


def _print_results(results: Iterator[Result]) -> None:
    for result in results:
        print(json.dumps(vars(result)), flush=True)


def _run(commands: dict[str, list[str]], output: Path, describe: Callable[[str], str]) -> int:
    all_results: list[Result] = []
    failed = []
    record: dict[str, Any] = {"machine": machine(), "command": " ".join(sys.argv[1:]), "measures": {}}
    for name, words in commands.items():
        started = time.perf_counter()
        print(f"{name}: {describe(name).splitlines()[0]}", file=sys.stderr)
        results, complete = _run_one(words)
        if not complete:
            failed.append(name)
        all_results += results
        record["measures"][name] = {
            "seconds": round(time.perf_counter() - started, 1),
            "complete": complete,
            "results": [result.as_json() for result in results],
        }
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(json.dumps(record, indent=2) + "\n")
    print(table(all_results))
    if os.environ.get(sizes.VARIABLE):
        print("Quick: less data and fewer rounds than in a full run.")
    if failed:
        print(f"These measures failed: {', '.join(failed)}.", file=sys.stderr)
    return 1 if failed else 0


def _run_one(words: list[str]) -> tuple[list[Result], bool]:
    """Run a measure in a process, and print each result as it comes; False when the process failed."""
    results = []
    command = [sys.executable, "-m", "bench", "--one", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        for text in process.stdout:
            results.append(Result(**json.loads(text)))
            print(f"  {line(results[-1])}", file=sys.stderr, flush=True)
    return results, process.returncode == 0


def _module(name: str) -> Any:
    return importlib.import_module(f"bench.measures.{name}")


if __name__ == "__main__":
    sys.exit(main())
