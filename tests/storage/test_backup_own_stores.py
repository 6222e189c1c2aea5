"""`semantik-backup` on a MongoDB of one's own calls MongoDB's tools, or says what to run where they are missing."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.api import PASSWORD, ask, index, new_user
from support.mongo_tools import install
from support.own_stores import Mongo, plain_nx
from support.patience import patience
from support.server import ROOT, Serving, given_stores

from semantik.client.api import Client

pytestmark = [pytest.mark.gen_test, pytest.mark.noisy]

_SECRET = "mongodb://keeper:hush@127.0.0.1:1/?serverSelectionTimeoutMS=300"


@pytest.fixture
def mongo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mongo]:
    server = plain_nx(tmp_path / "mongo")
    monkeypatch.setenv("SEMANTIK_TEST_MONGO_URL", server.url)
    yield server
    server.stop()


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path / "tools")
    monkeypatch.setenv("PATH", f"{tmp_path}/tools:{os.environ['PATH']}")


def _backup(*arguments: str | Path, env: dict[str, str]) -> tuple[int, str]:
    done = subprocess.run(
        [ROOT / "bin" / "semantik-backup", *map(str, arguments)],
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=patience(),
        env={**os.environ, **env},
    )
    return done.returncode, done.stdout


async def test_a_restored_dump_gives_the_same_hits(
    mongo: Mongo, tools: None, start: Callable[..., Serving], tmp_path: Path
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "pier.txt").write_text("The lamp of the pier burned all night.")
    serving = start()
    client = await new_user(serving)
    name = (await client.call("GET", "auth/me"))["username"]
    await index(client, folder)
    before = await ask(client, "lamp of the pier")
    env, file = given_stores(serving.data), tmp_path / "archive.gz"

    status, said = _backup(file, env=env)
    assert (status, said.startswith(f"Backed up to {file}: ")) == (0, True), said
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert _backup(file, env=env) == (
        1,
        f"semantik-backup: {file} exists already; choose another name, or overwrite it with --force.\n",
    )
    status, said = _backup("--restore", file, "--force", env=env)
    assert status == 1 and said.endswith("runs; stop it first.\n"), said
    assert serving.stop() == 0
    status, said = _backup("--restore", file, env=env)
    assert status == 1 and "exists already; replace it with --force." in said

    (folder / "pier.txt").write_text("Changed after the back-up.")
    status, said = _backup("--restore", file, "--force", env=env)
    assert status == 0 and said.startswith(f"Restored from {file}. ")
    for cache in ("index", "keywords"):
        shutil.rmtree(serving.data / cache)
    again = Client(start().url)
    await again.sign_in(name, PASSWORD)
    assert await ask(again, "lamp of the pier") == before


def test_without_the_tools_it_says_what_to_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bare = {"SEMANTIK_MONGO_URL": _SECRET, "PATH": f"{ROOT}/.venv/bin:/usr/bin:/bin"}
    if shutil.which("mongodump", path=bare["PATH"]):
        pytest.skip("mongodump is installed here")
    for arguments, tool in (
        ((tmp_path / "new",), "mongodump"),
        (("--restore", tmp_path / "old"), "mongorestore"),
    ):
        status, said = _backup(*arguments, env=bare)
        assert (status, said.count("\n")) == (2, 1), said
        assert f"{tool} --host=127.0.0.1:1 --gzip --archive={tmp_path}/" in said and "hush" not in said
    assert list(tmp_path.iterdir()) == []


def test_what_fails_leaves_no_file_and_names_no_password(tools: None, tmp_path: Path) -> None:
    env = {"SEMANTIK_MONGO_URL": _SECRET}
    status, said = _backup(tmp_path / "new", env=env)
    assert status == 1 and said.startswith("semantik-backup: mongodump failed with status 1: Failed: ")
    assert "hush" not in said and not (tmp_path / "new").exists()
    status, said = _backup("--uploads", tmp_path / "new", env=env)
    assert status == 2 and "--uploads is not needed with mongo_url" in said


async def test_a_file_without_the_database_is_no_restoration(
    mongo: Mongo, tools: None, tmp_path: Path
) -> None:
    env = {"SEMANTIK_MONGO_URL": f"{mongo.url}/admin?authSource=admin", "SEMANTIK_MONGO_DATABASE": "other"}
    file = tmp_path / "archive.gz"
    assert _backup(file, env=env)[0] == 0
    status, said = _backup("--restore", file, env=env)
    assert status == 1 and "has no database other; nothing was restored" in said
