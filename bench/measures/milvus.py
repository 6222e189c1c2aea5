"""A search over HTTP in 100 000 chunks with the vectors in Milvus, beside the same with local segments, in turns.

Milvus is the standalone 2.3.5 of PyPI on this machine, or what SEMANTIK_BENCH_MILVUS_URL names.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from statistics import median

from bench import inserted_data
from bench.milvus_server import milvus_server
from bench.queries import SearchConnection, random_queries
from bench.results import Result
from bench.server_process import Server, run_server
from bench.sizes import sized
from semantik.config.milvus_settings import MilvusSettings
from semantik.index.milvus.connection import MilvusConnection
from semantik.index.milvus.expressions import collection_name

_CHUNKS = sized(100_000, 20_000)
_ROUNDS, _BLOCK = sized(6, 2), 50
_FILL_S = 1800.0
_POLL_S = 0.5


def measure() -> Iterator[Result]:
    data_set = inserted_data.inserted(_CHUNKS)
    with inserted_data.copy(data_set) as other, milvus_server() as url:
        yield from asyncio.run(_measure(data_set, other, url))


async def _measure(
    local: inserted_data.InsertedData, engine: inserted_data.InsertedData, url: str
) -> list[Result]:
    flags = ("--index-engine", "milvus", "--milvus-url", url, "--milvus-prefix", f"bench{time.time_ns()}")
    async with AsyncExitStack() as stack:
        servers = [
            await stack.enter_async_context(run_server(local.data)),
            await stack.enter_async_context(run_server(engine.data, *flags)),
        ]
        filled_s = await _fill(servers[1], engine, MilvusSettings(url=url, prefix=flags[-1]))
        connections = [
            await stack.enter_async_context(
                SearchConnection(each.client.url, each.client.token, local.collection_id)
            )
            for each in servers
        ]
        seconds: list[list[float]] = [[], []]
        queries = random_queries(seed=7)
        for connection in connections:
            for _ in range(_BLOCK):
                await connection.search_seconds(next(queries))
        for _ in range(_ROUNDS):
            block = [next(queries) for _ in range(_BLOCK)]
            for connection, samples in zip(connections, seconds, strict=True):
                samples += [await connection.search_seconds(each) for each in block]
    here, there = (median(each) * 1000 for each in seconds)
    note = f"{_CHUNKS:,} chunks, {_ROUNDS * _BLOCK} queries each, in turns"
    return [
        Result(
            "a search with the vectors in Milvus, p50",
            there,
            "ms",
            here,
            "local segments",
            maximum=3.0,
            note=note,
        ),
        Result(
            "vectors copied from MongoDB into Milvus",
            _CHUNKS / filled_s,
            "1/s",
            note="searches answer meanwhile",
        ),
    ]


async def _fill(server: Server, data: inserted_data.InsertedData, settings: MilvusSettings) -> float:
    """The seconds until Milvus has all vectors and answers; then wait until its index is built."""
    started = time.perf_counter()
    async with SearchConnection(server.client.url, server.client.token, data.collection_id) as connection:
        queries = random_queries(seed=8)
        while True:
            await connection.search_seconds(next(queries))
            shown = await server.client.call("GET", f"collections/{data.collection_id}")
            if shown["stats"].get("engine") == "milvus":
                break
            if time.perf_counter() - started > _FILL_S:
                raise RuntimeError("Milvus was not filled in time.")
            await asyncio.sleep(_POLL_S)
    filled_s = time.perf_counter() - started
    connection_there = MilvusConnection(settings)
    try:
        name = collection_name(settings.prefix, data.collection_id, 1)
        await connection_there.call("flush", name, timeout_s=300.0)
        while (await connection_there.call("describe_index", name, "vector"))["pending_index_rows"]:  # noqa: ASYNC110
            await asyncio.sleep(_POLL_S)
    finally:
        await connection_there.close()
    return filled_s
