"""A signal ends the server within its promise and leaves nothing behind, whatever stands still; nothing is lost."""

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
from support.processes import still_running
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
    """Those with the word in their command line; workers have their fork server's."""
    found = []
    for child in serving.tree[1:]:
        with suppress(psutil.Error):  # it has ended meanwhile
            if word in " ".join(child.cmdline()):
                found.append(child)
    return found


def _starting(data: Path) -> Serving:
    """A server that is not ready yet."""
    command = [str(ROOT / "bin" / "semantik-server"), "--port", "0", "--data", str(data)]
    return Serving(subprocess.Popen(command, stdout=subprocess.PIPE, text=True), "", data, data)


async def _gone(serving: Serving, tree: list[psutil.Process]) -> int:
    """Wait for the end of the server; its status, when nothing is left of its tree."""
    status = await asyncio.to_thread(serving.process.wait, patience())
    alive = still_running(tree)
    assert not alive, f"left behind: {alive}"
    return status


def _folder(tmp_path: Path) -> Path:
    folder = tmp_path / "folder"
    folder.mkdir()
    for number in range(FILES):
        lines = [
            f"Ship {number} called at harbour {part} with {number * part} barrels." for part in range(20)
        ]
        (folder / f"ship-{number:03}.txt").write_text("\n\n".join(lines))
    return folder


async def _indexing(client: Client, folder: Path) -> tuple[dict[str, Any], Any]:
    """An operation under way, and the socket that watches it."""
    made = await client.call("POST", "collections", {"name": "Ships", "source_path": str(folder)})
    watching = client.watch(made["operation_id"], patience_s=0)
    async for frame in watching:
        if frame["type"] == "document_processed":
            break
    return made, watching


async def _request_under_way(client: Client) -> asyncio.StreamWriter:
    """A request that nobody reads the answer of; the server has it when this returns."""
    _, writer = await asyncio.open_connection("127.0.0.1", int(client.url.rpartition(":")[2]))
    writer.write(
        f"GET /api/v2/collections HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {client.token}\r\n\r\n".encode()
    )
    await writer.drain()
    await AsyncHTTPClient().fetch(client.url)
    return writer


async def _goes_on(start: Callable[..., Serving], token: str, made: dict[str, Any]) -> None:
    client = Client(start(*OPEN).url, token)
    frames = [frame async for frame in client.watch(made["operation_id"])]
    assert frames[-1]["data"]["status"] == "completed"
    view = await client.call("GET", f"collections/{made['id']}")
    assert (view["document_count"], view["failed_count"]) == (FILES, 0)
    assert view["chunk_count"] == view["stats"]["vectors"] > FILES
    assert await ask(client, "Which ship called at harbour 7?")


@pytest.mark.parametrize(
    "word",
    [
        pytest.param("mongo", id="MongoDB"),
        pytest.param("redis-server", id="Redis"),
        pytest.param("forkserver", id="fork server and workers", marks=pytest.mark.real_model),
        pytest.param("", id="all", marks=pytest.mark.real_model),
    ],
)
async def test_children_that_stand_still_do_not_hold_it_up(
    start: Callable[..., Serving], tmp_path: Path, word: str
) -> None:
    serving = start(*OPEN)
    client = await new_user(serving)
    folder = _folder(tmp_path)
    with held(folder, HELD):
        made, watching = await _indexing(client, folder)
        tree = serving.tree
        for child in _children(serving, word):
            child.suspend()
        writer = await _request_under_way(client)
        serving.process.send_signal(signal.SIGTERM)
        assert await _gone(serving, tree) == 0
    assert "ending at once" not in serving.log.read_text(), "every step has a deadline of its own"
    writer.close()
    with pytest.raises(Unavailable, match="shutting down"):
        [_ async for _ in watching]
    await _goes_on(start, client.token, made)


async def test_a_thread_that_hangs_does_not_hold_it_up_either() -> None:
    # No file of the server's own can be made to hang as one of a dead disk does: so a thread that just sleeps.
    hanging = "import asyncio, time\nfrom semantik.app.lifecycle import Lifecycle\n" + textwrap.dedent(
        """
        async def main():
            print("begun", flush=True)
            await asyncio.to_thread(time.sleep, 600)
            return 1

        raise SystemExit(Lifecycle().run(main()))
        """
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", hanging, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None and await process.stdout.readline() == b"begun\n"
    process.send_signal(signal.SIGTERM)
    async with deadline():
        _, told = await process.communicate()
    assert process.returncode == 0
    assert b"Not everything stopped within 8 s; ending at once, with the thread asyncio_0" in told


@pytest.mark.real_model
async def test_a_second_signal_ends_it_at_once(start: Callable[..., Serving], tmp_path: Path) -> None:
    serving = start(*OPEN)
    client = await new_user(serving)
    made, _ = await _indexing(client, _folder(tmp_path))
    tree = serving.tree
    for child in tree[1:]:
        child.suspend()
    serving.process.send_signal(signal.SIGTERM)
    serving.process.send_signal(signal.SIGINT)
    assert await _gone(serving, tree) == 0
    assert "A second signal came; ending at once, with " in serving.log.read_text()
    await _goes_on(start, client.token, made)


@pytest.mark.parametrize("end", [pytest.param(signal.SIGTERM, marks=pytest.mark.real_model), signal.SIGINT])
async def test_the_normal_end_kills_nothing(start: Callable[..., Serving], end: signal.Signals) -> None:
    serving = start(*OPEN)
    await index(await new_user(serving), SAMPLES)
    tree = serving.tree
    serving.process.send_signal(end)
    assert await _gone(serving, tree) == 0
    log = serving.log.read_text()
    assert "ending at once" not in log
    assert "did not stop" not in log
    assert not list((serving.data / "mongo").glob("*-wal")), "MongoDB's stand-in closed its files"


async def test_a_signal_while_it_starts_ends_it(tmp_path: Path) -> None:
    serving = _starting(tmp_path / "data")
    process = serving.process
    while not _children(serving, "forkserver"):  # it starts while the stores do
        assert process.poll() is None
    tree = serving.tree
    process.send_signal(signal.SIGTERM)
    assert await _gone(serving, tree) == 0
    assert process.stdout is not None
    assert process.stdout.read() == "", "it never was ready"


@pytest.mark.embedded
async def test_a_part_that_dies_for_good_ends_it_with_status_1(start: Callable[..., Serving]) -> None:
    serving = start(*OPEN)
    tree = serving.tree
    (serving.data / "redis" / "appendonly.aof").write_text("no log of Redis\n" * 10)
    for child in _children(serving, "redis-server"):
        child.kill()
    assert await _gone(serving, tree) == 1
    assert "A part of the server has failed; stopping" in serving.log.read_text()
