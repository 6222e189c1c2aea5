"""The duration of an APPEND without changes, compared with one walk of the same folders with a stat of each file."""

from __future__ import annotations

import asyncio
import os
import statistics
import time
from collections.abc import Iterator

from bench import corpus, indexed_data
from bench.results import Result
from bench.server_process import operation_seconds, run_server, wait_for_operation

_FILES = 100_000
_ROUNDS = 5


def measure() -> Iterator[Result]:
    """Uses the duration from start to end in the operation's record."""
    with indexed_data.copy(_FILES) as data_set:
        semantik_s, baseline_s = asyncio.run(_run(data_set))
    yield Result(
        "APPEND, nothing changed",
        statistics.median(semantik_s),
        "s",
        statistics.median(baseline_s),
        "os.scandir and stat of each file",
        maximum=3,
        note=f"{_FILES} files; from {min(semantik_s):.2f} to {max(semantik_s):.2f} s, "
        f"walk {min(baseline_s):.2f} to {max(baseline_s):.2f} s",
    )


async def _run(data_set: indexed_data.IndexedData) -> tuple[list[float], list[float]]:
    folder = str(corpus.small_files(_FILES))
    semantik_s, baseline_s = [], []
    async with run_server(data_set.data, "--progress-linger-s", "0.1") as server:
        for number in range(_ROUNDS + 1):
            started = time.perf_counter()
            assert _walk(folder) == _FILES
            walk_s = time.perf_counter() - started
            accepted = await server.client.call("POST", f"collections/{data_set.collection_id}/append", {})
            record = await wait_for_operation(server.client, accepted["operation_id"])
            assert record["result"]["unchanged"] == _FILES, record["result"]
            if number:  # the first round warms the caches, and an older data folder has no folder digests yet
                baseline_s.append(walk_s)
                semantik_s.append(operation_seconds(record))
    return semantik_s, baseline_s


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
