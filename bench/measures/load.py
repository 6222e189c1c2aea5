"""Searches, lists and sockets of 200 clients during an index, and searches while slow clients hold connections."""

from __future__ import annotations

import asyncio
import random
import socket
import statistics
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import psutil
from tornado.httpclient import AsyncHTTPClient

from bench.results import Result, p99
from bench.server_process import PASSWORD, SAMPLE_QUERIES, Server, index_folder, run_server
from semantik.client.api import Client
from semantik.client.websocket import Refused
from semantik.core.errors import Unavailable

_CLIENTS, _USERS, _SOCKETS = 200, 40, 50
_SECONDS = 60.0
_PAUSE_S = 1.0  # between two requests of one client, on average
_DOCUMENTS, _BEGINNING = 4000, 400
_WORDS = (
    "harbour",
    "signal",
    "winter",
    "engine",
    "protocol",
    "garden",
    "copper",
    "lecture",
    "voltage",
    "ticket",
)
_SLOW, _UNFINISHED, _SEARCHES = 500, 150, 60
_FLAGS = ("--auth-registration=open", "--connections-anonymous=512", "--connections-per-address=1024")
_SLOW_HEAD = b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: "
_UNFINISHED_HEAD = b"POST /api/v2/auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 16000\r\n\r\n{"


@dataclass
class _Tally:
    """The seconds of each kind of request, and how many answers had each status; 0 is none at all."""

    seconds: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    statuses: Counter[int] = field(default_factory=Counter)

    async def call(self, client: Client, kind: str, method: str, path: str, body: object = None) -> None:
        started = time.perf_counter()
        try:
            await client.call(method, path, body)
            self.statuses[200] += 1
        except Refused as refused:
            self.statuses[refused.status] += 1
        except Unavailable:
            self.statuses[0] += 1
        self.seconds[kind].append(time.perf_counter() - started)

    @property
    def failed(self) -> int:
        return sum(count for status, count in self.statuses.items() if status >= 500 or not status)


def measure() -> Iterator[Result]:
    """Latencies at the 99th percentile, failures, and memory; then the searches' median with and without an attack."""
    with tempfile.TemporaryDirectory() as folder:
        yield from asyncio.run(_run(Path(folder)))


async def _run(folder: Path) -> list[Result]:
    AsyncHTTPClient.configure(None, max_clients=2 * _CLIENTS)  # else most requests would wait in this process
    small, large = folder / "small", folder / "large"
    _write(small, _BEGINNING)
    _write(large, _DOCUMENTS)
    async with run_server(folder / "data", *_FLAGS) as server:
        await index_folder(server.client, small, "small")
        process = psutil.Process(server.pid)
        before = process.memory_info().rss
        tally = await _load(server, large)
        grown_mb = (process.memory_info().rss - before) / 1e6
        quiet = await _median_search(server.client)
        attacked = await _median_while_attacked(server)
    results = [
        Result(f"{kind}, p99", 1000 * p99(times), "ms", note=f"{len(times)} requests, {_CLIENTS} clients")
        for kind, times in sorted(tally.seconds.items())
    ]
    statuses = ", ".join(f"{status}: {count}" for status, count in sorted(tally.statuses.items()))
    return [
        *results,
        Result("answers 5xx, or none", tally.failed, "", maximum=0, note=statuses),
        Result("memory of the server process, growth", grown_mb, "MB", maximum=300),
        Result(
            f"search during {_SLOW} slow headers and {_UNFINISHED} unfinished bodies",
            1000 * attacked,
            "ms",
            1000 * quiet,
            "without",
            maximum=2,
        ),
    ]


def _write(folder: Path, documents: int) -> None:
    folder.mkdir()
    chosen = random.Random(documents)
    for number in range(documents):
        text = " ".join(chosen.choice(_WORDS) for _ in range(120))
        (folder / f"{number}.txt").write_text(f"Note {number}. {text}.")


async def _load(server: Server, folder: Path) -> _Tally:
    clients = await _signed_in(server.client.url)
    made = await server.client.call("POST", "collections", {"name": "large", "source_path": str(folder)})
    tally, until = _Tally(), time.monotonic() + _SECONDS
    async with asyncio.TaskGroup() as tasks:
        for number in range(_SOCKETS):
            tasks.create_task(_watch(server.client, made["operation_id"], until, number))
        for number, client in enumerate(clients):
            # Those of the administrator search what is there; the others have nothing of their own.
            tasks.create_task(_requests(server.client if number % 4 == 0 else client, tally, until, number))
    return tally


async def _signed_in(url: str) -> list[Client]:
    """The clients: several for each user."""
    tokens = []
    for number in range(_USERS):
        client = Client(url)
        await client.register(f"load-{number}", PASSWORD)
        await client.sign_in(f"load-{number}", PASSWORD)
        tokens.append(client.token)
    return [Client(url, tokens[number % _USERS]) for number in range(_CLIENTS)]


async def _requests(client: Client, tally: _Tally, until: float, number: int) -> None:
    chosen = random.Random(number)
    while time.monotonic() < until:
        kind = chosen.choice(("search", "search", "collections", "operations"))
        if kind == "search":
            query = f"{chosen.choice(SAMPLE_QUERIES)} {chosen.choice(_WORDS)}"
            await tally.call(client, kind, "POST", "search", {"query": query, "k": 10})
        else:
            await tally.call(client, f"list of {kind}", "GET", kind)
        await asyncio.sleep(chosen.uniform(0, 2 * _PAUSE_S))


async def _watch(client: Client, operation_id: str, until: float, number: int) -> None:
    """Hold a socket; those above the limit of one user are refused, as they should be."""
    await asyncio.sleep(number * 0.01)
    with suppress(TimeoutError, Refused, Unavailable):
        async with asyncio.timeout(max(0.0, until - time.monotonic())):
            async for _ in client.watch(operation_id):
                pass


async def _median_search(client: Client) -> float:
    times = []
    for number in range(_SEARCHES):
        started = time.perf_counter()
        await client.call("POST", "search", {"query": f"{SAMPLE_QUERIES[number % 8]} {number}", "k": 10})
        times.append(time.perf_counter() - started)
    return statistics.median(times)


async def _median_while_attacked(server: Server) -> float:
    """The slow clients come from another address, and connect again as soon as they are cut off."""
    parts = urlsplit(server.client.url)
    loop = asyncio.get_running_loop()

    async def attack(first: bytes) -> None:
        while True:
            with socket.socket() as made, suppress(OSError):
                made.setblocking(False)
                made.bind(("127.0.0.2", 0))
                await loop.sock_connect(made, (parts.hostname, parts.port))
                await loop.sock_sendall(made, first)
                while await loop.sock_recv(made, 4096):
                    pass
            await asyncio.sleep(1)

    heads = [_SLOW_HEAD] * _SLOW + [_UNFINISHED_HEAD] * _UNFINISHED
    with ExitStack() as stack:
        for head in heads:
            stack.callback(asyncio.create_task(attack(head)).cancel)
        await asyncio.sleep(3)
        return await _median_search(server.client)
