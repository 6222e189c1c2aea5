"""A server with a million chunks: its memory beyond mapped files, and the time from its start to the first answer."""

from __future__ import annotations

import asyncio
import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np

from bench.corpus import WORK_FOLDER, small_files, wordnet_definitions
from bench.index_fixture import open_index, wait_until_merged
from bench.results import Result
from bench.server_process import SAMPLE_QUERIES, Server, index_folder, run_server
from bench.vectors import MILLION, query_vectors, vectors
from semantik.client.websocket import Refused
from semantik.config.settings import Settings
from semantik.core.errors import Unavailable
from semantik.core.models import Chunk, Document, Generation
from semantik.storage.data_folder import data_lock
from semantik.storage.embedded import embedded
from semantik.storage.mongo import Store

_CHUNKS_PER_DOCUMENT = 1000
_SEARCHES = 200
_CONCURRENT = 4
_BLOCK = 10_000
_ROUNDS = 5
_GENERATION = 1  # the first of a collection


@dataclass(frozen=True)
class _ServerMeasurement:
    first_answer_s: float
    anonymous_mb: float
    mapped_mb: float


def measure() -> Iterator[Result]:
    data, collection_id = asyncio.run(_prepare_data())
    empty = asyncio.run(_empty_server_mb())
    measured = asyncio.run(_measure_server(data, collection_id))
    opened_s, read_s = zip(
        *(_open_and_read(data / "index", collection_id) for _ in range(_ROUNDS)), strict=True
    )
    yield Result(
        "server with a million chunks: memory beyond mapped files",
        measured.anonymous_mb,
        "MB",
        maximum=400,
        note=f"{measured.mapped_mb:.0f} MB mapped; an empty server {empty:.0f} MB",
    )
    yield Result(
        "an index of a million opened, checked and searched",
        median(opened_s),
        "s",
        median(read_s),
        "reading its files once, in memory",
    )
    yield Result(
        "first answer after a start, a million chunks",
        measured.first_answer_s,
        "s",
        note="the model is loaded meanwhile",
    )


def _open_and_read(directory: Path, collection_id: str) -> tuple[float, float]:
    """Seconds to open an index and search it, and seconds to read its files."""

    async def open_and_search() -> float:
        started = time.perf_counter()
        async with open_index(directory, vectors(1).shape[1], collection_id, _GENERATION) as index:
            await index.nearest(query_vectors()[0], 10)
            return time.perf_counter() - started

    opened_s = asyncio.run(open_and_search())
    started = time.perf_counter()
    for path in (directory / collection_id / str(_GENERATION)).rglob("*.*"):
        if path.is_file():
            path.read_bytes()
    return opened_s, time.perf_counter() - started


async def _prepare_data() -> tuple[Path, str]:
    """A data folder with an indexed collection of a million chunks, and the collection's id."""
    data = WORK_FOLDER / "large-collection"
    id_file = data / "bench-collection"
    if not id_file.exists():
        print(f"Building {data}; this takes some minutes.", file=sys.stderr)
        shutil.rmtree(data, ignore_errors=True)
        data.mkdir(parents=True)
        async with run_server(data) as server:
            collection_id, _ = await index_folder(server.client, small_files(1))
        await _insert(data, collection_id)
        id_file.write_text(collection_id)
    return data, id_file.read_text()


async def _insert(data: Path, collection_id: str) -> None:
    """Write documents of a thousand chunks each into the embedded MongoDB, and their vectors into the index."""
    texts = wordnet_definitions()
    async with (
        data_lock(data) as lock,
        embedded(data, True, False, lock) as stores,
        Store(stores.mongo_url, Settings().mongo_database) as store,
    ):
        collection = await store.collections.get(collection_id)
        assert collection is not None
        generation = collection.current
        (source,) = await store.collections.sources([collection_id])
        source_vectors = vectors(MILLION)
        first = generation.last_seq + 1
        for number in range(0, MILLION, _CHUNKS_PER_DOCUMENT):
            document = Document(
                f"bench{number:09}", collection_id, generation.number, source.id, "bench",
                f"{source.path}/{number}.txt", size=1, modified_ns=1, status="indexed",
                first_seq=first + number, chunk_count=_CHUNKS_PER_DOCUMENT,
            )  # fmt: skip
            await store.documents.register([document])
            chunks = [
                (
                    Chunk(first + position, document.id, texts[position % len(texts)], 0, 1, None, None),
                    source_vectors[position],
                )
                for position in range(number, number + _CHUNKS_PER_DOCUMENT)
            ]
            await store.chunks.add(generation, chunks)
        await store.collections.raise_seqs(generation, first + MILLION - 1, first + MILLION)
    await _fill_index(data / "index", generation, first)


async def _fill_index(directory: Path, generation: Generation, first: int) -> None:
    """Fill the index as the server would from MongoDB, in a tenth of the time."""
    source_vectors = vectors(MILLION)
    async with open_index(
        directory, source_vectors.shape[1], generation.collection_id, generation.number
    ) as index:
        for number in range(0, MILLION, _BLOCK):
            await index.add(
                np.arange(first + number, first + number + _BLOCK), source_vectors[number : number + _BLOCK]
            )
        await wait_until_merged(index)


async def _measure_server(data: Path, collection_id: str) -> _ServerMeasurement:
    started = time.perf_counter()
    async with run_server(data) as server:
        await _search_until_answered(server)
        first_answer_s = time.perf_counter() - started
        for _ in range(_SEARCHES // _CONCURRENT):
            await asyncio.gather(*(_search_until_answered(server, number) for number in range(_CONCURRENT)))
        anonymous, mapped = resident_mb(server.pid)
        return _ServerMeasurement(first_answer_s, anonymous, mapped)


async def _empty_server_mb() -> float:
    data = WORK_FOLDER / "empty"
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir(parents=True)
    async with run_server(data) as server:
        return resident_mb(server.pid)[0]


async def _search_until_answered(server: Server, number: int = 0) -> None:
    """Search until there is an answer: the model may still be loading."""
    while True:
        try:
            await server.client.call(
                "POST", "search", {"query": SAMPLE_QUERIES[number % len(SAMPLE_QUERIES)], "k": 10}
            )
            return
        except (Refused, Unavailable):
            await asyncio.sleep(0.2)


def resident_mb(pid: int) -> tuple[float, float]:
    """Resident memory in MB: anonymous and shared memory, and mapped files."""
    lines = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    read = {name: int(lines[name].split()[0]) * 1024 / 1e6 for name in ("RssAnon", "RssShmem", "RssFile")}
    return read["RssAnon"] + read["RssShmem"], read["RssFile"]
