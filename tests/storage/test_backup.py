"""A back-up is one file, taken while the server runs; restored, it finds what it found, and goes on with the rest."""

from __future__ import annotations

import asyncio
import gzip
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from support.api import ask, documents, index, new_user
from support.hold import held
from support.patience import patience
from support.server import ROOT, SAMPLES, Serving

from semantik.client.api import Client

pytestmark = [
    pytest.mark.gen_test,
    pytest.mark.skipif("os.environ.get('SEMANTIK_TEST_MONGO_URL')", reason="for the embedded MongoDB"),
]

OPEN = ("--auth-registration", "open", "--progress-linger-s", "0.2")
QUESTION = "How long do I bake the bread?"
FILES = 60


def backup(*arguments: str | Path) -> tuple[int, str]:
    """Run `bin/semantik-backup`; its status, and all that it said."""
    done = subprocess.run(
        [ROOT / "bin" / "semantik-backup", *map(str, arguments)],
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=patience(),
    )
    return done.returncode, done.stdout


async def _backed_up(serving: Serving, file: Path) -> None:
    status, said = await asyncio.to_thread(backup, file, "--data", serving.data)
    assert (status, said.startswith(f"Backed up to {file}: ")) == (0, True), said


async def _hits(client: Client) -> list[tuple[float, str, str]]:
    return [(hit["score"], hit["passage"], hit["document"]["id"]) for hit in await ask(client, QUESTION)]


async def _restored(serving: Serving, file: Path) -> None:
    """Wipe the data folder, which no server uses, and fill it from the back-up."""
    shutil.rmtree(serving.data)
    status, said = await asyncio.to_thread(backup, "--restore", file, "--data", serving.data)
    assert status == 0, said


async def test_what_was_found_is_found_again(start: Callable[..., Serving], tmp_path: Path) -> None:
    serving, file = start(*OPEN), tmp_path / "monday.backup"
    client = await new_user(serving)
    collection, _ = await index(client, SAMPLES)
    hits = await _hits(client)
    await _backed_up(serving, file)
    assert file.stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "data.log", "monday.backup"]

    assert serving.stop() == 0
    await _restored(serving, file)
    client = Client(start(*OPEN).url, client.token)
    assert await _hits(client) == hits
    assert len(await documents(client, collection)) == len(list(SAMPLES.iterdir()))


async def test_a_restored_index_forgets_what_came_after_the_back_up(
    start: Callable[..., Serving], tmp_path: Path
) -> None:
    serving, file = start(*OPEN), tmp_path / "monday.backup"
    client = await new_user(serving)
    await index(client, SAMPLES)
    hits = await _hits(client)
    await _backed_up(serving, file)
    later = tmp_path / "later"
    later.mkdir()
    (later / "bread.txt").write_text(f"{QUESTION} For forty minutes, and not a minute longer.")
    await index(client, later, "Later")
    assert await _hits(client) != hits
    status, said = await asyncio.to_thread(backup, "--restore", "--force", file, "--data", serving.data)
    assert (status, "is in use by the server with process id" in said) == (1, True), said

    assert serving.stop() == 0
    status, said = await asyncio.to_thread(backup, "--restore", file, "--data", serving.data)
    assert (status, "replace it with --force" in said) == (1, True), said
    status, said = await asyncio.to_thread(backup, "--restore", "--force", file, "--data", serving.data)
    assert status == 0, said
    assert not (serving.data / "index").exists() and not (serving.data / "redis").exists()
    client = Client(start(*OPEN).url, client.token)
    assert await _hits(client) == hits


async def test_an_operation_in_the_back_up_goes_on_by_itself(
    start: Callable[..., Serving], tmp_path: Path
) -> None:
    soon = (*OPEN, "--operations-lease-s", "2")
    serving, file = start(*soon), tmp_path / "middle.backup"
    client = await new_user(serving)
    folder = tmp_path / "folder"
    folder.mkdir()
    for number in range(FILES):
        (folder / f"{number}.txt").write_text(f"Ship {number} called at the harbour. " * 40)
    with held(folder, "59.txt"):
        made = await client.call("POST", "collections", {"name": "Ships", "source_path": str(folder)})
        async for frame in client.watch(made["operation_id"], patience_s=0):
            if frame["type"] == "document_processed":
                await _backed_up(serving, file)
                break
        serving.kill()
    await _restored(serving, file)
    counts = _counts(serving.data)
    assert counts["indexed"] < FILES, "the back-up is of the middle"

    client = Client(start(*soon).url, client.token)
    frames = [frame async for frame in client.watch(made["operation_id"])]
    assert frames[-1]["data"]["status"] == "completed"
    view = await client.call("GET", f"collections/{made['id']}")
    assert (view["document_count"], view["failed_count"]) == (FILES, 0)
    assert view["chunk_count"] == view["stats"]["vectors"]
    assert (await ask(client, "Which ship called?"))[0]["document"]["name"].endswith(".txt")


