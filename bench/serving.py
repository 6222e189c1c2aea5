"""A server under measurement, started as a user would start it, and what is asked of it again and again."""

from __future__ import annotations

import asyncio
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semantik.client.api import Client
from semantik.core.models import TERMINAL

ROOT = Path(__file__).resolve().parent.parent
PASSWORD = "a long password"
QUESTIONS = (
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
_LOOK_S = 0.1


@dataclass(frozen=True)
class Server:
    """A running one: its process, a client that is signed in as its administrator, the seconds until it served."""

    pid: int
    client: Client
    ready_s: float


@asynccontextmanager
async def serving(
    data: Path | str, *flags: str, build: Path = ROOT, token: str | None = None
) -> AsyncIterator[Server]:
    """A server on the folder `data`, with further command line flags; it has ended when this leaves.

    It is that of the folder `build`. Its client signs in, unless it is given the token of an earlier time.
    """
    begun = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        str(build / "bin" / "semantik-server"),
        *("--port", "0", "--data", str(data), "--log-level", "warning", *flags),
        stdout=subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        url = (await process.stdout.readline()).decode().rpartition(" ")[2].strip()
        ready_s = time.perf_counter() - begun
        client = Client(url) if token is None else Client(url, token)
        if not (Path(data) / "bench-user").exists():
            await client.register("bench", PASSWORD)
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


async def ended(client: Client, operation_id: str) -> dict[str, Any]:
    """The record of an operation, once it has ended; raises RuntimeError when it failed."""
    async for message in client.watch(operation_id):
        if message.get("status") in TERMINAL:
            break
    record: dict[str, Any] = await client.call("GET", f"operations/{operation_id}")
    if record["status"] != "completed":
        raise RuntimeError(f"The operation ended as {record['status']}: {record.get('error')}")
    return record


async def loaded(client: Client) -> None:
    """Until the server has its model. That comes with the first file, so one is indexed, and removed again."""
    while (await client.call("GET", "health"))["pool"] != "ready":  # noqa: ASYNC110, it tells nobody
        await asyncio.sleep(_LOOK_S)
    if any(worker["role"] == "batch" for worker in (await client.call("GET", "status"))["workers"]):
        return
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "one.txt").write_text("One sentence is enough.")
        made = await client.call("POST", "collections", {"name": "one file", "source_path": folder})
        await ended(client, made["operation_id"])
        await client.call("DELETE", f"collections/{made['id']}")


async def index(
    client: Client, folder: Path | str, name: str = "bench", **more: Any
) -> tuple[str, dict[str, Any]]:
    """Index a folder as a new collection, once the model is loaded; returns its id and the operation's record."""
    await loaded(client)
    made = await client.call("POST", "collections", {"name": name, "source_path": str(folder), **more})
    return made["id"], await ended(client, made["operation_id"])


async def until_found(server: Server, folder: Path | str) -> tuple[float, dict[str, Any]]:
    """Seconds from the POST of a collection with this folder until it is found, and the operation's record."""
    await loaded(server.client)
    begun = time.perf_counter()
    _, record = await index(server.client, folder)
    answer = await server.client.call("POST", "search", {"query": QUESTIONS[0], "k": 10})
    if not answer["hits"]:
        raise RuntimeError("What was indexed is not found.")
    return time.perf_counter() - begun, record
