"""Hundreds of silent and unfinished requests: a user's searches are answered, and what the server holds is bounded."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psutil
import pytest
from support.api import ask, index, new_user
from support.patience import deadline, patience
from support.server import Serving

pytestmark = [pytest.mark.gen_test, pytest.mark.noisy, pytest.mark.crowded]

SLOW, UNFINISHED, LIMIT = 500, 150, 200
ATTACKER = "127.0.0.2"
MAX_GROWTH = 96 << 20
HEADER = b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: "
BODIES = [
    b"POST /api/v2/auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 16000\r\n\r\n" + b" " * 8000,
    b"POST /api/v2/collections HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n"
    + b" " * 60_000,
]


async def _connect(url: str, first: bytes) -> socket.socket:
    """A connection that has sent only the beginning of a request."""
    parts = urlsplit(url)
    made = socket.socket()
    made.setblocking(False)
    made.bind((ATTACKER, 0))
    loop = asyncio.get_running_loop()
    await loop.sock_connect(made, (parts.hostname, parts.port))
    with suppress(ConnectionError):  # it had to make room already
        await loop.sock_sendall(made, first)
    return made


def _held(serving: Serving) -> int:
    """The connections that the server has open from the attacker's address."""
    found = psutil.Process(serving.process.pid).net_connections("tcp4")
    return sum(each.status == psutil.CONN_ESTABLISHED and each.raddr.ip == ATTACKER for each in found)


async def test_slow_clients_cannot_keep_a_user_out(start: Callable[..., Serving], tmp_path: Path) -> None:
    serving = start(
        *("--auth-registration", "open", "--connections-anonymous", str(LIMIT)),
        *("--connections-header-s", "600", "--connections-body-s", "600"),
    )
    folder = tmp_path / "documents"
    folder.mkdir()
    (folder / "bees.txt").write_text("Bees live in a hive.")
    user = await new_user(serving)
    await index(user, folder)
    before = psutil.Process(serving.process.pid).memory_info().rss
    with ExitStack() as stack:
        firsts = [HEADER] * SLOW + [BODIES[number % 2] for number in range(UNFINISHED)]
        for first in firsts:
            async with deadline():
                stack.enter_context(await _connect(serving.url, first))
        async with deadline():
            for _ in range(5):
                assert await ask(user, "bees")
                async with httpx.AsyncClient(base_url=serving.url, timeout=patience()) as newcomer:
                    assert (await newcomer.get("/api/v2/health")).status_code == 200
        assert 0 < _held(serving) <= LIMIT
        assert psutil.Process(serving.process.pid).memory_info().rss - before < MAX_GROWTH
    lines = [line for line in serving.log.read_text().splitlines() if " WARNING " in line]
    assert sum("to make room for new ones" in line for line in lines) <= 2  # one a minute


async def test_without_descriptors_the_server_waits_and_says_so_once_a_minute(
    start: Callable[..., Serving],
) -> None:
    serving = start("--auth-registration", "open", "--connections-header-s", "600")
    user = await new_user(serving)
    process = psutil.Process(serving.process.pid)
    _, hard = process.rlimit(psutil.RLIMIT_NOFILE)
    process.rlimit(psutil.RLIMIT_NOFILE, (process.num_fds() + 6, hard))
    with ExitStack() as stack:
        for _ in range(60):
            async with deadline():
                stack.enter_context(await _connect(serving.url, HEADER))
        async with deadline():
            while "No connection can be accepted" not in serving.log.read_text():  # noqa: ASYNC110
                await asyncio.sleep(0.05)
            for _ in range(3):
                async with httpx.AsyncClient(base_url=serving.url, timeout=patience()) as newcomer:
                    assert (await newcomer.get("/api/v2/health")).status_code in (200, 503)
        assert (await user.call("GET", "auth/me"))["username"]
    lines = serving.log.read_text().splitlines()
    assert sum("No connection can be accepted" in line for line in lines) <= 2
    assert not [line for line in lines if "Traceback" in line]
