"""The commands of docs/how-to/uploads.md, run as they stand but for the address."""

from __future__ import annotations

import asyncio
import os
import re
from pathlib import Path

import pytest
from support.api import documents, new_user
from support.server import ROOT, Serving
from support.uploads import processed

pytestmark = pytest.mark.gen_test

_PAGE = (ROOT / "docs" / "how-to" / "uploads.md").read_text()


def _blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", _PAGE, re.DOTALL | re.MULTILINE)


async def _run(folder: Path, program: list[str], script: str, key: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *program,
        script,
        cwd=folder,
        env={**os.environ, "SEMANTIK_KEY": key},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode == 0, (script, out, err)
    return out.decode()


async def test_the_commands_upload_resume_list_and_remove(shared: Serving, tmp_path: Path) -> None:
    client = await new_user(shared)
    key = (await client.call("POST", "api-keys", {"name": "how-to", "scopes": ["write"]}))["key"]
    (tmp_path / "letter.txt").write_text("A letter about the lamp.")
    (tmp_path / "notes.md").write_text("# Notes\n\nOf the boat.")
    for name in ("big.txt", "python.txt"):
        (tmp_path / name).write_text("The storm came in the night. " * 5000)
    shell = ["sh", "-eu", "-c"]
    blocks = [block.replace("http://localhost:8080", shared.url) for block in _blocks("sh")]
    # The document of the last commands has to be there: what is before them is run first.
    out = await _run(tmp_path, shell, "".join(blocks[:-1]) + "echo\necho $COLLECTION", key)
    collection_id = out.split()[-1]
    for name in ("letter.txt", "notes.md", "big.txt"):
        assert f'"name": "{name}"' in out
    python = _blocks("python")[0]
    given = f"URL, COLLECTION, KEY = {shared.url + '/api/v2'!r}, {collection_id!r}, {key!r}\n"
    await _run(tmp_path, [str(ROOT / ".venv" / "bin" / "python"), "-c"], given + python, key)
    # The pieces were those of big.txt, which the collection has: the listed one that was removed is the newest.
    left = (await client.call("GET", f"collections/{collection_id}/uploads"))["items"]
    for item in left:
        assert (await processed(client, collection_id, item["id"]))["status"] == "indexed"
    setup = f"{blocks[0].splitlines()[0]}\n{blocks[0].splitlines()[1]}\nCOLLECTION={collection_id}\n"
    (tmp_path / "saved").mkdir()
    await _run(tmp_path / "saved", shell, setup + blocks[-1], key)
    [saved] = (tmp_path / "saved").iterdir()
    assert saved.read_bytes() == (tmp_path / saved.name).read_bytes()
    assert saved.name in await documents(client, collection_id)
