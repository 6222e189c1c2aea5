"""What a start costs in two builds, measured in turns, so that both have the same machine.

A round of a build: an INDEX of docs/ on a new data folder, from exec to its end; another start on that folder, from
exec to the first answer; memory at rest; the rate of an INDEX with the model loaded; the time of a search.
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
from bench.figures import Figure
from bench.former import former
from bench.questions import Asker, questions
from bench.serving import ROOT, ended, serving
from semantik.client.api import Client

FORMER = "c36cab6"
_ROUNDS = 3
_FILES = 2_000
_SEARCHES = 300
_REST_S = 6.0
_MB = 1 << 20


@dataclass(frozen=True)
class Start:
    """Of one round, or the medians of several: seconds, processor seconds, bytes (PSS), chunks a second."""

    index_s: float
    answer_s: float
    cpu_s: float
    pss: float
    chunks_per_s: float
    search_s: float


def beside_former() -> list[Figure]:
    """This build beside the one of `FORMER`."""
    builds = (ROOT, former(FORMER))
    files = corpus.small_files(_FILES)
    fresh = questions(int(time.time()))
    rounds: tuple[list[Start], list[Start]] = ([], [])
    for number in range(_ROUNDS):
        for at in (0, 1) if number % 2 else (1, 0):
            rounds[at].append(asyncio.run(_round(builds[at], files, fresh)))
    ours, theirs = map(_medians, rounds)
    about = {"against": FORMER, "note": f"median of {_ROUNDS}, in turns"}
    return [
        Figure("exec to the first answer", ours.answer_s, "s", theirs.answer_s, most=0.45, **about),
        Figure("processor time of a start", ours.cpu_s, "s", theirs.cpu_s, most=0.35, **about),
        Figure("all processes at rest", ours.pss / _MB, "MB (PSS)", theirs.pss / _MB, most=0.5, **about),
        Figure("INDEX of docs/ from exec", ours.index_s, "s", theirs.index_s, most=1.05, **about),
        Figure(
            "INDEX, model loaded", ours.chunks_per_s, "chunks/s", theirs.chunks_per_s, least=0.97, **about
        ),
        Figure("search, p50", 1000 * ours.search_s, "ms", 1000 * theirs.search_s, most=1.03, **about),
    ]


def _medians(rounds: Sequence[Start]) -> Start:
    return Start(*(median(values) for values in zip(*map(astuple, rounds), strict=True)))


async def _round(build: Path, files: Path, fresh: Iterator[str]) -> Start:
    with tempfile.TemporaryDirectory(dir=corpus.HOME) as folder:
        data = Path(folder) / "data"
        begun = time.perf_counter()
        async with serving(data, build=build) as server:
            collection, _ = await _index(server.client, ROOT / "docs", "docs")
            index_s = time.perf_counter() - begun
            token = server.client.token
        begun = time.perf_counter()
        async with (
            serving(data, build=build, token=token) as server,
            Asker(server.client.url, token, collection) as asker,
        ):
            await asker.ask(next(fresh))
            answer_s, cpu_s = time.perf_counter() - begun, _processor_s(server.pid)
            await asyncio.sleep(_REST_S)
            pss = memory(server.pid)[1]
            await _index(server.client, ROOT / "docs" / "samples", "warm")
            _, record = await _index(server.client, files, "files")
            search_s = median([await asker.ask(next(fresh)) for _ in range(_SEARCHES)])
    return Start(index_s, answer_s, cpu_s, pss, _chunks_per_s(record), search_s)


async def _index(client: Client, folder: Path, name: str) -> tuple[str, dict[str, object]]:
    made = await client.call("POST", "collections", {"name": name, "source_path": str(folder)})
    return made["id"], await ended(client, made["operation_id"])


def _chunks_per_s(record: dict[str, object]) -> float:
    result = record["result"]
    assert isinstance(result, dict)
    return float(result["chunks"] / result["duration_s"])


def memory(pid: int) -> tuple[int, int]:
    """The bytes (PSS) of a process, and of it with all its descendants."""
    process = psutil.Process(pid)
    own = process.memory_full_info().pss
    return own, own + sum(each.memory_full_info().pss for each in process.children(recursive=True))


def _processor_s(pid: int) -> float:
    """What a process and all its descendants have computed, those that ended among them."""
    process = psutil.Process(pid)
    return sum(sum(each.cpu_times()[:4]) for each in (process, *process.children(recursive=True)))
