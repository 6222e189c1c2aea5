"""SIGHUP takes the settings anew: what can be taken, at once; what is wrong, not at all."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from support.api import PASSWORD, new_user
from support.clients import connect, receive
from support.patience import deadline
from support.server import ROOT, Serving, complaints
from tornado.httpclient import AsyncHTTPClient

from semantik.client.api import Client
from semantik.client.websocket import Refused

OPEN = ("--auth-registration", "open")


class Settings:
    """A server's file, and its log since the last `reload`."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.write()

    def write(self, **values: object) -> None:
        lines = [f"{name} = {json.dumps(value)}" for name, value in values.items()]
        self.file.write_text("\n".join(lines))

    async def reload(self, serving: Serving, **values: object) -> list[str]:
        """Write these, reload, and return what the log says of it."""
        self.write(**values)
        with serving.log.open() as log:
            log.seek(0, os.SEEK_END)
            serving.process.send_signal(signal.SIGHUP)
            async with deadline():
                told = ""
                while not re.search(r"eloaded.*\n", told):
                    told += log.readline()
                    await asyncio.sleep(0.02)
            # Told in the same step of the loop: whatever it answers now comes after it.
            await AsyncHTTPClient().fetch(serving.url)
            lines = (told + log.read()).splitlines()
        return [line for line in lines if "GET" not in line]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(tmp_path / "semantik.toml")


async def _refusal(call: Callable[[], object]) -> int:
    with pytest.raises(Refused) as refused:
        await call()  # type: ignore[misc]
    return int(refused.value.status)


@pytest.mark.gen_test
async def test_a_reload_takes_what_it_can(
    start: Callable[..., Serving], settings: Settings, tmp_path: Path
) -> None:
    serving = await asyncio.to_thread(start, "--config", str(settings.file))
    admin = await new_user(serving)
    ask = {"query": "What is there?", "k": 20}
    await admin.call("POST", "search", ask)
    other = Client(serving.url)
    assert await _refusal(lambda: other.register("ann", PASSWORD)) == 403
    opened = await connect(serving, "/ws/operations", {"token": admin.token})
    assert (await AsyncHTTPClient().fetch(f"{serving.url}/metrics")).code == 200

    changed = {
        "metrics": "admin",
        "max_body_bytes": 2048,
        "auth.registration": "open",
        "search.max_results": 10,
        "sockets.per_user": 1,
        "documents.roots": [str(tmp_path / "papers")],
        "operations.concurrent": 1,
        "log.level": "info",
    }
    (tmp_path / "papers").mkdir()
    (line,) = await settings.reload(serving, **changed)
    assert "Reloaded: " in line and " WARNING " not in line
    named = set(line.partition("Reloaded: ")[2].split(", "))
    assert named == set(changed) - {"log.level"}, "and no other"

    await other.register("ann", PASSWORD)
    assert await _refusal(lambda: admin.call("POST", "search", ask)) == 422
    assert await _refusal(lambda: admin.call("POST", "search", ask | {"query": "x" * 3000})) == 413
    answer = await AsyncHTTPClient().fetch(f"{serving.url}/metrics", raise_error=False)
    assert answer.code == 401
    folder = {"name": "Outside", "source_path": str(ROOT / "docs")}
    assert await _refusal(lambda: admin.call("POST", "collections", folder)) == 403
    opened.write_message("ping")
    while (frame := await receive(opened)) is not None and frame["type"] != "pong":
        pass
    assert frame is not None, "a socket that is open stays so"
    second = await connect(serving, "/ws/operations", {"token": admin.token})
    assert await receive(second) is None and second.close_code == 1013


@pytest.mark.noisy
@pytest.mark.gen_test
async def test_a_reload_names_what_needs_a_restart_and_refuses_what_is_wrong(
    start: Callable[..., Serving], settings: Settings
) -> None:
    serving = await asyncio.to_thread(start, "--config", str(settings.file), *OPEN)
    assert "nothing has changed" in (await settings.reload(serving))[0]
    taken, waiting = await settings.reload(serving, **{"port": 1, "index.trees": 9, "scan.max_files": 5})
    assert taken.endswith("Reloaded: scan.max_files")
    assert waiting.endswith("These settings need a restart: index.trees") and " WARNING " in waiting
    (line,) = await settings.reload(serving, **{"scan.max_files": 7, "search.max_results": -1})
    assert (
        " ERROR " in line
        and "Nothing was reloaded, the settings stay as they were: search.max_results = -1" in line
    )
    await settings.reload(serving, **{"documents.roots": [str(settings.file)], "scan.max_files": 7})
    assert (
        f"documents.roots = '{settings.file}' is not allowed: a folder is expected" in complaints(serving)[-1]
    )
    (line,) = await settings.reload(serving, **{"scan.max_files": 5, "log.format": "json"})
    assert json.loads(line)["message"] == "Reloaded: log.format", "what was refused was not taken in part"
