"""Folders of 20 000 and 200 000 files of six words beside another build: rates, searches meanwhile, memory, disk.

One round: the larger folder takes ten to twenty minutes for each build.
"""

from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil

from bench import corpus
from bench.pairs import Pair
from bench.queries import SearchConnection, random_queries, search_for
from bench.results import p99
from bench.server_process import (
    ROOT,
    cpu_seconds,
    index_folder,
    operation_seconds,
    run_server,
    wait_for_operation,
)
from bench.sizes import sized
from semantik.client.api import Client

_FILES, _MANY_FILES, _CHANGED = sized(20_000, 2_000), sized(200_000, 5_000), 200
_WORDS = 6
_TENTH = 10
_IDLE_S = 15.0
_SAMPLE_S = 2.0
_MB = 1 << 20


def compare_large_folders(build: Path) -> list[Pair]:
    """This build beside the one in the folder `build`."""
    few, many = (
        f"{_FILES:,} files of {_WORDS} words, model loaded",
        f"{_MANY_FILES:,} files of {_WORDS} words",
    )
    pairs = [
        Pair("INDEX of small files", "files/s", "higher", note=few),
        Pair("processor time of a file, all processes", "ms", "lower", note=few),
        Pair("p99 of searches during an INDEX, of idle", "times", "lower", note=few),
        Pair("INDEX of many small files", "files/s", "higher", note=many),
        Pair("the rate of the last tenth, of that of the first", "times", "higher", note=many),
        Pair("memory of all processes but workers, peak", "MB (PSS)", "lower", note=many),
        Pair(f"APPEND of {_CHANGED} changed files", "s", "lower", note=many),
        Pair("data folder after that, a document", "bytes", "lower", note=many),
    ]
    for ours, root in ((True, ROOT), (False, build)):
        values = [*asyncio.run(_measure_few(root)), *asyncio.run(_measure_many(root))]
        for pair, value in zip(pairs, values, strict=True):
            (pair.ours if ours else pair.theirs).append(value)
            print(
                f"{'this build' if ours else 'the other'}: {pair.name}: {value:.4g} {pair.unit}",
                file=sys.stderr,
            )
    return pairs


async def _measure_few(build: Path) -> list[float]:
    """Files a second, milliseconds of processor time a file, and the p99 of searches during an INDEX, of idle."""
    files = corpus.small_files(_FILES, _WORDS)
    queries = random_queries(int(time.time()))
    with tempfile.TemporaryDirectory(dir=corpus.WORK_FOLDER) as folder:
        async with run_server(Path(folder) / "data", build=build) as server:
            await index_folder(server.client, ROOT / "docs" / "samples", "warm")
            before_s = cpu_seconds(server.pid)
            collection_id, record = await index_folder(server.client, files)
            cost_ms = 1000 * (cpu_seconds(server.pid) - before_s) / _FILES
            async with SearchConnection(server.client.url, server.client.token, collection_id) as connection:
                await search_for(connection, queries, _IDLE_S / 3)  # fills caches
                idle = await search_for(connection, queries, _IDLE_S)
                second = asyncio.create_task(index_folder(server.client, files, "during searches"))
                during: list[float] = []
                while not second.done():
                    during += await search_for(connection, queries, 1.0)
                await second
    return [_FILES / operation_seconds(record), cost_ms, p99(during) / p99(idle)]


async def _measure_many(build: Path) -> list[float]:
    """Files a second, the last tenth's rate of the first's, MB, seconds of an APPEND, and bytes on disk a document."""
    with tempfile.TemporaryDirectory(dir=corpus.WORK_FOLDER) as folder:
        files, data = Path(folder) / "files", Path(folder) / "data"
        shutil.copytree(corpus.small_files(_MANY_FILES, _WORDS), files)
        async with run_server(data, build=build) as server:
            await index_folder(server.client, ROOT / "docs" / "samples", "warm")
            begun = await server.client.call(
                "POST", "collections", {"name": "many", "source_path": str(files)}
            )
            progress = asyncio.create_task(_progress(server.client, begun["operation_id"]))
            peak_mb = 0.0
            while not progress.done():
                peak_mb = max(peak_mb, await asyncio.to_thread(_memory_mb, server.pid))
                await asyncio.sleep(_SAMPLE_S)
            record = await wait_for_operation(server.client, begun["operation_id"])
            for number, file in enumerate(sorted(files.rglob("*.txt"))[:: _MANY_FILES // _CHANGED]):
                file.write_text(f"Entry {number} has other words now.\n", "utf-8")
            again = await server.client.call("POST", f"collections/{begun['id']}/append", {})
            appended = await wait_for_operation(server.client, again["operation_id"])
        used = sum(each.stat().st_blocks * 512 for each in data.rglob("*") if each.is_file())
    return [
        _MANY_FILES / operation_seconds(record),
        _last_of_first(await progress),
        peak_mb,
        operation_seconds(appended),
        used / _MANY_FILES,
    ]


async def _progress(client: Client, operation_id: str) -> list[tuple[float, int]]:
    """When so many files had been processed, in seconds."""
    seen = [(time.perf_counter(), 0)]
    async for message in client.watch(operation_id):
        if message.get("type") == "document_processed":
            seen.append((time.perf_counter(), int(message["processed"])))
    return seen


def _last_of_first(progress: list[tuple[float, int]]) -> float:
    total = progress[-1][1]
    tenth = total / _TENTH
    started = next(seconds for seconds, count in progress if count)  # the scan of the folder is over
    first = next(seconds for seconds, count in progress if count >= tenth) - started
    last = progress[-1][0] - next(seconds for seconds, count in progress if count >= total - tenth)
    return first / last


def _memory_mb(pid: int) -> float:
    """The memory of a server and its descendants without the workers and the process that forks them."""
    return sum(_pss(each) for each in _without_workers(pid)) / _MB


def _without_workers(pid: int) -> Iterator[psutil.Process]:
    server = psutil.Process(pid)
    for each in (server, *server.children(recursive=True)):
        with suppress(psutil.NoSuchProcess):
            if "forkserver" not in " ".join(each.cmdline()):
                yield each


def _pss(process: psutil.Process) -> int:
    with suppress(psutil.NoSuchProcess):
        return int(process.memory_full_info().pss)
    return 0
