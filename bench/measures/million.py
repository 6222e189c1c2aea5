"""Searches by meaning and words in a million chunks: latency beside 100 000, memory beside the earlier build, disk."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from statistics import median

from bench.inserted_data import InsertedData, inserted, wait_until_ready
from bench.measures.large_collection import resident_mb
from bench.previous_build import PREVIOUS_COMMIT, previous_build
from bench.queries import SearchConnection, random_queries
from bench.results import Result
from bench.server_process import ROOT, Server, run_server

_CHUNKS, _FEWER = 1_000_000, 100_000
_ROUNDS, _BLOCK = 8, 25
_MEMORY_SEARCHES = 300


def measure() -> Iterator[Result]:
    """Both sizes are searched in turns; then a server of each build after the same number of searches."""
    large = inserted(_CHUNKS)
    yield from asyncio.run(_compare_sizes(inserted(_FEWER), large))
    keyword_bytes = sum(path.stat().st_size for path in _keyword_files(large.data))
    yield Result(
        "keyword index of a million chunks on disk",
        keyword_bytes / 1e6,
        "MB",
        large.text_bytes / 1e6,
        "the bytes of text",
        maximum=0.5,
    )
    previous = previous_build(PREVIOUS_COMMIT)
    ours = asyncio.run(_memory_mb(large, ROOT))
    before = asyncio.run(_memory_mb(inserted(_CHUNKS, previous), previous))
    yield Result(
        f"memory beyond mapped files above {PREVIOUS_COMMIT}",
        ours - before,
        "MB",
        maximum=100,
        note=f"{ours:.0f} and {before:.0f} MB after {_MEMORY_SEARCHES} searches in a million chunks",
    )


async def _compare_sizes(small: InsertedData, large: InsertedData) -> list[Result]:
    queries = random_queries(int(time.time()))
    seconds: tuple[list[float], ...] = ([], [])
    async with AsyncExitStack() as stack:
        connections = []
        for data_set in (large, small):
            server = await stack.enter_async_context(run_server(data_set.data))
            connections.append(await stack.enter_async_context(await _connect(server, data_set)))
        for number in range(_ROUNDS + 1):
            for position in (0, 1) if number % 2 else (1, 0):
                taken = [await connections[position].search_seconds(next(queries)) for _ in range(_BLOCK)]
                if number:  # the first round warms caches
                    seconds[position].extend(taken)
    return [
        Result(
            "hybrid search over HTTP in a million chunks, p50",
            1000 * median(seconds[0]),
            "ms",
            1000 * median(seconds[1]),
            f"{_FEWER:,} chunks",
            maximum=2,
            note=f"{len(seconds[0])} queries each, in turns",
        )
    ]


async def _connect(server: Server, data_set: InsertedData) -> SearchConnection:
    await wait_until_ready(server, data_set.data)
    return SearchConnection(server.client.url, server.client.token, data_set.collection_id)


async def _memory_mb(data_set: InsertedData, build: Path) -> float:
    """Anonymous and shared memory of the server process after the searches."""
    queries = random_queries(1)
    async with run_server(data_set.data, build=build) as server:
        async with await _connect(server, data_set) as connection:
            for _ in range(_MEMORY_SEARCHES):
                await connection.search_seconds(next(queries))
        return resident_mb(server.pid)[0]


def _keyword_files(data: Path) -> Iterator[Path]:
    return (path for path in (data / "keywords").rglob("*") if path.is_file())
