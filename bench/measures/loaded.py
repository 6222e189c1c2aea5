"""A server with a million passages: its memory beyond mapped files, and how long it takes to answer after a start."""

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

from bench.an_index import an_index, at_rest
from bench.corpus import HOME, glosses, small_files
from bench.figures import Figure
from bench.serving import QUESTIONS, Server, index, serving
from bench.vectors import MILLION, questions, vectors
from semantik.client.websocket import Refused
from semantik.config.settings import Settings
from semantik.core.errors import Unavailable
from semantik.core.models import Chunk, Document, Generation
from semantik.storage.data_folder import data_lock
from semantik.storage.embedded import embedded
from semantik.storage.mongo import Store

_OF_A_DOCUMENT = 1000
_SEARCHES = 200
_TOGETHER = 4
_BLOCK = 10_000
_TURNS = 5
_GENERATION = 1  # the first of a collection


@dataclass(frozen=True)
class _Seen:
    first_answer_s: float
    anonymous_mb: float
    mapped_mb: float


def measure() -> Iterator[Figure]:
    home, collection_id = asyncio.run(_filled())
    empty = asyncio.run(_empty())
    seen = asyncio.run(_look(home, collection_id))
    opened_s, read_s = zip(
        *(_open_and_read(home / "index", collection_id) for _ in range(_TURNS)), strict=True
    )
    yield Figure(
        "server with a million passages: memory beyond mapped files",
        seen.anonymous_mb,
        "MB",
        most=400,
        note=f"{seen.mapped_mb:.0f} MB mapped beside it; an empty server {empty:.0f} MB",
    )
    yield Figure(
        "an index of a million opened, checked and asked",
        median(opened_s),
        "s",
        median(read_s),
        "reading its files once, in memory",
    )
    yield Figure(
        "first answer after a start, a million passages",
        seen.first_answer_s,
        "s",
        note="the model is loaded meanwhile",
    )


def _open_and_read(directory: Path, collection_id: str) -> tuple[float, float]:
    """Seconds until an index has answered, and until its files were read."""

    async def ask() -> float:
        begun = time.perf_counter()
        async with an_index(directory, vectors(1).shape[1], collection_id, _GENERATION) as held:
            await held.nearest(questions()[0], 10)
            return time.perf_counter() - begun

    opened_s = asyncio.run(ask())
    begun = time.perf_counter()
    for path in (directory / collection_id / str(_GENERATION)).rglob("*.*"):
        if path.is_file():
            path.read_bytes()
    return opened_s, time.perf_counter() - begun


async def _filled() -> tuple[Path, str]:
    """A data folder whose collection has a million passages, indexed, and the collection's id."""
    home = HOME / "loaded"
    noted = home / "bench-collection"
    if not noted.exists():
        print(f"{home} is made; that takes some minutes.", file=sys.stderr)
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir(parents=True)
        async with serving(home) as server:
            collection_id, _ = await index(server.client, small_files(1))
        await _insert(home, collection_id)
        noted.write_text(collection_id)
    return home, noted.read_text()


async def _insert(home: Path, collection_id: str) -> None:
    """Put documents of a thousand passages each into the embedded MongoDB, and their vectors into the index."""
    texts = glosses()
    async with (
        data_lock(home) as lock,
        embedded(home, True, False, lock) as stores,
        Store(stores.mongo_url, Settings().mongo_database) as store,
    ):
        collection = await store.collections.get(collection_id)
        assert collection is not None
        generation = collection.current
        (source,) = await store.collections.sources([collection_id])
        given = vectors(MILLION)
        first = generation.last_seq + 1
        for at in range(0, MILLION, _OF_A_DOCUMENT):
            document = Document(
                f"bench{at:09}", collection_id, generation.number, source.id, "bench", f"{source.path}/{at}.txt",
                size=1, modified_ns=1, status="indexed", first_seq=first + at, chunk_count=_OF_A_DOCUMENT,
            )  # fmt: skip
            await store.documents.register([document])
            chunks = [
                (Chunk(first + row, document.id, texts[row % len(texts)], 0, 1, None, None), given[row])
                for row in range(at, at + _OF_A_DOCUMENT)
            ]
            await store.chunks.add(generation, chunks)
        await store.collections.raise_seqs(generation, first + MILLION - 1, first + MILLION)
    await _fill_index(home / "index", generation, first)


async def _fill_index(directory: Path, generation: Generation, first: int) -> None:
    """As the server itself would from MongoDB, in a tenth of the time."""
    given = vectors(MILLION)
    async with an_index(directory, given.shape[1], generation.collection_id, generation.number) as held:
        for at in range(0, MILLION, _BLOCK):
            await held.add(np.arange(first + at, first + at + _BLOCK), given[at : at + _BLOCK])
        await at_rest(held)


async def _look(home: Path, collection_id: str) -> _Seen:
    begun = time.perf_counter()
    async with serving(home) as server:
        await _answer(server)
        first_answer_s = time.perf_counter() - begun
        for _ in range(_SEARCHES // _TOGETHER):
            await asyncio.gather(*(_answer(server, at) for at in range(_TOGETHER)))
        anonymous, mapped = _memory(server.pid)
        return _Seen(first_answer_s, anonymous, mapped)


async def _empty() -> float:
    home = HOME / "empty"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    async with serving(home) as server:
        return _memory(server.pid)[0]


async def _answer(server: Server, at: int = 0) -> None:
    """Ask until there is an answer: the model may still be loaded."""
    while True:
        try:
            await server.client.call("POST", "search", {"query": QUESTIONS[at % len(QUESTIONS)], "k": 10})
            return
        except (Refused, Unavailable):
            await asyncio.sleep(0.2)


def _memory(pid: int) -> tuple[float, float]:
    """MB in memory: those that are no file's, and those of mapped files."""
    lines = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    read = {name: int(lines[name].split()[0]) * 1024 / 1e6 for name in ("RssAnon", "RssShmem", "RssFile")}
    return read["RssAnon"] + read["RssShmem"], read["RssFile"]
