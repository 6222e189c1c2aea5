"""Stores and workers that fail for a while: the server stays up, reports it, and recovers.

The workers have the light model; in `test_faults_during_operations.py` they have the real one.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psutil
import pytest
from support.api import ask, documents, new_user
from support.hold import held
from support.operation_fixtures import SMALL_STEPS
from support.patience import patience
from support.processes import command_line, still_running
from support.server import ROOT, Serving, serve
from tornado.httpclient import AsyncHTTPClient

from semantik.client.api import Client
from semantik.core.errors import Unavailable

pytestmark = [pytest.mark.gen_test, pytest.mark.server]

# Small batches, so that an operation has a middle.
HELD = "ship-059.txt"  # so that the operation does not end before the fault
OPEN = (*SMALL_STEPS, "--auth-registration", "open", "--progress-linger-s", "0.2")


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """One server, which recovers after each fault."""
    serving = serve(tmp_path_factory.mktemp("faults") / "data", *OPEN)
    yield serving
    assert serving.stop() == 0


def _folder(tmp_path: Path, count: int) -> Path:
    folder = tmp_path / "folder"
    folder.mkdir()
    for number in range(count):
        lines = [
            f"Ship {number} called at harbour {part} and left with {number * part} barrels."
            for part in range(15)
        ]
        (folder / f"ship-{number:03}.txt").write_text("\n\n".join(lines))
    return folder


def _child(serving: Serving, word: str) -> psutil.Process:
    """The embedded store whose command line holds `word`."""
    return next(child for child in serving.tree[1:] if word in " ".join(command_line(child)))


async def _start(client: Client, folder: Path) -> dict[str, Any]:
    made: dict[str, Any] = await client.call(
        "POST", "collections", {"name": "Ships", "source_path": str(folder)}
    )
    return made


async def _assert_complete(
    client: Client, made: dict[str, Any], messages: list[dict[str, Any]], count: int
) -> None:
    assert messages[-1]["data"]["status"] == "completed"
    ends = [
        m
        for m in messages
        if m["type"].startswith("operation_") and m["type"].split("_")[1] in ("completed", "failed")
    ]
    assert len(ends) == 1
    view = await client.call("GET", f"collections/{made['id']}")
    assert (view["document_count"], view["failed_count"]) == (count, 0)
    found = await documents(client, made["id"])
    assert sum(d["chunk_count"] for d in found.values()) == view["chunk_count"] == view["stats"]["vectors"]


@pytest.mark.xdist_group("faults")
@pytest.mark.noisy
@pytest.mark.embedded
@pytest.mark.parametrize("store", ["redis-server", "mongo"])
async def test_an_embedded_store_that_dies_during_indexing_is_restarted_without_loss(
    serving: Serving, tmp_path: Path, store: str
) -> None:
    client = await new_user(serving)
    folder = _folder(tmp_path, 120)
    messages: list[dict[str, Any]] = []
    with ExitStack() as until_killed:
        until_killed.enter_context(held(folder, HELD))
        made = await _start(client, folder)
        async for message in client.watch(made["operation_id"]):
            messages.append(message)
            if message["type"] == "document_processed" and not any(m["type"] == "killed" for m in messages):
                _child(serving, store).kill()
                messages.append({"type": "killed"})
                until_killed.close()
    await _assert_complete(client, made, messages, 120)


@pytest.mark.xdist_group("faults")
@pytest.mark.noisy
@pytest.mark.embedded
@pytest.mark.parametrize("store", ["redis-server", "mongo"])
async def test_a_suspended_store_gives_503_and_the_operation_waits(
    serving: Serving, tmp_path: Path, store: str
) -> None:
    client = await new_user(serving)
    folder = _folder(tmp_path, 60)
    child = _child(serving, store)
    with held(folder, HELD):
        made = await _start(client, folder)
        child.suspend()
    try:
        path = "collections" if store == "mongo" else "health"
        answer = await AsyncHTTPClient().fetch(
            f"{serving.url}/api/v2/{path}",
            headers={"Authorization": f"Bearer {client.token}"},
            request_timeout=patience(),
            raise_error=False,
        )
        assert answer.code == 503
        assert int(answer.headers["Retry-After"]) > 0
    finally:
        child.resume()
    messages = [message async for message in client.watch(made["operation_id"])]
    await _assert_complete(client, made, messages, 60)


@pytest.mark.xdist_group("faults")
@pytest.mark.noisy
async def test_a_killed_worker_and_a_killed_fork_server_lose_no_document(
    serving: Serving, tmp_path: Path
) -> None:
    client = await new_user(serving)
    folder = _folder(tmp_path, 120)
    killed = 0
    messages: list[dict[str, Any]] = []
    with ExitStack() as until_killed:
        until_killed.enter_context(held(folder, HELD))
        made = await _start(client, folder)
        async for message in client.watch(made["operation_id"]):
            messages.append(message)
            if message["type"] == "document_processed" and killed < 2:
                workers = [c for c in serving.tree[1:] if "forkserver" in " ".join(command_line(c))]
                workers[-1 if killed == 0 else 0].kill()
                killed += 1
                if killed == 2:
                    until_killed.close()
    await _assert_complete(client, made, messages, 120)
    assert await ask(client, "Which ship left with barrels?")


async def test_a_second_server_on_the_same_data_folder_is_refused(start: Callable[..., Serving]) -> None:
    serving = start()
    command = (str(ROOT / "bin" / "semantik-server"), "--port", "0", "--data", str(serving.data))
    second = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
    _, errors = await asyncio.wait_for(second.communicate(), patience())
    assert second.returncode == 2
    assert str(serving.process.pid) in errors.decode() and "Traceback" not in errors.decode()


@pytest.mark.parametrize(
    ("flags", "word"),
    [
        (("--port", "seventy"), "port"),
        (("--auth-registration", "maybe"), "auth.registration"),
        (("--config", "/nowhere/semantik.toml"), "/nowhere/semantik.toml"),
        (("--data", "/dev/null/x"), "data"),
    ],
)
async def test_a_wrong_setting_is_refused_before_anything_starts(flags: tuple[str, ...], word: str) -> None:
    command = (str(ROOT / "bin" / "semantik-server"), *flags)
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
    _, errors = await asyncio.wait_for(process.communicate(), patience())
    assert process.returncode == 2
    assert word in errors.decode() and "Traceback" not in errors.decode()


@pytest.mark.parametrize("end", [pytest.param(signal.SIGTERM, marks=pytest.mark.real_model), signal.SIGINT])
async def test_a_signal_during_indexing_ends_the_server_and_all_its_children(
    start: Callable[..., Serving], tmp_path: Path, end: signal.Signals
) -> None:
    serving = start(*OPEN)
    client = await new_user(serving)
    folder = _folder(tmp_path, 200)
    with held(folder, HELD):
        made = await _start(client, folder)
        watching = client.watch(made["operation_id"], patience_s=0)
        async for message in watching:
            if message["type"] == "document_processed":
                break
        tree = serving.tree
        serving.process.send_signal(end)
        assert await asyncio.to_thread(serving.process.wait, patience()) == 0
    with pytest.raises(Unavailable, match="shutting down"):
        [_ async for _ in watching]
    alive = still_running(tree)
    assert not alive
