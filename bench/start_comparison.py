"""The cost of a server start in two builds, measured in turns under the same load of the machine.

A round of a build: an INDEX of docs/ in a new data folder, from exec to its end; a second start on that folder, from
exec to the first answer; memory when idle; the throughput of an INDEX with the model loaded; the latency of a search.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Literal

import psutil

from bench import corpus
from bench.pairs import Pair
from bench.queries import SearchConnection, random_queries
from bench.server_process import ROOT, cpu_seconds, run_server, wait_for_operation
from bench.sizes import sized
from semantik.client.api import Client

_ROUNDS = sized(3, 2)
_FILES = sized(2_000, 500)
_SEARCHES = sized(300, 100)
_REST_S = 6.0
_MB = 1 << 20


@dataclass(frozen=True)
class StartMeasurement:
    """One round: seconds, CPU seconds, bytes (PSS), chunks per second."""

    index_s: float
    answer_s: float
    cpu_s: float
    pss: float
    chunks_per_s: float
    search_s: float


_MEASURED: tuple[tuple[str, str, Literal["lower", "higher"], str, float], ...] = (
    ("exec to the first answer", "s", "lower", "answer_s", 1),
    ("CPU time of a start", "s", "lower", "cpu_s", 1),
    ("memory of all processes, idle", "MB (PSS)", "lower", "pss", 1 / _MB),
    ("INDEX of docs/ from exec", "s", "lower", "index_s", 1),
    ("INDEX, model loaded", "chunks/s", "higher", "chunks_per_s", 1),
    ("search, p50", "ms", "lower", "search_s", 1000),
)


def compare_starts(build: Path) -> list[Pair]:
    """This build beside the one in the folder `build`."""
    builds = (ROOT, build)
    files = corpus.small_files(_FILES)
    queries = random_queries(int(time.time()))
    rounds: tuple[list[StartMeasurement], list[StartMeasurement]] = ([], [])
    for number in range(_ROUNDS):
        for build_number in (0, 1) if number % 2 else (1, 0):
            rounds[build_number].append(asyncio.run(_measure_round(builds[build_number], files, queries)))
    note = f"{_ROUNDS} starts each, in turns"
    return [
        Pair(name, unit, better, *[[scale * getattr(each, field) for each in of] for of in rounds], note)
        for name, unit, better, field, scale in _MEASURED
    ]


async def _measure_round(build: Path, files: Path, queries: Iterator[str]) -> StartMeasurement:
    with tempfile.TemporaryDirectory(dir=corpus.WORK_FOLDER) as folder:
        data = Path(folder) / "data"
        started = time.perf_counter()
        async with run_server(data, build=build) as server:
            collection, _ = await _index(server.client, ROOT / "docs", "docs")
            index_s = time.perf_counter() - started
            token = server.client.token
        started = time.perf_counter()
        async with (
            run_server(data, build=build, token=token) as server,
            SearchConnection(server.client.url, token, collection) as connection,
        ):
            await connection.search_seconds(next(queries))
            answer_s, cpu_s = time.perf_counter() - started, cpu_seconds(server.pid)
            await asyncio.sleep(_REST_S)
            pss = pss_bytes(server.pid)[1]
            await _index(server.client, ROOT / "docs" / "samples", "warm")
            _, record = await _index(server.client, files, "files")
            search_s = median([await connection.search_seconds(next(queries)) for _ in range(_SEARCHES)])
    return StartMeasurement(index_s, answer_s, cpu_s, pss, _chunks_per_s(record), search_s)


async def _index(client: Client, folder: Path, name: str) -> tuple[str, dict[str, object]]:
    collection = await client.call("POST", "collections", {"name": name, "source_path": str(folder)})
    return collection["id"], await wait_for_operation(client, collection["operation_id"])


def _chunks_per_s(record: dict[str, object]) -> float:
    result = record["result"]
    assert isinstance(result, dict)
    return float(result["chunks"] / result["duration_s"])


def pss_bytes(pid: int) -> tuple[int, int]:
    """The bytes (PSS) of a process, and of the process with all its descendants."""
    process = psutil.Process(pid)
    own = process.memory_full_info().pss
    return own, own + sum(each.memory_full_info().pss for each in process.children(recursive=True))
