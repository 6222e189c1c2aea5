"""Measures the main job on real folders: `make bench ARGS="/usr/share/doc /some/other"`.

Starts `bin/semantik-server` as a user would, indexes the folders, and prints one table: times, rates, memory. The
figures belong to the machine and the moment; compare only what one run prints.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from semantik.client import Client

ROOT = Path(__file__).resolve().parent.parent
QUESTIONS = [
    "How do I install a package?",
    "What does this error mean?",
    "Which settings can be changed?",
    "How are files opened and closed?",
    "Who wrote this?",
    "What is the default value?",
    "How do I start a service?",
    "Where are the logs?",
]
_SAMPLE_S = 1.0
_MIB = 1 << 20


class Memory:
    """The most that each part of the server's process tree has used, sampled while it runs."""

    def __init__(self, pid: int) -> None:
        self._server = psutil.Process(pid)
        self.most: Counter[str] = Counter()

    def sample(self) -> None:
        for process in [self._server, *self._server.children(recursive=True)]:
            try:
                used, line = process.memory_full_info(), " ".join(process.cmdline())
            except psutil.NoSuchProcess:
                continue
            kind = "server"
            if process.pid != self._server.pid:
                kind = "forkserver and workers" if "forkserver" in line else "stores"
            size = used.rss if kind == "server" else used.uss
            self.most[kind] = max(self.most[kind], size)
        total = sum(p.memory_full_info().pss for p in [self._server, *self._server.children(recursive=True)])
        self.most["whole tree, PSS"] = max(self.most["whole tree, PSS"], total)

    async def watch(self) -> None:
        while True:
            with suppress(psutil.NoSuchProcess):  # a worker ended between being listed and being read
                await asyncio.to_thread(self.sample)
            await asyncio.sleep(_SAMPLE_S)


async def measure(folders: list[Path]) -> dict[str, Any]:
    """Run the whole journey once and return its figures, with their units in their names."""
    figures: dict[str, Any] = {"machine": platform.processor() or platform.machine(), "cores": os.cpu_count()}
    with tempfile.TemporaryDirectory(prefix="semantik-bench-") as data:
        begun = time.perf_counter()
        command = [
            str(ROOT / "bin" / "semantik-server"),
            "--port",
            "0",
            "--data",
            data,
            "--log-level",
            "warning",
        ]
        server = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
        try:
            assert server.stdout is not None
            url = (await server.stdout.readline()).decode().rpartition(" ")[2].strip()
            figures["ready_s"] = time.perf_counter() - begun
            await _journey(Client(url), server.pid, folders, figures, begun)
        finally:
            server.send_signal(signal.SIGTERM)
            await asyncio.wait_for(server.wait(), 30)
    return figures


async def _journey(
    client: Client, pid: int, folders: list[Path], figures: dict[str, Any], begun: float
) -> None:
    await client.register("bench", "a long password")
    await client.sign_in("bench", "a long password")
    memory = Memory(pid)
    memory.sample()
    figures["server_idle_mib"] = memory.most["server"] / _MIB
    watching = asyncio.create_task(memory.watch())
    for number, folder in enumerate(folders):
        name = f"{number} {folder.name}"
        figures[str(folder)] = await _index(client, name, folder)
        if number == 0:
            await client.call("POST", "search", {"query": "the very first question"})
            figures["first_answer_with_the_first_folder_indexed_s"] = time.perf_counter() - begun
    watching.cancel()
    figures["most_mib"] = {kind: size / _MIB for kind, size in sorted(memory.most.items())}
    for kind, repeat in (("new", 4), ("known", 1)):
        times = []
        for turn in range(repeat):
            for question in QUESTIONS:
                text = f"{question} {turn}" if kind == "new" else f"{question} 0"
                asked = time.perf_counter()
                await client.call("POST", "search", {"query": text, "k": 10})
                times.append(time.perf_counter() - asked)
        figures[f"search_{kind}_question_p50_ms"] = 1000 * statistics.median(times)


async def _index(client: Client, name: str, folder: Path) -> dict[str, Any]:
    begun = time.perf_counter()
    made = await client.call("POST", "collections", {"name": name, "source_path": str(folder)})
    end: dict[str, Any] = {}
    frames = 0
    async for frame in client.watch(made["operation_id"]):
        frames += 1
        end = frame["data"]
        if frame["type"] in ("operation_completed", "operation_failed"):
            break
    taken_s = time.perf_counter() - begun
    page: dict[str, Any] = {"next_cursor": ""}
    statuses: Counter[str] = Counter()
    formats: Counter[str] = Counter()
    while page["next_cursor"] is not None:
        cursor = {"cursor": page["next_cursor"]} if page["next_cursor"] else {}
        page = await client.call("GET", f"collections/{made['id']}/documents", limit=500, **cursor)
        statuses.update(item["status"] for item in page["items"])
        formats.update(Path(item["name"]).suffix for item in page["items"] if item["status"] == "indexed")
    chunks = end["result"]["chunks"]
    return {
        "files": dict(statuses),
        "formats": dict(formats.most_common(12)),
        "chunks": chunks,
        "taken_s": taken_s,
        "chunks_per_s": chunks / taken_s,
        "frames": frames,
    }


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folders", nargs="*", type=Path, default=[ROOT / "docs"])
    parser.add_argument("--json", type=Path, help="write the figures here, too")
    arguments = parser.parse_args()
    figures = asyncio.run(measure([folder.resolve() for folder in arguments.folders]))
    text = json.dumps(figures, indent=2, default=str)
    print(text)
    if arguments.json:
        arguments.json.write_text(text + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
