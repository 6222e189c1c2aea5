"""A search by meaning and words over HTTP in 100 000 chunks, beside the build that searched by meaning alone."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from statistics import median

from bench.inserted_data import inserted, wait_until_ready
from bench.previous_build import previous_build
from bench.queries import SearchConnection, random_queries
from bench.results import Result
from bench.server_process import ROOT, Server, run_server
from bench.start_comparison import PREVIOUS_COMMIT

_CHUNKS = 100_000
_ROUNDS, _BLOCK = 12, 25
_CLIENTS, _CLIENT_ROUNDS, _CLIENTS_S = 16, 6, 3.0


def measure() -> Iterator[Result]:
    yield from asyncio.run(_measure())


async def _measure() -> list[Result]:
    builds = (ROOT, previous_build(PREVIOUS_COMMIT))
    data_sets = [await asyncio.to_thread(inserted, _CHUNKS, build) for build in builds]
    queries = random_queries(int(time.time()))
    seconds: tuple[list[float], ...] = ([], [])
    rates: tuple[list[float], ...] = ([], [])
    async with AsyncExitStack() as stack:
        servers: list[Server] = []
        connections: list[SearchConnection] = []
        for build, data_set in zip(builds, data_sets, strict=True):
            server = await stack.enter_async_context(run_server(data_set.data, build=build))
            await wait_until_ready(server, data_set.data)
            connection = SearchConnection(server.client.url, server.client.token, data_set.collection_id)
            servers.append(server)
            connections.append(await stack.enter_async_context(connection))
        for number in range(_ROUNDS + 1):
            for build_number in (0, 1) if number % 2 else (1, 0):
                connection = connections[build_number]
                taken = [await connection.search_seconds(next(queries)) for _ in range(_BLOCK)]
                if number:  # the first round warms caches
                    seconds[build_number].extend(taken)
        for number in range(_CLIENT_ROUNDS):
            for build_number in (0, 1) if number % 2 else (1, 0):
                server, data_set = servers[build_number], data_sets[build_number]
                rates[build_number].append(await _rate(server, data_set.collection_id, queries))
    note = f"{_CHUNKS:,} chunks, k = 10, in turns"
    return [
        Result(
            "hybrid search over HTTP, p50, one client",
            1000 * median(seconds[0]),
            "ms",
            1000 * median(seconds[1]),
            f"{PREVIOUS_COMMIT}, by meaning alone",
            maximum=1.15,
            note=f"{len(seconds[0])} queries each, {note}",
        ),
        Result(
            f"hybrid searches per second, {_CLIENTS} clients",
            median(rates[0]),
            "/s",
            median(rates[1]),
            f"{PREVIOUS_COMMIT}, by meaning alone",
            minimum=0.9,
            note=note,
        ),
    ]


async def _rate(server: Server, collection_id: str, queries: Iterator[str]) -> float:
    """Searches per second of all clients together."""
    end = time.perf_counter() + _CLIENTS_S

    async def client() -> int:
        count = 0
        async with SearchConnection(server.client.url, server.client.token, collection_id) as connection:
            while time.perf_counter() < end:
                await connection.search_seconds(next(queries))
                count += 1
        return count

    started = time.perf_counter()
    counts = await asyncio.gather(*(client() for _ in range(_CLIENTS)))
    return sum(counts) / (time.perf_counter() - started)
