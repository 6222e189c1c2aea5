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
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

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
PASSWORD = "a long password"
_SAMPLE_S = 1.0
_MIB = 1 << 20


class Memory:
    """The most memory that the server and its workers have used, as the server itself tells it, in MiB."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.most: Counter[str] = Counter()

    async def look(self) -> None:
        use = await self._client.call("GET", "status")
        sizes = [("server RSS", use["rss_bytes"])]
        sizes += [(f"{worker['role']} worker USS", worker["uss_bytes"]) for worker in use["workers"]]
        for kind, size in sizes:
            self.most[kind] = max(self.most[kind], round(size / _MIB))

    async def watch(self) -> None:
        while True:
            await self.look()
            await asyncio.sleep(_SAMPLE_S)


@asynccontextmanager
async def serving(data: str) -> AsyncIterator[tuple[Client, float]]:
    """A server on `data` as a user would start it, and the seconds until it was ready."""
    begun = time.perf_counter()
    flags = ["--port", "0", "--data", data, "--log-level", "warning"]
    server = await asyncio.create_subprocess_exec(
        str(ROOT / "bin" / "semantik-server"), *flags, stdout=subprocess.PIPE
    )
    try:
        assert server.stdout is not None
        url = (await server.stdout.readline()).decode().rpartition(" ")[2].strip()
        yield Client(url), time.perf_counter() - begun
    finally:
        server.send_signal(signal.SIGTERM)
        await asyncio.wait_for(server.wait(), 30)


async def measure(folders: list[Path]) -> dict[str, Any]:
    """Run the whole journey once, start again, and return the figures, with their units in their names."""
    figures: dict[str, Any] = {"machine": platform.processor() or platform.machine(), "cores": os.cpu_count()}
    with tempfile.TemporaryDirectory(prefix="semantik-bench-") as data:
        async with serving(data) as (client, ready_s):
            figures["ready_on_an_empty_folder_s"] = ready_s
            await client.register("bench", PASSWORD)
            await client.sign_in("bench", PASSWORD)
            memory = Memory(client)
            await memory.look()
            figures["idle_mib"] = dict(memory.most)
            watching = asyncio.create_task(memory.watch())
            for number, folder in enumerate(folders):
                figures[str(folder)] = await _index(client, f"{number} {folder.name}", folder)
            watching.cancel()
            figures["most_mib"] = dict(memory.most)
            await _search(client, figures)
        begun = time.perf_counter()
        async with serving(data) as (client, ready_s):
            figures["ready_s"] = ready_s
            await client.sign_in("bench", PASSWORD)
            await client.call("POST", "search", {"query": "the very first question"})
            figures["first_answer_s"] = time.perf_counter() - begun
    return figures


async def _search(client: Client, figures: dict[str, Any]) -> None:
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
