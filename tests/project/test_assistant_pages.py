"""What docs/how-to/assistants.md and answers.md have to run, unchanged but for addresses and keys."""

from __future__ import annotations

import asyncio
import json
import os
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from support.answer_endpoint import answer_endpoint
from support.api import index, new_user
from support.api_keys import make_key
from support.assistants import call, over_http, over_stdio
from support.server import ROOT, SAMPLES, Serving, serve

from handlers.mcp.schemas import TOOLS
from semantik.config.loader import entries, load

pytestmark = pytest.mark.gen_test
_ASSISTANTS = (ROOT / "docs" / "how-to" / "assistants.md").read_text()
_ANSWERS = (ROOT / "docs" / "how-to" / "answers.md").read_text()


def _blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page, re.DOTALL | re.MULTILINE)


async def _run(script: str, serving: Serving, **variables: str) -> str:
    assert "http://localhost:8080" in script
    process = await asyncio.create_subprocess_exec(
        *("sh", "-eu", "-c", script.replace("http://localhost:8080", serving.url)),
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **variables},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    return out.decode()


async def test_the_page_on_assistants(shared: Serving) -> None:
    user = await new_user(shared)
    made, asked, checked = _blocks(_ASSISTANTS, "sh")
    key = json.loads(await _run(made, shared, TOKEN=user.token))["key"]
    answer = json.loads(await _run(asked, shared, KEY=key))
    assert [tool["name"] for tool in answer["result"]["tools"]] == [tool.name for tool in TOOLS]
    assert await _run(checked, shared, KEY=key) == f"{shared.url} answers; this key sees 0 collections.\n"
    over_web, program = (
        json.loads(block.replace('"KEY"', f'"{key}"').replace(" KEY", f" {key}"))["mcpServers"]["semantik"]
        for block in _blocks(_ASSISTANTS, "json")
    )
    assert over_web["url"].removeprefix("http://localhost:8080") == "/mcp"
    async with over_http(shared.url, over_web["headers"]["Authorization"].removeprefix("Bearer ")) as session:
        assert (await call(session, "collections"))["collections"] == []
    assert program["command"].endswith("/bin/semantik-mcp")
    assert program["env"] == {"SEMANTIK_URL": "http://localhost:8080", "SEMANTIK_API_KEY": key}
    async with over_stdio(shared.url, key) as session:
        assert (await call(session, "collections"))["collections"] == []
    table = re.findall(r"^\| `(\w+)` \|", _ASSISTANTS, re.MULTILINE)
    assert table == [tool.name for tool in TOOLS]


async def test_the_page_on_answers(tmp_path: Path) -> None:
    [configuration], [asked] = _blocks(_ANSWERS, "toml"), _blocks(_ANSWERS, "sh")
    file = tmp_path / "semantik.toml"
    with answer_endpoint(tmp_path) as endpoint:
        named = tomllib.loads(configuration)["answers"]["url"]
        file.write_text(configuration.replace(named, endpoint.url))
        assert load(file).answers.model == "llama3.2"
        serving = serve(tmp_path / "data", "--config", str(file), "--auth-registration", "open")
        user = await new_user(serving)
        await index(user, SAMPLES)
        _, reader = await make_key(user, scopes=["read"])
        out = await _run(asked, serving, TOKEN=reader.token)
        assert serving.stop() == 0
    names = re.findall(r"^event: (\w+)$", out, re.MULTILINE)
    assert names[0] == "passages" and names[-1] == "end" and "sentence" in names
    assert [request["model"] for request in endpoint.requests()] == ["llama3.2"]


def test_settings_that_the_pages_name_exist() -> None:
    known = {entry.name for entry in entries()}
    for page in (_ASSISTANTS, _ANSWERS):
        named: set[Any] = set(re.findall(r"`((?:mcp|answers|rate_limits)\.\w+)", page))
        assert named and named <= known
