"""Searches in a loop while a folder is indexed, reindexed and scanned again: `make bench-reindex ARGS=/usr/share/doc`.

One client asks one question after the other, each another text, so that each is embedded. The table has the seconds
and chunks of each operation, the answers meanwhile, those that failed, and their times; idle answers stand beside.
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

from bench.serving import QUESTIONS, serving
from semantik.client.api import Client
from semantik.client.websocket import Refused
from semantik.core.errors import Unavailable

_IDLE = 100


@dataclass
class Asked:
    """Answers, their seconds, and what failed."""

    seconds: list[float] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def row(self) -> tuple[str, ...]:
        times = sorted(self.seconds) or [0.0]
        figures = (statistics.median(times), times[int(0.99 * (len(times) - 1))], times[-1])
        return (str(len(self.seconds)), str(len(self.failed)), *(f"{1000 * each:.1f}" for each in figures))


class Asker:
    """Asks one question after the other."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._numbers = itertools.count()

    async def ask(self, asked: Asked, until: Callable[[], bool]) -> None:
        while not until():
            number = next(self._numbers)
            query = f"{QUESTIONS[number % len(QUESTIONS)]} ({number})"
            begun = time.perf_counter()
            try:
                await self._client.call("POST", "search", {"query": query, "k": 10})
            except (Refused, Unavailable) as error:
                asked.failed.append(str(error))
            asked.seconds.append(time.perf_counter() - begun)

    async def during(self, accepted: dict[str, Any]) -> tuple[Asked, dict[str, Any]]:
        """Ask until the operation has ended; returns the answers and the operation's record."""
        asked = Asked()
        over = asyncio.Event()
        asking = asyncio.create_task(self.ask(asked, over.is_set))
        async for _ in self._client.watch(accepted["operation_id"]):
            pass
        over.set()
        await asking
        return asked, await self._client.call("GET", f"operations/{accepted['operation_id']}")


async def measure(folder: str) -> list[tuple[str, ...]]:
    with tempfile.TemporaryDirectory() as data:
        async with serving(data) as server:
            client = server.client
            asker = Asker(client)
            made = await client.call("POST", "collections", {"name": "bench", "source_path": folder})
            path = f"collections/{made['id']}"
            rows = [_row("INDEX", *await asker.during(made))]
            idle = Asked()
            await asker.ask(idle, lambda: len(idle.seconds) == _IDLE)
            rows.append(("idle", "", "", *idle.row()))
            for name, address, body in (
                ("REINDEX, as it is", "reindex", {}),
                ("REINDEX, chunks of 120 tokens", "reindex", {"chunk_size": 120}),
                ("APPEND, nothing new", "append", {}),
            ):
                accepted = await client.call("POST", f"{path}/{address}", body)
                rows.append(_row(name, *await asker.during(accepted)))
            return rows


def _row(name: str, asked: Asked, record: dict[str, Any]) -> tuple[str, ...]:
    result = record["result"] or {}
    return (name, f"{result.get('duration_s', 0):.1f}", str(result.get("chunks", "")), *asked.row())


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
