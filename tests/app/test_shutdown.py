"""A signal ends the server within its deadline, even if a child hangs. No process is left and no data is lost."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
from support.api import ask, index, new_user
from support.hold import held
from support.operation_fixtures import SMALL_STEPS
from support.patience import deadline, patience
from support.processes import command_line, still_running
from support.server import ROOT, SAMPLES, Serving
from tornado.httpclient import AsyncHTTPClient

from semantik.client.api import Client
from semantik.core.errors import Unavailable

pytestmark = [pytest.mark.gen_test, pytest.mark.noisy, pytest.mark.server]

# Small batches, so that there is a middle.
OPEN = (*SMALL_STEPS, "--auth-registration", "open", "--progress-linger-s", "0.2")
FILES = 60
HELD = "ship-059.txt"


def _children(serving: Serving, word: str) -> list[psutil.Process]:
    """Child processes with the word in their command line. Workers have the command line of their fork server."""
    found = []
    for child in serving.tree[1:]:
        with suppress(psutil.Error):  # it has ended meanwhile
            if word in " ".join(command_line(child)):
                found.append(child)
    return found


def _start_unready(data: Path) -> Serving:
    """Start a server and return before it is ready."""
    command = [str(ROOT / "bin" / "semantik-server"), "--port", "0", "--data", str(data)]
    return Serving(subprocess.Popen(command, stdout=subprocess.PIPE, text=True), "", data, data)


async def _wait_for_end(serving: Serving, tree: list[psutil.Process]) -> int:
    """Wait for the end of the server and check that no process of its tree is left; returns its exit status."""
    status = await asyncio.to_thread(serving.process.wait, patience())
    alive = still_running(tree)
    assert not alive, f"still running: {alive}"
    return status


def _make_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "folder"
    folder.mkdir()
    for number in range(FILES):
        lines = [
            f"Ship {number} called at harbour {part} with {number * part} barrels." for part in range(20)
        ]
        (folder / f"ship-{number:03}.txt").write_text("\n\n".join(lines))
    return folder


async def _start_indexing(client: Client, folder: Path) -> tuple[dict[str, Any], Any]:
    """Start an operation; returns the new collection and a stream of messages, once a document has been processed."""
    made = await client.call("POST", "collections", {"name": "Ships", "source_path": str(folder)})
    messages = client.watch(made["operation_id"], patience_s=0)
    async for message in messages:
        if message["type"] == "document_processed":
            break
    return made, messages


async def _send_request(client: Client) -> asyncio.StreamWriter:
    """Send a request and never read its response. The server has received it when this returns."""
    _, writer = await asyncio.open_connection("127.0.0.1", int(client.url.rpartition(":")[2]))
    writer.write(
        f"GET /api/v2/collections HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {client.token}\r\n\r\n".encode()
    )
    await writer.drain()
    await AsyncHTTPClient().fetch(client.url)
    return writer


async def _check_resumed(start: Callable[..., Serving], token: str, made: dict[str, Any]) -> None:
    client = Client(start(*OPEN).url, token)
    messages = [message async for message in client.watch(made["operation_id"])]
    assert messages[-1]["data"]["status"] == "completed"
    view = await client.call("GET", f"collections/{made['id']}")
    assert (view["document_count"], view["failed_count"]) == (FILES, 0)
    assert view["chunk_count"] == view["stats"]["vectors"] > FILES
    assert await ask(client, "Which ship called at harbour 7?")


def _stopped_in_time(log: str) -> bool:
    """Whether nothing was cut off after the server's eight seconds, which a busy machine does not give in full."""
    return "ending at once" not in log or patience(1) > 2


@pytest.mark.parametrize(
    "word",
    [
        pytest.param("mongo", id="MongoDB"),
        pytest.param("redis-server", id="Redis"),
        pytest.param("forkserver", id="fork server and workers", marks=pytest.mark.real_model),
        pytest.param("", id="all", marks=pytest.mark.real_model),
    ],
)
async def test_suspended_children_do_not_delay_the_shutdown(
    start: Callable[..., Serving], tmp_path: Path, word: str
) -> None:
    serving = start(*OPEN)
    client = await new_user(serving)
    folder = _make_folder(tmp_path)
    with held(folder, HELD):
        made, messages = await _start_indexing(client, folder)
        tree = serving.tree
        for child in _children(serving, word):
            child.suspend()
        writer = await _send_request(client)
        serving.process.send_signal(signal.SIGTERM)
        assert await _wait_for_end(serving, tree) == 0
    assert _stopped_in_time(serving.log.read_text()), "every shutdown step has its own deadline"
    writer.close()
    with pytest.raises(Unavailable, match="shutting down"):
        [_ async for _ in messages]
    await _check_resumed(start, client.token, made)


