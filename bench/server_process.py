"""A server process to measure, started as a user would start it, and common requests to it."""

from __future__ import annotations

import asyncio
import os
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil

from semantik.client.api import Client
from semantik.core.models import TERMINAL

ROOT = Path(__file__).resolve().parent.parent
PASSWORD = "a long password"
SETUP_CODE = "THE-CODE-OF-BENCH-SERVERS"
SAMPLE_QUERIES = (
    "How do I install a package?",
    "What does this error mean?",
    "Which settings can be changed?",
    "How are files opened and closed?",
    "Who wrote this?",
    "What is the default value?",
    "How do I start a service?",
    "Where are the logs?",
)
_STOP_S = 60
_POLL_S = 0.1


@dataclass(frozen=True)
class Server:
    """A running server: its pid, a client signed in as administrator, and the seconds from start to serving."""

    pid: int
    client: Client
    ready_s: float


def setup_code(build: Path = ROOT) -> str:
    """The setup code of a build's servers; an older build has none."""
    return SETUP_CODE if (build / "semantik" / "auth" / "setup_code.py").exists() else ""


def unlimited(build: Path = ROOT) -> tuple[str, ...]:
    """The flags of a server that one client may send any number of requests; an older build has no such limits."""
    if not (build / "semantik" / "config" / "connection_settings.py").exists():
        return ()
    rates = [f"--rate-limits-{group}-per-s=0" for group in ("search", "read", "write", "sign-in", "sockets")]
    return (*rates, "--connections-per-address=4096", "--connections-anonymous=4096")


def environment(code: str = SETUP_CODE) -> dict[str, str]:
    """The environment of a server with this setup code; without the settings that this process was given."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("SEMANTIK_")}
    return {**inherited, **({"SEMANTIK_AUTH_SETUP_CODE": code} if code else {})}


@asynccontextmanager
async def run_server(
    data: Path | str, *flags: str, build: Path = ROOT, token: str | None = None
) -> AsyncIterator[Server]:
    """Run a server on the folder `data` with more command line flags; it has ended on exit.

    The server is that of the folder `build`. Its client signs in, unless it gets the `token` of an earlier session.
    """
    started = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        str(build / "bin" / "semantik-server"),
        *(
            "--port",
            "0",
            "--data",
            str(data),
            "--log-level",
            "warning",
            "--documents-roots",
            "/",
            *unlimited(build),
            *flags,
        ),
        stdout=subprocess.PIPE,
        env=environment(setup_code(build)),
    )
    try:
        assert process.stdout is not None
        url = (await process.stdout.readline()).decode().rpartition(" ")[2].strip()
        ready_s = time.perf_counter() - started
        client = Client(url) if token is None else Client(url, token)
        if not (Path(data) / "bench-user").exists():
            await client.register("bench", PASSWORD, setup_code(build))
            (Path(data) / "bench-user").touch()
        if token is None:
            await client.sign_in("bench", PASSWORD)
        yield Server(process.pid, client, ready_s)
    finally:
        if process.returncode is None:
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), _STOP_S)
        except TimeoutError:
            process.kill()
            await process.wait()
            raise


async def wait_for_operation(client: Client, operation_id: str) -> dict[str, Any]:
    """Wait until an operation has ended, and return its record; raises RuntimeError if it failed."""
    async for message in client.watch(operation_id):
        if message.get("status") in TERMINAL:
            break
    record: dict[str, Any] = await client.call("GET", f"operations/{operation_id}")
    if record["status"] != "completed":
        raise RuntimeError(f"The operation ended as {record['status']}: {record.get('error')}")
    return record


def operation_seconds(record: Mapping[str, Any]) -> float:
    """The duration of an operation, from its record."""
    started, done = (datetime.fromisoformat(record[name]) for name in ("started_at", "completed_at"))
    return (done - started).total_seconds()


def cpu_seconds(pid: int) -> float:
    """The CPU seconds of a server and all its descendants so far, including those that have ended."""
    server = psutil.Process(pid)
    return sum(sum(each.cpu_times()[:4]) for each in (server, *server.children(recursive=True)))


async def wait_for_pool(client: Client) -> None:
    """Wait until the server has loaded its model; indexes and removes one file for that, as the first file loads it."""
    while (await client.call("GET", "health"))["pool"] != "ready":  # noqa: ASYNC110, it sends no event
        await asyncio.sleep(_POLL_S)
    if any(worker["role"] == "batch" for worker in (await client.call("GET", "status"))["workers"]):
        return
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "one.txt").write_text("One sentence is enough.")
        collection = await client.call("POST", "collections", {"name": "one file", "source_path": folder})
        await wait_for_operation(client, collection["operation_id"])
        await client.call("DELETE", f"collections/{collection['id']}")


async def index_folder(
    client: Client, folder: Path | str, name: str = "bench", **options: Any
) -> tuple[str, dict[str, Any]]:
    """Index a folder as a new collection once the model is loaded; returns its id and the operation's record."""
    await wait_for_pool(client)
    collection = await client.call(
        "POST", "collections", {"name": name, "source_path": str(folder), **options}
    )
    return collection["id"], await wait_for_operation(client, collection["operation_id"])


async def index_until_found(server: Server, folder: Path | str) -> tuple[float, dict[str, Any]]:
    """Seconds from the POST of a collection with this folder until a search finds it, and the operation's record."""
    await wait_for_pool(server.client)
    started = time.perf_counter()
    _, record = await index_folder(server.client, folder)
    answer = await server.client.call("POST", "search", {"query": SAMPLE_QUERIES[0], "k": 10})
    if not answer["hits"]:
        raise RuntimeError("A search does not find the indexed folder.")
    return time.perf_counter() - started, record
