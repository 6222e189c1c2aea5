"""The examples of docs/how-to/clients.md, run unchanged but for the address, the folder and the ids."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from pathlib import Path

import pytest
from support.api import new_user
from support.node import needs_node
from support.server import ROOT, Serving

pytestmark = pytest.mark.gen_test

_PAGE = (ROOT / "docs" / "how-to" / "clients.md").read_text()


def _example(language: str, word: str, serving: Serving, folder: Path) -> str:
    """The one example in this language that has the word, for this server and folder."""
    blocks = re.findall(rf"^```{language}\n(.*?)^```", _PAGE, re.DOTALL | re.MULTILINE)
    [found] = [str(block) for block in blocks if word in block]
    assert "http://localhost:8080" in found
    return found.replace("http://localhost:8080", serving.url).replace("/srv/harbour", str(folder))


def _folder(tmp_path: Path) -> Path:
    folder = tmp_path / "harbour"
    folder.mkdir()
    (folder / "tide.txt").write_text("The spring tides fill the harbour at noon.")
    (folder / "broken.pdf").write_bytes(b"%PDF-1.4 nothing")
    return folder


async def _out(serving: Serving, *command: str, folder: Path) -> list[str]:
    env = {**os.environ, "SEMANTIK_API_KEY": (await new_user(serving)).token}
    process = await asyncio.create_subprocess_exec(
        *command, cwd=folder, env=env, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    return out.decode().splitlines()


def _check(lines: list[str]) -> None:
    progress = [line for line in lines if line.endswith(" %")]
    assert progress[-1] == "100 %"
    hit, failure, refusal = lines[len(progress) :]
    assert hit == "tide.txt The spring tides fill the harbour at noon."
    assert "broken.pdf" in failure and "corrupt" in failure
    assert refusal == "404 There is no collection no-such-id."


async def test_the_python_example_indexes_searches_and_lists(shared: Serving, tmp_path: Path) -> None:
    program = _example("python", "SyncClient(", shared, _folder(tmp_path))
    _check(await _out(shared, sys.executable, "-c", program, folder=ROOT))


async def test_the_async_example_searches(shared: Serving, tmp_path: Path) -> None:
    program = _example("python", "asyncio.gather", shared, tmp_path)
    assert await _out(shared, sys.executable, "-c", program, folder=ROOT) == ["[0, 0]"]


@needs_node
async def test_the_javascript_example_does_the_same(shared: Serving, tmp_path: Path) -> None:
    program = tmp_path / "example.mjs"
    program.write_text(_example("javascript", "semantik-client", shared, _folder(tmp_path)))
    packages = tmp_path / "node_modules"
    packages.mkdir()
    (packages / "semantik-client").symlink_to(ROOT / "clients" / "javascript")
    lines = await _out(shared, "node", str(program), folder=tmp_path)
    _check([line for line in lines if line.strip()])
