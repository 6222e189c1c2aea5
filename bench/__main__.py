"""Everything that is measured, in one table: `make bench`, or some of it: `make bench ARGS="question engines"`.

Each measure is a module of `bench/measures` and runs in a process of its own, one after the other. The figures, with
the machine that they belong to, are saved as JSON after each of them; only ratios within one run compare anything.
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
from bench.figures import Figure, table
from bench.report import machine

ROOT = Path(__file__).resolve().parent.parent
SAVED = ROOT / "build" / "bench.json"


def main() -> int:
    known = sorted(module.name for module in pkgutil.iter_modules(measures.__path__))
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument(
        "measures", nargs="*", help=f"those to run; all, when none is named: {', '.join(known)}"
    )
    parser.add_argument("--json", type=Path, default=SAVED, help="where the figures are saved (%(default)s)")
    parser.add_argument(
        "--one", action="store_true", help="run one measure here, and print its figures as JSON"
    )
    arguments = parser.parse_args()
    if unknown := set(arguments.measures) - set(known):
        parser.error(f"There is no measure {', '.join(sorted(unknown))}; there are {', '.join(known)}.")
    if arguments.one:
        for figure in _module(arguments.measures[0]).measure():
            print(json.dumps(vars(figure)), flush=True)
        return 0
    return _run(arguments.measures or known, arguments.json)


def _run(names: list[str], saved: Path) -> int:
    figures: list[Figure] = []
    failed = []
    record: dict[str, Any] = {"machine": machine(), "command": " ".join(sys.argv[1:]), "measures": {}}
    for name in names:
        begun = time.perf_counter()
        print(f"{name}: {(_module(name).__doc__ or '').splitlines()[0]}", file=sys.stderr)
        command = [sys.executable, "-m", "bench", "--one", name]
        ended = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False, cwd=ROOT)
        found = [Figure(**json.loads(line)) for line in ended.stdout.splitlines()]
        if ended.returncode:
            failed.append(name)
        figures += found
        record["measures"][name] = {
            "seconds": round(time.perf_counter() - begun, 1),
            "complete": not ended.returncode,
            "figures": [figure.as_json() for figure in found],
        }
        saved.parent.mkdir(parents=True, exist_ok=True)
        saved.write_text(json.dumps(record, indent=2) + "\n")
        print(table(found), file=sys.stderr)
    print(table(figures))
    if failed:
        print(f"These ended with an error: {', '.join(failed)}.", file=sys.stderr)
    return 1 if failed else 0


def _module(name: str) -> Any:
    return importlib.import_module(f"bench.measures.{name}")


if __name__ == "__main__":
    sys.exit(main())
