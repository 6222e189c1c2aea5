"""What 100 saved searches cost: from the end of an operation to the last alert, and what they add to its CPU time."""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.corpus import wordnet_definitions
from bench.results import Result
from bench.server_process import (
    Server,
    cpu_seconds,
    index_folder,
    operation_seconds,
    run_server,
    wait_for_operation,
)

_SEARCHES = 100
_FILES = 300  # of each operation
_POLL_S = 0.25
_QUIET_S = 8.0  # without an alert: longer than the pause between two rounds
_PER_FILE = 9  # sentences
_STEP = 40  # definitions from one to the next: neighbours are about the same
_TEXT = """
lamp harbour ticket glacier kitchen violin tariff garden engine library pepper compass
senate velvet comet orchard bridge saddle turbine novel pension marble falcon ledger
canyon bakery pulse anchor verdict meadow copper sonnet tunnel vaccine pottery dividend
lantern walnut cathedral sprocket island treaty blanket magnet circus barley
"""
_WORDS = _TEXT.split()


Sentence = Callable[[int, int], str]
"""`sentence(batch, number)` is in no other file."""


@dataclass(frozen=True)
class _Operation:
    """Its duration, the seconds from its end to the last alert, the CPU time of all processes until nothing more came,
    and the number of alerts."""

    took_s: float
    alerts_s: float
    cpu_s: float
    alerts: int


def measure() -> Iterator[Result]:
    """The operations add equally many files; before the second one the searches are saved, and each is of a file.

    First each search is a definition of WordNet that one file has, among others. Then all files are of the same 46
    words, so that each search matches a third of them: what alerts cost.
    """
    definitions = wordnet_definitions()
    without, with_searches = _measure(lambda batch, number: definitions[_STEP * number + batch])
    yield Result(
        f"{_SEARCHES} saved searches: last alert after the end",
        1000 * with_searches.alerts_s,
        "ms",
        1000 * with_searches.took_s,
        f"the operation ({_FILES} files)",
        maximum=0.5,
        note=f"{with_searches.alerts} alerts",
    )
    yield Result(
        f"an operation with {_SEARCHES} saved searches, CPU time",
        with_searches.cpu_s,
        "s",
        without.cpu_s,
        "without saved searches",
        maximum=1.5,
    )
    without, with_searches = _measure(_sentence)
    yield Result(
        f"{_SEARCHES} saved searches that match a third of the files, CPU time",
        with_searches.cpu_s,
        "s",
        without.cpu_s,
        "without saved searches",
        note=f"{with_searches.alerts} alerts; the last one {with_searches.alerts_s:.1f} s after the end",
    )


def _measure(sentence: Sentence) -> tuple[_Operation, _Operation]:
    with tempfile.TemporaryDirectory() as data, tempfile.TemporaryDirectory() as folder:
        return asyncio.run(_run(Path(data), Path(folder), sentence))


async def _run(data: Path, folder: Path, sentence: Sentence) -> tuple[_Operation, _Operation]:
    flags = (f"--alerts-searches-per-user={_SEARCHES}",)
    async with run_server(data, *flags) as server:
        _write(folder, sentence, 0)
        collection_id, _ = await index_folder(server.client, folder)
        _write(folder, sentence, 1)
        without = await _append(server, collection_id)
        for number in range(_SEARCHES):
            body = {"name": f"{number}", "query": sentence(2, number * _PER_FILE)}
            await server.client.call("POST", "saved-searches", body)
        _write(folder, sentence, 2)
        return without, await _append(server, collection_id)


def _write(folder: Path, sentence: Sentence, batch: int) -> None:
    for number in range(_FILES):
        texts = [sentence(batch, number * _PER_FILE + each) for each in range(_PER_FILE)]
        (folder / f"{batch}-{number}.txt").write_text(" ".join(texts))


def _sentence(batch: int, number: int) -> str:
    """One that no other file has."""
    words = random.Random(f"{batch} {number}").choices(_WORDS, k=8)
    return " ".join(("The", *words[:4], "of the", *words[4:])) + "."


async def _append(server: Server, collection_id: str) -> _Operation:
    cpu_s = cpu_seconds(server.pid)
    accepted = await server.client.call("POST", f"collections/{collection_id}/append", {})
    record = await wait_for_operation(server.client, accepted["operation_id"])
    ended = last = time.perf_counter()
    alerts = await _alerts(server)
    while time.perf_counter() - last < _QUIET_S:
        await asyncio.sleep(_POLL_S)
        if (now := await _alerts(server)) != alerts:
            alerts, last = now, time.perf_counter()
    cpu_s = cpu_seconds(server.pid) - cpu_s
    return _Operation(operation_seconds(record), last - ended, cpu_s, alerts)


async def _alerts(server: Server) -> int:
    return sum(each["alert_count"] for each in (await server.client.call("GET", "saved-searches"))["items"])
