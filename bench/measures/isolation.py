"""An INDEX of real documents in workers that are isolated, beside workers that may do what the server may."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from bench import corpus
from bench.results import Result
from bench.server_process import index_until_found, run_server

_ROUNDS = 4
_MODES = ("auto", "off")


def measure() -> Iterator[Result]:
    folder = corpus.documents()
    rates: dict[str, list[float]] = {mode: [] for mode in _MODES}
    for number in range(_ROUNDS):
        for mode in _MODES if number % 2 else _MODES[::-1]:
            rates[mode].append(asyncio.run(_chunks_per_s(mode, folder)))
    yield Result(
        "INDEX in isolated workers",
        median(rates["auto"]),
        "chunks/s",
        median(rates["off"]),
        "pool.isolation = off",
        minimum=0.97,
        note=f"real documents until they are found, median of {_ROUNDS}, in turns",
    )


async def _chunks_per_s(mode: str, folder: Path) -> float:
    with tempfile.TemporaryDirectory(dir=corpus.WORK_FOLDER) as data:
        async with run_server(data, "--pool-isolation", mode) as server:
            seconds, record = await index_until_found(server, folder)
    return float(record["result"]["chunks"]) / seconds
