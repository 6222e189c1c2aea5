"""SIGHUP reloads the settings: reloadable ones apply at once, and a file with an error changes nothing."""

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
from support.server import ROOT, SETUP_CODE, Serving, complaints
from tornado.httpclient import AsyncHTTPClient

from semantik.client.api import Client
from semantik.client.websocket import Refused

OPEN = ("--auth-registration", "open")
# Else the folders that all tests may index would override those of the file.
_OWN_ROOTS = {"SEMANTIK_DOCUMENTS_ROOTS": None}


class SettingsFile:
    """The configuration file of a server."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.write()

    def write(self, **values: object) -> None:
        lines = [f"{name} = {json.dumps(value)}" for name, value in values.items()]
        self.file.write_text("\n".join(lines))

    async def reload(self, serving: Serving, **values: object) -> list[str]:
        """Write these values, reload, and return the log lines of the reload."""
        self.write(**values)
        with serving.log.open() as log:
            log.seek(0, os.SEEK_END)
            serving.process.send_signal(signal.SIGHUP)
            async with deadline():
                text = ""
                while not re.search(r"eloaded.*\n", text):
                    text += log.readline()
                    await asyncio.sleep(0.02)
            # The reload is logged in the same step of the loop, so any answer now comes after it.
            await AsyncHTTPClient().fetch(serving.url)
            lines = (text + log.read()).splitlines()
        return [line for line in lines if "GET" not in line]


@pytest.fixture
def settings(tmp_path: Path) -> SettingsFile:
    return SettingsFile(tmp_path / "semantik.toml")


async def _refusal_status(call: Callable[[], object]) -> int:
    with pytest.raises(Refused) as refused:
        await call()  # type: ignore[misc]
    return int(refused.value.status)


@pytest.mark.gen_test
async def test_a_reload_applies_reloadable_settings(
    start: Callable[..., Serving], settings: SettingsFile, tmp_path: Path
) -> None:
    serving = await asyncio.to_thread(start, "--config", str(settings.file), env=_OWN_ROOTS)
    admin = await new_user(serving)
    query = {"query": "What is there?", "k": 20}
    await admin.call("POST", "search", query)
    other = Client(serving.url)
    assert await _refusal_status(lambda: other.register("ann", PASSWORD, SETUP_CODE)) == 403
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
    assert named == set(changed) - {"log.level"}, "no other setting is reported"

    await other.register("ann", PASSWORD, SETUP_CODE)
    assert await _refusal_status(lambda: admin.call("POST", "search", query)) == 422
    assert await _refusal_status(lambda: admin.call("POST", "search", query | {"query": "x" * 3000})) == 413
    response = await AsyncHTTPClient().fetch(f"{serving.url}/metrics", raise_error=False)
    assert response.code == 401
    folder = {"name": "Outside", "source_path": str(ROOT / "docs")}
    assert await _refusal_status(lambda: admin.call("POST", "collections", folder)) == 403
    opened.write_message("ping")
    while (message := await receive(opened)) is not None and message["type"] != "pong":
        pass
    assert message is not None, "an open socket stays open"
    second = await connect(serving, "/ws/operations", {"token": admin.token})
    assert await receive(second) is None and second.close_code == 1013


@pytest.mark.noisy
@pytest.mark.gen_test
async def test_a_reload_names_settings_that_need_a_restart_and_refuses_errors(
    start: Callable[..., Serving], settings: SettingsFile
) -> None:
    serving = await asyncio.to_thread(start, "--config", str(settings.file), *OPEN, env=_OWN_ROOTS)
    assert "nothing has changed" in (await settings.reload(serving))[0]
    reloaded, pending = await settings.reload(serving, **{"port": 1, "index.trees": 9, "scan.max_files": 5})
    assert reloaded.endswith("Reloaded: scan.max_files")
    assert pending.endswith("These settings need a restart: index.trees") and " WARNING " in pending
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
    assert json.loads(line)["message"] == "Reloaded: log.format", "a refused file is not applied in part"
