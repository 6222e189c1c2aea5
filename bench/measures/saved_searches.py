"""What 100 saved searches cost: from the end of an operation to the last alert, and what they add to its CPU time."""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

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
_POLL_S = 0.1
_PER_FILE = 8  # more sentences
_TEXT = """
lamp harbour ticket glacier kitchen violin tariff garden engine library pepper compass
senate velvet comet orchard bridge saddle turbine novel pension marble falcon ledger
canyon bakery pulse anchor verdict meadow copper sonnet tunnel vaccine pottery dividend
lantern walnut cathedral sprocket island treaty blanket magnet circus barley
"""
_WORDS = _TEXT.split()


@dataclass(frozen=True)
class _Operation:
    """Its duration, the seconds from its end to the last alert, and the CPU time of all processes until then."""

    took_s: float
    alerts_s: float
    cpu_s: float


def measure() -> Iterator[Result]:
    """The operations add equally many files; before the second one the searches are saved, and each finds a file."""
    with tempfile.TemporaryDirectory() as data, tempfile.TemporaryDirectory() as folder:
        without, with_searches = asyncio.run(_run(Path(data), Path(folder)))
    yield Result(
        f"{_SEARCHES} saved searches: last alert after the end",
        1000 * with_searches.alerts_s,
        "ms",
        1000 * with_searches.took_s,
        f"the operation ({_FILES} files)",
        maximum=0.5,
        note=f"{1000 * with_searches.alerts_s / _SEARCHES:.1f} ms for each search",
    )
    yield Result(
        f"an operation with {_SEARCHES} saved searches, CPU time",
        with_searches.cpu_s,
        "s",
        without.cpu_s,
        "without saved searches",
        maximum=1.5,
    )


async def _run(data: Path, folder: Path) -> tuple[_Operation, _Operation]:
    flags = (f"--alerts-searches-per-user={_SEARCHES}",)
    async with run_server(data, *flags) as server:
        _write(folder, 0)
        collection_id, _ = await index_folder(server.client, folder)
        _write(folder, 1)
        without = await _append(server, collection_id, 0)
        for number in range(_SEARCHES):
            body = {"name": f"{number}", "query": _sentence(2, number)}
            await server.client.call("POST", "saved-searches", body)
        _write(folder, 2)
        return without, await _append(server, collection_id, _SEARCHES)


def _write(folder: Path, batch: int) -> None:
    for number in range(_FILES):
        others = [_sentence(batch + 10, _PER_FILE * number + each) for each in range(_PER_FILE)]
        (folder / f"{batch}-{number}.txt").write_text(" ".join([_sentence(batch, number), *others]))


def _sentence(batch: int, number: int) -> str:
    """One that no other file has."""
    words = random.Random(f"{batch} {number}").choices(_WORDS, k=8)
    return " ".join(("The", *words[:4], "of the", *words[4:])) + "."


async def _append(server: Server, collection_id: str, searches: int) -> _Operation:
    cpu_s = cpu_seconds(server.pid)
    accepted = await server.client.call("POST", f"collections/{collection_id}/append", {})
    record = await wait_for_operation(server.client, accepted["operation_id"])
    ended = time.perf_counter()
    while await _found(server) < searches:  # noqa: ASYNC110
        await asyncio.sleep(_POLL_S)
    alerts_s = time.perf_counter() - ended
    return _Operation(operation_seconds(record), alerts_s, cpu_seconds(server.pid) - cpu_s)


async def _found(server: Server) -> int:
    searches = (await server.client.call("GET", "saved-searches"))["items"]
    return sum(each["alert_count"] > 0 for each in searches)