def _counts(data: Path) -> dict[str, Any]:
    with closing(sqlite3.connect(data / "mongo" / "semantik.db")) as found:
        (indexed,) = found.execute(
            "SELECT count(*) FROM documents WHERE json_extract(data, '$.status') = 'indexed'"
        ).fetchone()
    return {"indexed": indexed}


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a database as the embedded MongoDB's, and a back-up of it, `good`."""
    folder = tmp_path_factory.mktemp("kept")
    (folder / "data" / "mongo").mkdir(parents=True)
    with closing(sqlite3.connect(folder / "data" / "mongo" / "semantik.db")) as made:
        made.execute("PRAGMA journal_mode = WAL")
        made.execute("CREATE TABLE users (name TEXT)")
        made.executemany("INSERT INTO users VALUES (?)", ([f"user {n}"] for n in range(5000)))
        made.commit()
    assert backup(folder / "good", "--data", folder / "data")[0] == 0
    return folder


def _damaged(packed: bytes) -> bytes:
    """The same database with a page that is overwritten, packed soundly."""
    plain = bytearray(gzip.decompress(packed))
    plain[8192:12288] = b"\xff" * 4096
    return gzip.compress(bytes(plain))


def _foreign(packed: bytes) -> bytes:
    plain = bytearray(gzip.decompress(packed))
    plain[68:72] = bytes(4)  # application_id
    return gzip.compress(bytes(plain))


SPOILT: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "text": (lambda packed: b"Dear diary", "Not a gzipped file"),
    "empty": (lambda packed: b"", "not a database|another program's database"),
    "cut off": (lambda packed: packed[: len(packed) // 2], "ended before the end-of-stream marker"),
    "a flipped bit": (lambda packed: packed[:-6] + bytes([packed[-6] ^ 1]) + packed[-5:], "CRC check failed"),
    "another gzip": (lambda packed: gzip.compress(b"x" * 10_000), "file is not a database"),
    "another database": (_foreign, "another program's database"),
    "a damaged page": (_damaged, "malformed|ever used|invalid|corrupt|btree"),
}


@pytest.mark.parametrize("spoil", SPOILT, ids=list(SPOILT))
def test_a_file_that_is_no_sound_back_up_changes_nothing(kept: Path, spoil: str) -> None:
    spoilt, why = SPOILT[spoil]
    (kept / "bad").write_bytes(spoilt((kept / "good").read_bytes()))
    before = (kept / "data" / "mongo" / "semantik.db").read_bytes()
    (kept / "data" / "index").mkdir(exist_ok=True)
    status, said = backup("--restore", "--force", kept / "bad", "--data", kept / "data")
    assert status == 1 and said.count("\n") == 1
    assert said.startswith(f"semantik-backup: {kept / 'bad'} is no back-up of Semantik, or it is damaged (")
    assert any(each in said for each in why.split("|")), said
    assert (kept / "data" / "mongo" / "semantik.db").read_bytes() == before
    assert (kept / "data" / "index").exists()
    assert [path.name for path in (kept / "data" / "mongo").iterdir()] == ["semantik.db"]


def test_a_file_is_overwritten_only_by_force(kept: Path) -> None:
    (kept / "other").write_text("Dear diary")
    status, said = backup(kept / "other", "--data", kept / "data")
    assert (status, "exists already; choose another name, or overwrite it with --force." in said) == (1, True)
    assert (kept / "other").read_text() == "Dear diary"
    assert backup(kept / "other", "--force", "--data", kept / "data")[0] == 0
    assert (kept / "other").read_bytes()[:2] == b"\x1f\x8b"


REFUSED = [
    (["{kept}/new", "--data", "{kept}/nothing"], 1, "There is nothing to back up"),
    (["{kept}/no/such/folder", "--data", "{kept}/data"], 1, "No such file or directory"),
    (["--restore", "{kept}/nothing", "--data", "{kept}/data"], 1, "There is no such file ({kept}/nothing)."),
    (["{kept}/new", "--config", "{kept}/nothing.toml"], 2, "cannot be read"),
    ([], 2, "the following arguments are required: FILE"),
]


@pytest.mark.parametrize(("arguments", "status", "sentence"), REFUSED)
def test_what_cannot_be_done_is_told(kept: Path, arguments: list[str], status: int, sentence: str) -> None:
    done, said = backup(*(each.format(kept=kept) for each in arguments))
    assert (done, sentence.format(kept=kept) in said) == (status, True), said
    assert "Traceback" not in said


def test_a_database_that_cannot_be_read_is_told_by_its_name(kept: Path) -> None:
    (kept / "spoilt" / "mongo").mkdir(parents=True)
    (kept / "spoilt" / "mongo" / "semantik.db").write_text("Dear diary")
    status, said = backup(kept / "never", "--data", kept / "spoilt")
    assert (status, f"The database {kept}/spoilt/mongo/semantik.db cannot be copied" in said) == (1, True), (
        said
    )
    assert not (kept / "never").exists()


def test_a_mongodb_of_your_own_is_backed_up_by_its_own_tool(kept: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("SEMANTIK_MONGO_URL", "mongodb://db.example.org")
    status, said = backup(kept / "new")
    assert (status, "`mongodump --oplog` backs it up" in said, said.count("\n")) == (2, True, 1)
