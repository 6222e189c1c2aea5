"""The simulation of an INDEX beside measured runs at 1, 2 and 4 workers; its costs are those of the run with one."""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict

import psutil

from bench.corpus import small_files
from bench.results import Result
from bench.server_process import index_folder, operation_seconds, run_server, wait_for_pool
from bench.simulation import COSTS_FILE, Costs, Machine, bound, simulate
from bench.sizes import sized

_FILES = sized(4000, 1000)
_WORKERS = (1, 2, 4)


def measure() -> Iterator[Result]:
    cores = os.cpu_count() or 1
    costs: Costs | None = None
    for workers in _WORKERS:
        seconds, measured = asyncio.run(_index(workers))
        if costs is None:
            costs = measured
            COSTS_FILE.write_text(json.dumps(asdict(costs)))
        machines = [Machine(cores, workers)]
        simulated = simulate(_FILES, costs, machines)
        yield Result(
            f"INDEX of {_FILES:,} small files, {workers} workers: simulated",
            simulated.rate,
            "documents/s",
            _FILES / seconds,
            "measured",
            minimum=0.85,
            maximum=1.15,
            note=f"{cores} processors; what gives way first: {bound(costs, machines)[1]}",
        )


async def _index(workers: int) -> tuple[float, Costs]:
    """The seconds of an INDEX, and what a document of it cost."""
    with tempfile.TemporaryDirectory(prefix="semantik-bench-") as data:
        async with run_server(data, "--pool-workers", str(workers)) as server:
            await wait_for_pool(server.client)
            before = _processor_seconds(server.pid)
            _, record = await index_folder(server.client, small_files(_FILES))
            used = {part: seconds - before[part] for part, seconds in _processor_seconds(server.pid).items()}
    document = {part: seconds / _FILES for part, seconds in used.items()}
    costs = Costs(document["workers"], document["server"], document["stores"])
    return operation_seconds(record), costs


def _processor_seconds(pid: int) -> dict[str, float]:
    """Of the server's process, its stores and its workers so far."""
    server = psutil.Process(pid)
    found = {"server": sum(server.cpu_times()[:2]), "stores": 0.0, "workers": 0.0}
    for each in server.children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            command = " ".join(each.cmdline())
            is_store = "embedded_child" in command or "redis-server" in command
            found["stores" if is_store else "workers"] += sum(each.cpu_times()[:2])
    return found
