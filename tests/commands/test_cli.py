"""`bin/semantik`: one command line for all commands, its completion, and those that use a running server."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import re
import subprocess
from pathlib import Path

import pytest
from support.api import new_user
from support.api_keys import make_key
from support.patience import deadline
from support.programs import run_program
from support.server import ROOT, Serving

from semantik.client.api import Client
from semantik.commands import COMMANDS

PROGRAM = ROOT / "bin" / "semantik"


async def _run(*words: str, env: dict[str, str] | None = None) -> tuple[int, str, str]:
    return await run_program(PROGRAM, *words, env={**os.environ, "COLUMNS": "80", **(env or {})})


async def _of_user(client: Client) -> dict[str, str]:
    _, program = await make_key(client, scopes=["write"])
    return {"SEMANTIK_URL": client.url, "SEMANTIK_API_KEY": program.token}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "harbour"
    made.mkdir()
    (made / "tides.md").write_text(
        "# Tides\n\nSpring tides come with the new moon.\n\n## Locks\n\nThe lock opens at noon."
    )
    (made / "ropes.txt").write_text("Hemp ropes are tarred every autumn.")
    return made


@pytest.mark.gen_test
async def test_all_commands_are_listed_and_each_names_its_exit_statuses() -> None:
    status, out, err = await _run("--help")
    assert (status, err) == (0, "") and all(f"  {name} " in out for name in COMMANDS)
    assert {path.name.removeprefix("semantik-") for path in PROGRAM.parent.glob("semantik-*")} <= set(
        COMMANDS
    )
    helps = await asyncio.gather(*(_run(name, "--help") for name in COMMANDS))
    for name, (status, out, err) in zip(COMMANDS, helps, strict=True):
        assert (status, err) == (0, ""), name
        assert "exit status" in " ".join(out.lower().split()), name
    assert (await _run())[0] == 2
    status, out, err = await _run("serach")
    assert (status, out) == (2, "") and err.startswith("semantik: there is no command 'serach'.\n\nusage: ")


def test_commands_flags_and_subcommands_are_completed_in_bash(tmp_path: Path) -> None:
    script = subprocess.run(
        [PROGRAM, "completion", "bash"], capture_output=True, text=True, check=True
    ).stdout
    (tmp_path / "completion.bash").write_text(script)
    ask = """
        source completion.bash
        words() { COMP_WORDS=(semantik "$@"); COMP_CWORD=$#; COMPREPLY=(); _shtab_semantik; echo "${COMPREPLY[@]}"; }
        words se; words search --m; words user res
    """
    answer = subprocess.run(["bash", "-c", ask], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert answer.stdout.splitlines() == ["server search", "--mode", "reset-password reset-second-factor"]


@pytest.mark.gen_test
async def test_a_folder_is_indexed_searched_and_scanned_again(shared: Serving, folder: Path) -> None:
    client = await new_user(shared)
    env = await _of_user(client)
    status, out, err = await _run("index", str(folder), env=env)
    assert (status, err) == (0, ""), out
    assert "2 documents" in out
    status, out, err = await _run("search", "spring", "tides", env=env)
    assert (status, err) == (0, "")
    assert "Tides" in out and f"{folder}/tides.md" in out and "come with the new moon." in out
    status, out, err = await _run("search", "lock", "-c", "harbour", "--chunks", "--json", "-k", "5", env=env)
    answer = json.loads(out)
    assert (status, err) == (0, "") and "The lock opens" in answer["hits"][0]["passage"]
    status, out, err = await _run("search", "type:markdown", env=env)  # its hits have no relevance
    assert (status, err) == (0, "") and "  1 Tides\n" in out

    (folder / "buoys.txt").write_text("The red buoy was painted.")
    status, out, err = await _run("index", str(folder), "--json", env=env)
    messages = [json.loads(line) for line in out.splitlines()]
    assert (status, err) == (0, "") and messages[-1]["type"] == "operation_completed"
    assert (await client.call("GET", "collections"))["items"][0]["document_count"] == 3
    (folder.parent / "more").mkdir()
    status, out, err = await _run("index", str(folder.parent / "more"), "-c", "HARBOUR", "--no-wait", env=env)
    assert (status, err) == (0, "")
    status, out, err = await _run("watch", out.strip(), env=env)
    assert (status, err) == (0, "")
    sources = (await client.call("GET", f"collections/{answer['hits'][0]['collection']['id']}/sources"))[
        "items"
    ]
    assert {source["path"] for source in sources} == {str(folder), str(folder.parent / "more")}


@pytest.mark.gen_test
async def test_the_commands_of_the_how_to_work(shared: Serving, folder: Path, tmp_path: Path) -> None:
    page = (ROOT / "docs" / "how-to" / "terminal.md").read_text()
    [script] = [
        block
        for block in re.findall(r"^```sh\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
        if "index" in block
    ]
    key = (await _of_user(await new_user(shared)))["SEMANTIK_API_KEY"]
    (tmp_path / "documents").mkdir()
    folder.rename(tmp_path / "documents" / "harbour")
    env = {"KEY": key, "HOME": str(tmp_path), "PATH": f"{PROGRAM.parent}:{os.environ['PATH']}"}
    script = script.replace("http://localhost:8080", shared.url)
    status, out, _ = await run_program("sh", "-eu", "-c", script, env={**os.environ, **env})
    assert status == 0
    assert "2 documents" in out and "Hemp ropes are tarred every autumn." in out


@pytest.mark.gen_test
async def test_all_operations_are_watched_as_lines_of_json(shared: Serving, folder: Path) -> None:
    client = await new_user(shared)
    env = {**os.environ, **await _of_user(client)}
    watching = await asyncio.create_subprocess_exec(
        str(PROGRAM), "watch", "--json", env=env, stdout=asyncio.subprocess.PIPE, limit=1 << 20
    )
    assert watching.stdout is not None
    first = asyncio.create_task(watching.stdout.readline())
    async with deadline():
        for number in itertools.count():  # those that end before it is connected are not shown
            await client.call(
                "POST", "collections", {"name": f"Harbour {number}", "source_path": str(folder)}
            )
            if (await asyncio.wait({first}, timeout=1))[0]:
                break
        kinds = [json.loads(await first)["type"]]
        while kinds[-1] != "operation_completed":
            kinds.append(json.loads(await watching.stdout.readline())["type"])
        watching.terminate()
        await watching.wait()


@pytest.mark.gen_test
async def test_what_cannot_be_done_is_said_in_one_sentence(shared: Serving, folder: Path) -> None:
    client = await new_user(shared)
    env = await _of_user(client)
    _, reader = await make_key(client, scopes=["read"])
    without = {**env, "SEMANTIK_API_KEY": ""}
    answers = await asyncio.gather(
        _run("search", "tides", env=env),
        _run("search", "tides", "-c", "nowhere", env=env),
        _run("search", "tides", env=without),
        _run("search", "tides", "--url", "http://127.0.0.1:9", env=env),
        _run("search", "tides", "--url", "nonsense", env=env),
        _run("index", str(folder / "missing"), env=env),
        _run("index", str(folder), env={**env, "SEMANTIK_API_KEY": reader.token}),
        _run("watch", "no-such-operation", env=env),
    )
    expected = [
        (1, "Nothing was found."),
        (2, "There is no collection 'nowhere'"),
        (2, "Set SEMANTIK_API_KEY to an API key"),
        (1, "http://127.0.0.1:9 does not answer"),
        (2, "is not the URL of a server"),
        (1, "missing"),
        (1, "scope"),
        (1, "no-such-operation"),
    ]
    for (status, out, err), (wanted, text) in zip(answers, expected, strict=True):
        assert status == wanted and text in out + err, (out, err)
        assert "Traceback" not in err and len(err.splitlines()) <= 1, (out, err)


@pytest.mark.gen_test
async def test_the_variables_for_a_running_server_do_no_harm_to_commands_without_one(
    shared: Serving, folder: Path
) -> None:
    env = await _of_user(await new_user(shared))
    [file, *_] = sorted(folder.iterdir())
    status, out, err = await _run("extract", "--json", str(file), env=env)
    assert status == 0 and json.loads(out), err
    status, out, err = await _run("status", "--json", "--data", str(shared.data), env=env)
    assert status == 0 and json.loads(out), err
