"""The cost of a server start in two builds, measured in turns under the same load of the machine.

A round of a build: an INDEX of docs/ in a new data folder, from exec to its end; a second start on that folder, from
exec to the first answer; memory when idle; the throughput of an INDEX with the model loaded; the latency of a search.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from statistics import median

import psutil

from bench import corpus
from bench.previous_build import previous_build
from bench.queries import SearchConnection, random_queries
from bench.results import Result
from bench.server_process import ROOT, run_server, wait_for_operation
from semantik.client.api import Client

PREVIOUS_COMMIT = "c36cab6"
_ROUNDS = 3
_FILES = 2_000
_SEARCHES = 300
_REST_S = 6.0
_MB = 1 << 20


@dataclass(frozen=True)
class StartMeasurement:
    """One round, or the medians of several: seconds, CPU seconds, bytes (PSS), chunks per second."""

    index_s: float
    answer_s: float
    cpu_s: float
    pss: float
    chunks_per_s: float
    search_s: float


def compare_builds() -> list[Result]:
    """Compare this build with that of `PREVIOUS_COMMIT`."""
    builds = (ROOT, previous_build(PREVIOUS_COMMIT))
    files = corpus.small_files(_FILES)
    queries = random_queries(int(time.time()))
    rounds: tuple[list[StartMeasurement], list[StartMeasurement]] = ([], [])
    for number in range(_ROUNDS):
        for build_number in (0, 1) if number % 2 else (1, 0):
            rounds[build_number].append(asyncio.run(_measure_round(builds[build_number], files, queries)))
    current, previous = map(_medians, rounds)
    common = {"reference_name": PREVIOUS_COMMIT, "note": f"median of {_ROUNDS}, in turns"}
    return [
        Result("exec to the first answer", current.answer_s, "s", previous.answer_s, maximum=0.45, **common),
        Result("CPU time of a start", current.cpu_s, "s", previous.cpu_s, maximum=0.35, **common),
        Result(
            "memory of all processes, idle",
            current.pss / _MB,
            "MB (PSS)",
            previous.pss / _MB,
            maximum=0.5,
            **common,
        ),
        Result("INDEX of docs/ from exec", current.index_s, "s", previous.index_s, maximum=1.05, **common),
        Result(
            "INDEX, model loaded",
            current.chunks_per_s,
            "chunks/s",
            previous.chunks_per_s,
            minimum=0.97,
            **common,
        ),
        Result(
            "search, p50", 1000 * current.search_s, "ms", 1000 * previous.search_s, maximum=1.03, **common
        ),
    ]


def _medians(rounds: Sequence[StartMeasurement]) -> StartMeasurement:
    return StartMeasurement(*(median(values) for values in zip(*map(astuple, rounds), strict=True)))


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
            answer_s, cpu_s = time.perf_counter() - started, _cpu_seconds(server.pid)
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


def _cpu_seconds(pid: int) -> float:
    """The CPU seconds of a process and all its descendants, including those that have ended."""
    process = psutil.Process(pid)
    return sum(sum(each.cpu_times()[:4]) for each in (process, *process.children(recursive=True)))
