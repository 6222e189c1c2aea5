"""The child processes of a running server: none has a secret, and the status says what they cannot do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from support.api import new_user
from support.server import Serving

from pipeline.isolation import landlock

_SECRET = "k4Qz-9vTe-2mLw-7xRb-5uHs-1pJd-8yWa"


@pytest.mark.gen_test
async def test_no_child_of_a_server_has_its_secrets_and_the_status_says_how_workers_are_isolated(
    start: Callable[..., Serving], tmp_path: Path
) -> None:
    serving = start(
        "--auth-registration", "open", env={"SEMANTIK_AUTH_SECRET": _SECRET, "OTHER_TOKEN": _SECRET}
    )
    client = await new_user(serving)
    folder = tmp_path / "papers"
    folder.mkdir()
    (folder / "one.txt").write_text("The lighthouse stands on the cliff.")
    made = await client.call("POST", "collections", {"name": "papers", "source_path": str(folder)})
    messages = [message async for message in client.watch(made["operation_id"])]
    assert messages[-1]["data"]["status"] == "completed"

    children = psutil.Process(serving.process.pid).children(recursive=True)
    assert len(children) >= 5, "the stores, the fork servers and a worker"
    for child in children:
        seen = " ".join([*child.environ().values(), *child.cmdline()])
        assert _SECRET not in seen, child.cmdline()

    isolation = (await client.call("GET", "status"))["isolation"]
    assert isolation["mode"] == "auto"
    if landlock.scopes_signals(landlock.version()):
        parts = ("network", "files", "signals", "privileges", "system_calls")
        assert {name: isolation[name] for name in parts} == dict.fromkeys(parts, True)
        # The light model's workers read the folder of temporary files, where the data folder of tests is.
        assert [each for each in isolation["problems"] if "The data folder" not in each] == []
