"""APPEND where nothing has changed, beside one walk through the same folders with a stat of each file."""

from __future__ import annotations

import asyncio
import os
import statistics
import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from bench import corpus, indexed
from bench.figures import Figure
from bench.serving import ended, serving

_FILES = 100_000
_ROUNDS = 5


def measure() -> Iterator[Figure]:
    """The operation's own duration, from its start to its end as its record says."""
    with indexed.copy(_FILES) as made:
        ours, bare = asyncio.run(_run(made))
    yield Figure(
        "APPEND, nothing changed",
        statistics.median(ours),
        "s",
        statistics.median(bare),
        "os.scandir and stat of each file",
        most=3,
        note=f"{_FILES} files; from {min(ours):.2f} to {max(ours):.2f} s, bare {min(bare):.2f} to {max(bare):.2f} s",
    )


async def _run(made: indexed.Indexed) -> tuple[list[float], list[float]]:
    folder = str(corpus.small_files(_FILES))
    ours, bare = [], []
    async with serving(made.data, "--progress-linger-s", "0.1") as server:
        for number in range(_ROUNDS + 1):
            begun = time.perf_counter()
            assert _walk(folder) == _FILES
            walked = time.perf_counter() - begun
            accepted = await server.client.call("POST", f"collections/{made.collection_id}/append", {})
            record = await ended(server.client, accepted["operation_id"])
            assert record["result"]["unchanged"] == _FILES, record["result"]
            if number:  # the first warms the caches, and an older data folder has no listing yet
                bare.append(walked)
                ours.append(_duration(record))
    return ours, bare


def _walk(folder: str) -> int:
    files = 0
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                files += _walk(entry.path)
            else:
                entry.stat()
                files += 1
    return files


def _duration(record: dict[str, Any]) -> float:
    begun, done = (datetime.fromisoformat(record[name]) for name in ("started_at", "completed_at"))
    return (done - begun).total_seconds()
