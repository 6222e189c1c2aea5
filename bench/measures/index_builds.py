"""An INDEX of real documents from end to end, both indexes made, beside the build that made vectors alone."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from bench import corpus
from bench.previous_build import PREVIOUS_COMMIT, previous_build
from bench.results import Result
from bench.server_process import ROOT, index_until_found, run_server

_ROUNDS = 3


def measure() -> Iterator[Result]:
    builds = (ROOT, previous_build(PREVIOUS_COMMIT))
    folder = corpus.documents()
    rounds: tuple[list[float], ...] = ([], [])
    chunks = [0, 0]
    for number in range(_ROUNDS):
        for build in (0, 1) if number % 2 else (1, 0):
            seconds, chunks[build] = asyncio.run(_index(builds[build], folder))
            rounds[build].append(seconds)
    files = sum(path.is_file() for path in folder.rglob("*"))
    yield Result(
        "INDEX of real documents until they are found",
        files / median(rounds[0]),
        "documents/s",
        files / median(rounds[1]),
        PREVIOUS_COMMIT,
        minimum=0.95,
        note=f"{files} documents, median of {_ROUNDS}, in turns; {chunks[0]:,} and {chunks[1]:,} chunks",
    )


async def _index(build: Path, folder: Path) -> tuple[float, int]:
    """Seconds until a search finds the documents, and their chunks."""
    with tempfile.TemporaryDirectory(dir=corpus.WORK_FOLDER) as data:
        async with run_server(data, build=build) as server:
            seconds, record = await index_until_found(server, folder)
    return seconds, record["result"]["chunks"]
