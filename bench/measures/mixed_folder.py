"""Indexing a folder of real documents of many formats, side by side with the build before the readers of our own.

Chunks differ between the builds, so the documents that both index are compared by time, too.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import psutil

from bench import corpus
from bench.previous_build import previous_build
from bench.reading import BEFORE
from bench.reading_corpus import documents
from bench.results import Result
from bench.server_process import ROOT, index_folder, run_server, wait_for_pool
from bench.sizes import sized
from semantik.client.api import Client

_PER_FORMAT = sized(4, 1)
_ROUNDS = sized(2, 1)
_SAMPLE_S = 0.25
_MB = 1 << 20


@dataclass(frozen=True)
class _Round:
    """Of one INDEX: chunks per second, seconds, and the most memory of its own (USS) that a worker had, in bytes."""

    chunks_per_s: float
    seconds: float
    worker_bytes: float


def measure() -> Iterator[Result]:
    with tempfile.TemporaryDirectory(dir=corpus.WORK_FOLDER) as folder:
        files = _link_files(Path(folder))
        builds = (ROOT, previous_build(BEFORE))
        rounds: tuple[list[_Round], list[_Round]] = ([], [])
        for number in range(_ROUNDS):
            for build in (0, 1) if number % 2 else (1, 0):
                rounds[build].append(asyncio.run(_index(builds[build], Path(folder))))
    now, before = rounds
    note = f"{files} files, median of {_ROUNDS}, in turns"
    yield Result(
        "INDEX of a mixed folder",
        median(one.chunks_per_s for one in now),
        "chunks/s",
        median(one.chunks_per_s for one in before),
        BEFORE,
        minimum=0.9,
        note=note,
    )
    yield Result(
        "INDEX of a mixed folder",
        median(one.seconds for one in now),
        "s",
        median(one.seconds for one in before),
        BEFORE,
        note=note,
    )
    yield Result(
        "memory of a worker at work",
        max(one.worker_bytes for one in now) / _MB,
        "MB (USS)",
        max(one.worker_bytes for one in before) / _MB,
        BEFORE,
        note="largest",
    )


def _link_files(folder: Path) -> int:
    number = 0
    for suffix, files in documents().items():
        for file in files[:_PER_FORMAT]:
            (folder / f"{number:04}{suffix}").hardlink_to(file)
            number += 1
    return number


async def _index(build: Path, files: Path) -> _Round:
    with tempfile.TemporaryDirectory(dir=corpus.WORK_FOLDER) as folder:
        async with run_server(Path(folder) / "data", build=build) as server:
            await wait_for_pool(server.client)
            await _wait_for_tracing(server.client)
            largest = [0]
            sampling = asyncio.create_task(_sample_workers(server.pid, largest))
            _, record = await index_folder(server.client, files)
            sampling.cancel()
    result = record["result"]
    return _Round(result["chunks"] / result["duration_s"], result["duration_s"], largest[0])


async def _wait_for_tracing(client: Client) -> None:
    """A worker that traces the model needs much memory, once in a data folder, and ends; it reads no file."""
    while True:
        workers = (await client.call("GET", "status"))["workers"]
        if sum(one["role"] != "question" for one in workers) <= (os.cpu_count() or 1):
            return
        await asyncio.sleep(_SAMPLE_S)


async def _sample_workers(pid: int, largest: list[int]) -> None:
    """Note the most memory of its own (USS) of a process below a fork server: workers, and another fork server."""
    while True:
        for child in psutil.Process(pid).children():
            for worker in _children(child):
                largest[0] = max(largest[0], _own_bytes(worker))
        await asyncio.sleep(_SAMPLE_S)


def _children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _own_bytes(process: psutil.Process) -> int:
    """The memory that the process shares with no other; 0 if it has ended."""
    try:
        return int(process.memory_full_info().uss)
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return 0
