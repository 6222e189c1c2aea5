"""Measures uploads during searches, and a kill in the middle: `python -m bench.uploads [--files 10000]`.

Eight clients upload small files while others search. Halfway the server is killed and started again; the clients send
what they got no answer for once more. Prints the growth of the memory (MB) that the server holds itself, and of files
that it has mapped; the 99th percentile of searches (ms) before and during the uploads and their ratio, uploads a
second, the number of operations, and how many acknowledged files are missing or doubled at the end; each beside its
aim, where it has one. Searches while the server is away, or loads what it had loaded before it was killed, are not
counted. The results depend on the machine.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil
from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest

from bench.killed_server import Memory, Run
from bench.results import p99
from bench.server_process import PASSWORD, SAMPLE_QUERIES, SETUP_CODE
from semantik.client.api import Client
from semantik.client.websocket import Refused
from semantik.core.errors import Unavailable

ROOT = Path(__file__).resolve().parent.parent
CLIENTS = 8
_PAGE = 500
_IDLE_SEARCHES = 100
_SEARCH_PAUSE_S = 0.05
_POLL_S = 0.2
_IDLE_POLLS = 60
_PROGRESS_S = 30.0
_LIMIT_S = 10_800.0
_AIMS = {"memory_growth_mb": 60.0, "ratio": 2.0, "lost": 0.0, "doubled": 0.0}  # at most


async def measure(files: int) -> dict[str, Any]:
    """Returns the figures, with their units in their names. Raises SystemExit after three hours."""
    AsyncHTTPClient.configure(None, max_clients=CLIENTS + 4)
    with tempfile.TemporaryDirectory(prefix="semantik-bench-") as folder:
        run = Run(Path(folder) / "data")
        telling = asyncio.create_task(_tell(run, files))
        try:
            async with asyncio.timeout(_LIMIT_S):
                await run.start()
                return await _measure(run, files)
        except TimeoutError as error:
            raise SystemExit(f"uploads: not done in time, while {_state(run, files)}.") from error
        finally:
            telling.cancel()
            await run.stop()


async def _measure(run: Run, files: int) -> dict[str, Any]:
    admin = Client(run.url)
    await admin.register("bench", PASSWORD, SETUP_CODE)
    await admin.sign_in("bench", PASSWORD)
    run.key = (await admin.call("POST", "api-keys", {"name": "bench", "scopes": ["write"]}))["key"]
    run.doing = "indexing what is searched"
    searched = await _indexed_collection(run)
    target = (await run.client.call("POST", "collections", {"name": "Uploaded"}))["id"]
    run.doing = "searching without uploads"
    idle = [await _search(run, searched, number) for number in range(_IDLE_SEARCHES)]
    run.base = run.memory()
    busy: list[float] = []
    run.doing = "uploading"
    async with asyncio.TaskGroup() as group:  # any that fails ends the others
        searching = group.create_task(_search_on(run, searched, busy))
        await _send_all(run, searched, target, files)
        run.doing = "indexing what was uploaded"
        await _until_indexed(run, target)
        searching.cancel()
    run.doing = "comparing"
    found = [each async for each in run.client.each(run.client.list_documents, target, limit=_PAGE)]
    operations = [
        each async for each in run.client.each(run.client.list_operations, collection_id=target, limit=_PAGE)
    ]
    indexed = {each["name"] for each in found if each["status"] == "indexed"}
    return {
        "files": files,
        **_report(run, [each for each in idle if each is not None], busy),
        "operations": len(operations),
        "lost": len(run.acknowledged - indexed),
        "doubled": len(found) - len({each["name"] for each in found}),
    }


async def _send_all(run: Run, searched: str, target: str, files: int) -> None:
    begun = time.perf_counter()
    names = [f"{number:05}.txt" for number in range(files)]
    async with asyncio.TaskGroup() as group:
        group.create_task(_kill_halfway(run, searched, files))
        uploads = [group.create_task(_upload(run, target, names[at::CLIENTS])) for at in range(CLIENTS)]
        await asyncio.gather(*uploads)
        run.sent_s = time.perf_counter() - begun


def _report(run: Run, idle: list[float], busy: list[float]) -> dict[str, Any]:
    idle_p99, busy_p99 = (round(p99(each), 1) if each else None for each in (idle, busy))
    return {
        "uploads_per_s": round(len(run.acknowledged) / run.sent_s, 1),
        "restart_s": round(run.away_s, 1),
        "memory_growth_mb": round(run.growth.own_mb, 1),
        "mapped_growth_mb": round(run.growth.mapped_mb, 1),
        "idle_p99_ms": idle_p99,
        "busy_p99_ms": busy_p99,
        "ratio": round(busy_p99 / idle_p99, 2) if idle_p99 and busy_p99 else None,
        "searches": len(busy),
    }


def missed(figures: dict[str, Any]) -> list[str]:
    """The names of the figures that are beyond their aims, or could not be measured."""
    return [name for name, most in _AIMS.items() if figures[name] is None or figures[name] > most]


async def _tell(run: Run, files: int) -> None:
    """Say on stderr how far it is."""
    while True:
        await asyncio.sleep(_PROGRESS_S)
        print(f"uploads: {_state(run, files)}", file=sys.stderr, flush=True)


def _state(run: Run, files: int) -> str:
    return f"{run.doing}, {len(run.acknowledged)} of {files} files acknowledged"


async def _indexed_collection(run: Run) -> str:
    made = await run.client.call(
        "POST", "collections", {"name": "Searched", "source_path": str(ROOT / "docs" / "how-to")}
    )
    async for _ in run.client.watch(made["operation_id"], patience_s=600):
        pass
    return str(made["id"])


async def _search(run: Run, collection_id: str, number: int) -> float | None:
    """The milliseconds of one search; None when the server was away."""
    query = f"{SAMPLE_QUERIES[number % len(SAMPLE_QUERIES)]} {number}"
    begun = time.perf_counter()
    try:
        await run.client.call("POST", "search", {"query": query, "collection_ids": [collection_id]})
    except (Unavailable, Refused):
        return None
    return 1000 * (time.perf_counter() - begun)


async def _search_on(run: Run, collection_id: str, taken_ms: list[float]) -> None:
    number = _IDLE_SEARCHES
    while True:
        taken = await _search(run, collection_id, number)
        if taken is not None and run.base:  # neither away nor cold
            taken_ms.append(taken)
        _note_growth(run)
        number += 1
        await asyncio.sleep(_SEARCH_PAUSE_S)


def _note_growth(run: Run) -> None:
    try:
        memory = run.memory()
    except psutil.NoSuchProcess:  # it was just killed
        return
    if run.base is not None:
        own, mapped = memory.own_mb - run.base.own_mb, memory.mapped_mb - run.base.mapped_mb
        run.growth = Memory(max(run.growth.own_mb, own), max(run.growth.mapped_mb, mapped))


async def _upload(run: Run, collection_id: str, names: list[str]) -> None:
    for name in names:
        body = f"Report {name}: the lamp number {name} was lit, and went out. ".encode() * 20
        while not await _send(run, collection_id, name, body):  # noqa: ASYNC110, the server is away
            await asyncio.sleep(_POLL_S)
        run.acknowledged.add(name)


async def _send(run: Run, collection_id: str, name: str, body: bytes) -> bool:
    """Whether the server has acknowledged the file."""
    url = f"{run.url}/api/v2/collections/{collection_id}/uploads?name={name}"
    headers = {"Authorization": f"Bearer {run.key}"}
    try:
        answer = await AsyncHTTPClient().fetch(
            HTTPRequest(url, "POST", headers, body, request_timeout=300), raise_error=False
        )
    except (OSError, HTTPClientError):  # it was killed meanwhile
        return False
    if answer.code in (429, 503):
        return False
    if answer.code != 201:
        raise SystemExit(f"uploads: {answer.code} {answer.body!r}")
    return True


async def _kill_halfway(run: Run, searched: str, files: int) -> None:
    while len(run.acknowledged) < files // 2:  # noqa: ASYNC110, eight tasks add to them
        await asyncio.sleep(_POLL_S)
    await run.kill()
    # As before the uploads: what searches load is no growth.
    for number in range(_IDLE_SEARCHES):
        await _search(run, searched, number)
    run.base = run.memory()


async def _until_indexed(run: Run, collection_id: str) -> None:
    """Wait until every file is a document, or until no operation has run for a while. Lists nothing: searches are still
    measured."""
    idle = 0
    while idle < _IDLE_POLLS:
        collection = await run.client.call("GET", f"collections/{collection_id}")
        idle = 0 if collection["active_operation_id"] else idle + 1
        if idle and collection["document_count"] >= len(run.acknowledged):
            return
        await asyncio.sleep(1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--files", type=int, default=10_000, help="files to upload [10000]")
    flags = parser.parse_args()
    if flags.files < 2 * CLIENTS:
        parser.error(f"--files must be at least {2 * CLIENTS}.")
    figures = asyncio.run(measure(flags.files))
    print(json.dumps({**figures, "aims": _AIMS, "missed": missed(figures)}, indent=2))


if __name__ == "__main__":
    main()
