"""Tantivy beside FTS5 of SQLite and bm25s: build, search, disk and memory, at 100,000 and a million chunks."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

from bench.corpus import ROOT, WORK_FOLDER
from bench.keyword_engines import ENGINES
from bench.peers import venv
from bench.results import Result
from bench.vectors import MILLION

_SIZES = (100_000, MILLION)
_MEASURED = (
    ("built_s", "built", "CPU s"),
    ("p50_ms", "100 best of eight words", "CPU ms"),
    ("disk_share", "disk", "of the text"),
    ("memory_mb", "private memory", "MB"),
)


def measure() -> Iterator[Result]:
    small: dict[str, Any] = {}
    for count in _SIZES:
        found = {engine: _run(engine, count) for engine in ENGINES}
        for key, name, unit in _MEASURED:
            for engine in ENGINES[1:]:
                yield Result(
                    f"{name}, {count:,} chunks", found["tantivy"][key], unit, found[engine][key], engine
                )
        small = small or found["tantivy"]
    yield Result(
        "100 best of eight words, a million chunks",
        found["tantivy"]["p50_ms"],
        "CPU ms",
        small["p50_ms"],
        "100,000 chunks",
        maximum=2.0,
    )


def _run(engine: str, count: int) -> dict[str, Any]:
    folder = WORK_FOLDER / "keyword-engines"
    shutil.rmtree(folder, ignore_errors=True)
    python = str(venv.python()) if engine == "bm25s" else sys.executable
    command = [python, "-m", "bench.keyword_engines", engine, str(count), str(folder)]
    try:
        process = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, cwd=ROOT)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    found: dict[str, Any] = json.loads(process.stdout.splitlines()[-1])
    return found