async def _open_while_it_stops(serving: Serving) -> tuple[bytes, bytes]:
    """What a socket is answered whose request ends while the server stops: the head, and frames."""
    tree = serving.tree
    port = int(serving.url.rpartition(":")[2])
    # A request that is not whole keeps the connections open for a while.
    _, unfinished = await asyncio.open_connection("127.0.0.1", port)
    unfinished.write(b"POST /api/v2/auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{")
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(
        b"GET /ws/operations/any HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    )
    for _ in range(5):  # the server has seen both by then: a connection that is idle would be closed
        await AsyncHTTPClient().fetch(serving.url)
        await asyncio.sleep(0.05)
    serving.process.send_signal(signal.SIGTERM)
    async with deadline():
        with suppress(OSError):
            while True:  # until no further connection is accepted
                (await asyncio.open_connection("127.0.0.1", port))[1].close()
        writer.write(b"\r\n")
        head, _, frames = (await reader.read()).partition(b"\r\n\r\n")
    unfinished.close()
    writer.close()
    assert await _wait_for_end(serving, tree) == 0
    return head, frames


async def test_a_socket_that_comes_while_the_server_stops_is_told(start: Callable[..., Serving]) -> None:
    for _ in range(3):
        head, frames = await _open_while_it_stops(start(*OPEN))
        if head:  # else more than the second had gone by in which a server answers what had begun
            break
    assert head.startswith(b"HTTP/1.1 101 ") and b"\r\nConnection: Upgrade" in head, head
    assert b"connect again" in frames


async def test_a_hanging_thread_does_not_delay_the_shutdown() -> None:
    # A test cannot make a file of the server hang as on a dead disk, so a sleeping thread stands for it.
    hanging = "import asyncio, time\nfrom semantik.app.lifecycle import Lifecycle\n" + textwrap.dedent(
        """
        async def main():
            print("started", flush=True)
            await asyncio.to_thread(time.sleep, 600)
            return 1

        raise SystemExit(Lifecycle().run(main()))
        """
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", hanging, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None and await process.stdout.readline() == b"started\n"
    process.send_signal(signal.SIGTERM)
    async with deadline():
        _, errors = await process.communicate()
    assert process.returncode == 0
    assert b"Not everything stopped within 8 s; ending at once, with the thread asyncio_0" in errors


@pytest.mark.real_model
async def test_a_second_signal_ends_the_server_at_once(start: Callable[..., Serving], tmp_path: Path) -> None:
    serving = start(*OPEN)
    client = await new_user(serving)
    made, _ = await _start_indexing(client, _make_folder(tmp_path))
    tree = serving.tree
    for child in tree[1:]:
        child.suspend()
    serving.process.send_signal(signal.SIGTERM)
    serving.process.send_signal(signal.SIGINT)
    assert await _wait_for_end(serving, tree) == 0
    assert "A second signal came; ending at once, with " in serving.log.read_text()
    await _check_resumed(start, client.token, made)


@pytest.mark.parametrize(
    "number", [pytest.param(signal.SIGTERM, marks=pytest.mark.real_model), signal.SIGINT]
)
async def test_a_normal_shutdown_kills_no_process(
    start: Callable[..., Serving], number: signal.Signals
) -> None:
    serving = start(*OPEN)
    await index(await new_user(serving), SAMPLES)
    tree = serving.tree
    serving.process.send_signal(number)
    assert await _wait_for_end(serving, tree) == 0
    log = serving.log.read_text()
    assert _stopped_in_time(log)
    assert "did not stop" not in log
    assert not list((serving.data / "mongo").glob("*-wal")), "the embedded MongoDB closed its files"


async def test_a_signal_during_the_start_ends_the_server(tmp_path: Path) -> None:
    serving = _start_unready(tmp_path / "data")
    process = serving.process
    while not _children(serving, "forkserver"):  # it starts in parallel with the stores
        assert process.poll() is None
    tree = serving.tree
    process.send_signal(signal.SIGTERM)
    assert await _wait_for_end(serving, tree) == 0
    assert process.stdout is not None
    assert process.stdout.read() == "", "it was never ready"


@pytest.mark.embedded
async def test_a_permanent_failure_of_a_part_ends_the_server_with_status_1(
    start: Callable[..., Serving],
) -> None:
    serving = start(*OPEN)
    tree = serving.tree
    (serving.data / "redis" / "appendonly.aof").write_text("no log of Redis\n" * 10)
    for child in _children(serving, "redis-server"):
        child.kill()
    assert await _wait_for_end(serving, tree) == 1
    assert "A part of the server has failed; stopping" in serving.log.read_text()
