"""Searches in a loop while a folder is indexed, reindexed and scanned again: `make bench-reindex ARGS=/usr/share/doc`.

One client sends one query after the other, each with a different text, so that each is embedded. The table shows the
seconds and chunks of each operation, the searches during it, failed searches, and latencies; an idle server for
comparison.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.server_process import SAMPLE_QUERIES, run_server
from semantik.client.api import Client
from semantik.client.websocket import Refused
from semantik.core.errors import Unavailable

_IDLE_SEARCHES = 100


@dataclass
class SearchTimes:
    """The seconds of each search, and the errors."""

    seconds: list[float] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def row(self) -> tuple[str, ...]:
        ordered = sorted(self.seconds) or [0.0]
        quantiles = (statistics.median(ordered), ordered[int(0.99 * (len(ordered) - 1))], ordered[-1])
        return (str(len(self.seconds)), str(len(self.failed)), *(f"{1000 * each:.1f}" for each in quantiles))


class SearchLoop:
    """Sends one search after the other."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._numbers = itertools.count()

    async def search_until(self, times: SearchTimes, until: Callable[[], bool]) -> None:
        while not until():
            number = next(self._numbers)
            query = f"{SAMPLE_QUERIES[number % len(SAMPLE_QUERIES)]} ({number})"
            started = time.perf_counter()
            try:
                await self._client.call("POST", "search", {"query": query, "k": 10})
            except (Refused, Unavailable) as error:
                times.failed.append(str(error))
            times.seconds.append(time.perf_counter() - started)

    async def search_during(self, accepted: dict[str, Any]) -> tuple[SearchTimes, dict[str, Any]]:
        """Search until the operation has ended; returns the times and the operation's record."""
        times = SearchTimes()
        ended = asyncio.Event()
        task = asyncio.create_task(self.search_until(times, ended.is_set))
        async for _ in self._client.watch(accepted["operation_id"]):
            pass
        ended.set()
        await task
        return times, await self._client.call("GET", f"operations/{accepted['operation_id']}")


async def measure(folder: str) -> list[tuple[str, ...]]:
    with tempfile.TemporaryDirectory() as data:
        async with run_server(data) as server:
            client = server.client
            searches = SearchLoop(client)
            collection = await client.call("POST", "collections", {"name": "bench", "source_path": folder})
            path = f"collections/{collection['id']}"
            rows = [_row("INDEX", *await searches.search_during(collection))]
            idle = SearchTimes()
            await searches.search_until(idle, lambda: len(idle.seconds) == _IDLE_SEARCHES)
            rows.append(("idle", "", "", *idle.row()))
            for name, address, body in (
                ("REINDEX, as it is", "reindex", {}),
                ("REINDEX, chunks of 120 tokens", "reindex", {"chunk_size": 120}),
                ("APPEND, nothing new", "append", {}),
            ):
                accepted = await client.call("POST", f"{path}/{address}", body)
                rows.append(_row(name, *await searches.search_during(accepted)))
            return rows


def _row(name: str, times: SearchTimes, record: dict[str, Any]) -> tuple[str, ...]:
    result = record["result"] or {}
    return (name, f"{result.get('duration_s', 0):.1f}", str(result.get("chunks", "")), *times.row())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", default=str(Path(__file__).resolve().parent.parent / "docs"))
    head = ("", "seconds", "chunks", "answers", "failed", "p50 ms", "p99 ms", "most ms")
    rows = [head, *asyncio.run(measure(str(Path(parser.parse_args().folder).resolve())))]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print(
            "  ".join(
                cell.rjust(width) if at else cell.ljust(width)
                for at, (cell, width) in enumerate(zip(row, widths, strict=True))
            )
        )


if __name__ == "__main__":
    main()
