"""The clients of the WebSocket API's seed document: that nobody has touched them, and its programs on a real server.

They run unchanged, but for the address and the folder. Its scripts run in `test_seed_browser.py`.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest
from conftest import run
from support.patience import patience
from support.seed_user import CLIENTS, WHERE, SeedUser, client, folder_of_texts, seed_user
from support.server import Serving
from websockets.asyncio.client import connect

pytestmark = pytest.mark.real_model

DIGESTS = {
    "client.ts": "919e53d8de6ae46e",
    "connection.js": "b0994074f66c7bed",
    "errors.js": "d706988a75b92cbb",
    "hook.tsx": "00b7291346402205",
    "journey.py": "c1326b06a352eef4",
    "load.py": "c36af8136ed7cf05",
    "page.html": "604e9cd2aacefed1",
    "ruff.toml": "538c7fa5d02c89c2",
    "scan.js": "507ba012914bb6a7",
    "terminal.sh": "bc451fcc39946487",
}


@pytest.fixture(scope="module")
def person(shared: Serving) -> Iterator[SeedUser]:
    with seed_user(shared) as user:
        yield user


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return folder_of_texts(tmp_path_factory.mktemp("documents"))


def test_each_client_is_kept_letter_by_letter() -> None:
    found = {path.name: path.read_bytes() for path in CLIENTS.iterdir() if path.is_file()}
    assert {name: hashlib.sha256(text).hexdigest()[:16] for name, text in found.items()} == DIGESTS


def test_the_python_test_passes(person: SeedUser, folder: Path, tmp_path: Path) -> None:
    program = tmp_path / "journey.py"
    text = client("journey.py").replace(WHERE, person.netloc)
    program.write_text(text.replace("/test/documents", str(folder)))
    done = subprocess.run(
        [sys.executable, program], capture_output=True, text=True, timeout=patience(), check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    types = re.findall(r"'(\w+)'", done.stdout.partition("Message types: ")[2])
    assert types[0] == "current_state"
    assert {"operation_started", "scanning_documents", "file_processing", "document_processed"} <= set(types)
    last = done.stdout.partition("\n\nReceived ")[0].splitlines()[-1]
    assert last.endswith("status_update: {'status': 'completed'}")  # not the half minute, but the end


def test_the_load_test_is_answered_on_every_connection(person: SeedUser) -> None:
    codes: list[int | None] = []

    async def maintain_connection(operation_id: str, token: str) -> None:
        uri = f"ws://{person.netloc}/ws/operations/{operation_id}?token={token}"
        async with connect(uri) as socket:
            await socket.wait_closed()
            codes.append(socket.close_code)

    async def until_all_are_answered(_: float) -> None:
        await asyncio.gather(*tasks)

    tasks: list[asyncio.Task[None]] = []

    def create_task(maintaining: Any) -> asyncio.Task[None]:
        tasks.append(asyncio.create_task(maintaining))
        return tasks[-1]

    # The minute that it waits is cut short.
    shortened = SimpleNamespace(create_task=create_task, sleep=until_all_are_answered)
    names: dict[str, Any] = {"asyncio": shortened, "maintain_connection": maintain_connection}
    exec(client("load.py"), names)
    with ThreadPoolExecutor(1) as another_thread:  # this one may be the browser's
        another_thread.submit(run, names["load_test_websockets"](50, person.token)).result()
    # Its operations exist nowhere: 1008; a server may also tell so many connections to come later: 1013.
    assert len(codes) == 50 and set(codes) <= {1008, 1013} and 1008 in codes


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_the_commands_for_a_terminal_work(person: SeedUser, folder: Path, tmp_path: Path) -> None:
    """curl is the real one; wscat's place is taken by the terminal client that `websockets` brings."""
    (tmp_path / ".curlrc").write_text(f'connect-to = "{WHERE}:{urlsplit(person.serving.url).netloc}"\n')
    stand_ins = {
        "npm": '[ "$*" = "install -g wscat" ]',
        "jq": f"""[ "$*" = "-r .access_token" ] &&
            exec {sys.executable} -c 'import json, sys; print(json.load(sys.stdin)["access_token"])'""",
        "wscat": f"""[ "$1" = -c ] &&
            exec {sys.executable} -m websockets "$(echo "$2" | sed s/{WHERE}/{person.netloc}/)" """,
    }
    for name, script in stand_ins.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / name).chmod(0o755)
    commands = client("terminal.sh").replace("YOUR_OPERATION_ID", person.index(folder, "Terminal"))
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "CURL_HOME": str(tmp_path)}
    with subprocess.Popen(
        ["sh", "-e", "-c", commands],
        env=environment,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as terminal:
        assert terminal.stdout is not None
        shown = terminal.stdout.read()  # its input stays open meanwhile, as a terminal's does
    assert terminal.returncode == 0
    types = [json.loads(line)["type"] for line in re.findall(r"< (\{.*\})", shown)]
    assert types[0] == "current_state" and types[-2:] == ["operation_completed", "status_update"]
    assert "Connection closed: 1000" in shown
