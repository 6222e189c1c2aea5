"""A backup is one file, made while the server runs. After a restore the hits are the same and operations resume."""

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
from support.uploads import collection, items, processed, request, send

from semantik.client.api import Client

pytestmark = [
    pytest.mark.gen_test,
    pytest.mark.skipif("os.environ.get('SEMANTIK_TEST_MONGO_URL')", reason="for the embedded MongoDB"),
]

OPEN = ("--auth-registration", "open", "--progress-linger-s", "0.2")
QUERY = "How long do I bake the bread?"
FILES = 60


def run_backup(*arguments: str | Path) -> tuple[int, str]:
    """Run `bin/semantik-backup`; returns its exit status and its output."""
    done = subprocess.run(
        [ROOT / "bin" / "semantik-backup", *map(str, arguments)],
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=patience(),
    )
    return done.returncode, done.stdout


async def _back_up(serving: Serving, file: Path) -> None:
    status, output = await asyncio.to_thread(run_backup, file, "--data", serving.data)
    assert (status, output.startswith(f"Backed up to {file}: ")) == (0, True), output


async def _hits(client: Client) -> list[tuple[float, str, str]]:
    return [(hit["score"], hit["passage"], hit["document"]["id"]) for hit in await ask(client, QUERY)]


async def _restore(serving: Serving, file: Path) -> None:
    """Delete the data folder, which no server uses, and restore it from the backup."""
    shutil.rmtree(serving.data)
    status, output = await asyncio.to_thread(run_backup, "--restore", file, "--data", serving.data)
    assert status == 0, output


async def test_hits_are_the_same_after_a_restore(start: Callable[..., Serving], tmp_path: Path) -> None:
    serving, file = start(*OPEN), tmp_path / "monday.backup"
    client = await new_user(serving)
    collection, _ = await index(client, SAMPLES)
    hits = await _hits(client)
    await _back_up(serving, file)
    assert file.stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "data.log", "monday.backup"]

    assert serving.stop() == 0
    await _restore(serving, file)
    client = Client(start(*OPEN).url, client.token)
    assert await _hits(client) == hits
    assert len(await documents(client, collection)) == len(list(SAMPLES.iterdir()))


async def test_a_restore_drops_what_was_indexed_after_the_backup(
    start: Callable[..., Serving], tmp_path: Path
) -> None:
    serving, file = start(*OPEN), tmp_path / "monday.backup"
    client = await new_user(serving)
    await index(client, SAMPLES)
    hits = await _hits(client)
    await _back_up(serving, file)
    later = tmp_path / "later"
    later.mkdir()
    (later / "bread.txt").write_text(f"{QUERY} For forty minutes, and not a minute longer.")
    await index(client, later, "Later")
    assert await _hits(client) != hits
    status, output = await asyncio.to_thread(run_backup, "--restore", "--force", file, "--data", serving.data)
    assert (status, "is in use by the server with process id" in output) == (1, True), output

    assert serving.stop() == 0
    status, output = await asyncio.to_thread(run_backup, "--restore", file, "--data", serving.data)
    assert (status, "replace it with --force" in output) == (1, True), output
    status, output = await asyncio.to_thread(run_backup, "--restore", "--force", file, "--data", serving.data)
    assert status == 0, output
    assert not (serving.data / "index").exists() and not (serving.data / "redis").exists()
    client = Client(start(*OPEN).url, client.token)
    assert await _hits(client) == hits


async def test_an_operation_of_the_backup_resumes_after_a_restore(
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
        async for message in client.watch(made["operation_id"], patience_s=0):
            if message["type"] == "document_processed":
                await _back_up(serving, file)
                break
        serving.kill()
    await _restore(serving, file)
    counts = _counts(serving.data)
    assert counts["indexed"] < FILES, "the backup must be made before the operation ends"

    client = Client(start(*soon).url, client.token)
    messages = [message async for message in client.watch(made["operation_id"])]
    assert messages[-1]["data"]["status"] == "completed"
    view = await client.call("GET", f"collections/{made['id']}")
    assert (view["document_count"], view["failed_count"]) == (FILES, 0)
    assert view["chunk_count"] == view["stats"]["vectors"]
    assert (await ask(client, "Which ship called?"))[0]["document"]["name"].endswith(".txt")


def _counts(data: Path) -> dict[str, Any]:
    with closing(sqlite3.connect(data / "mongo" / "semantik.db")) as database:
        (indexed,) = database.execute(
            "SELECT count(*) FROM documents WHERE json_extract(data, '$.status') = 'indexed'"
        ).fetchone()
    return {"indexed": indexed}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a database like that of the embedded MongoDB, and a backup of it named `good`."""
    folder = tmp_path_factory.mktemp("home")
    (folder / "data" / "mongo").mkdir(parents=True)
    with closing(sqlite3.connect(folder / "data" / "mongo" / "semantik.db")) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("CREATE TABLE users (name TEXT)")
        database.executemany("INSERT INTO users VALUES (?)", ([f"user {n}"] for n in range(5000)))
        database.commit()
    assert run_backup(folder / "good", "--data", folder / "data")[0] == 0
    return folder


def _damaged(packed: bytes) -> bytes:
    """The same database with one overwritten page, in a valid gzip file."""
    plain = bytearray(gzip.decompress(packed))
    plain[8192:12288] = b"\xff" * 4096
    return gzip.compress(bytes(plain))


def _foreign(packed: bytes) -> bytes:
    plain = bytearray(gzip.decompress(packed))
    plain[68:72] = bytes(4)  # application_id
    return gzip.compress(bytes(plain))


DAMAGES: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "text": (lambda packed: b"Dear diary", "Not a gzipped file"),
    "empty": (lambda packed: b"", "not a database|another program's database"),
    "cut off": (lambda packed: packed[: len(packed) // 2], "ended before the end-of-stream marker"),
    "a flipped bit": (lambda packed: packed[:-6] + bytes([packed[-6] ^ 1]) + packed[-5:], "CRC check failed"),
    "another gzip": (lambda packed: gzip.compress(b"x" * 10_000), "file is not a database"),
    "another database": (_foreign, "another program's database"),
    "a damaged page": (_damaged, "malformed|ever used|invalid|corrupt|btree"),
}


@pytest.mark.parametrize("damage", DAMAGES, ids=list(DAMAGES))
def test_restoring_an_invalid_file_changes_nothing(home: Path, damage: str) -> None:
    change, reasons = DAMAGES[damage]
    (home / "bad").write_bytes(change((home / "good").read_bytes()))
    before = (home / "data" / "mongo" / "semantik.db").read_bytes()
    (home / "data" / "index").mkdir(exist_ok=True)
    status, output = run_backup("--restore", "--force", home / "bad", "--data", home / "data")
    assert status == 1 and output.count("\n") == 1
    assert output.startswith(f"semantik-backup: {home / 'bad'} is no back-up of Semantik, or it is damaged (")
    assert any(each in output for each in reasons.split("|")), output
    assert (home / "data" / "mongo" / "semantik.db").read_bytes() == before
    assert (home / "data" / "index").exists()
    assert [path.name for path in (home / "data" / "mongo").iterdir()] == ["semantik.db"]


def test_overwriting_a_file_requires_force(home: Path) -> None:
    (home / "other").write_text("Dear diary")
    status, output = run_backup(home / "other", "--data", home / "data")
    assert (status, "exists already; choose another name, or overwrite it with --force." in output) == (
        1,
        True,
    )
    assert (home / "other").read_text() == "Dear diary"
    assert run_backup(home / "other", "--force", "--data", home / "data")[0] == 0
    assert (home / "other").read_bytes()[:2] == b"\x1f\x8b"


REFUSED = [
    (["{home}/new", "--data", "{home}/nothing"], 1, "There is nothing to back up"),
    (["{home}/no/such/folder", "--data", "{home}/data"], 1, "No such file or directory"),
    (["--restore", "{home}/nothing", "--data", "{home}/data"], 1, "There is no such file ({home}/nothing)."),
    (["{home}/new", "--config", "{home}/nothing.toml"], 2, "cannot be read"),
    ([], 2, "the following arguments are required: FILE"),
]


@pytest.mark.parametrize(("arguments", "status", "sentence"), REFUSED)
def test_refusals_have_a_status_and_a_message(
    home: Path, arguments: list[str], status: int, sentence: str
) -> None:
    exit_status, output = run_backup(*(each.format(home=home) for each in arguments))
    assert (exit_status, sentence.format(home=home) in output) == (status, True), output
    assert "Traceback" not in output


def test_an_unreadable_database_is_named(home: Path) -> None:
    (home / "damaged" / "mongo").mkdir(parents=True)
    (home / "damaged" / "mongo" / "semantik.db").write_text("Dear diary")
    status, output = run_backup(home / "never", "--data", home / "damaged")
    assert (status, f"The database {home}/damaged/mongo/semantik.db cannot be copied" in output) == (
        1,
        True,
    ), output
    assert not (home / "never").exists()


async def test_uploaded_files_are_in_a_back_up_on_request(
    start: Callable[..., Serving], tmp_path: Path
) -> None:
    serving = start(*OPEN)
    client = await new_user(serving)
    target = await collection(client)
    content = b"The bread is baked for an hour."
    [one] = items(await send(client, target, {"bread.txt": content}))
    document = await processed(client, target, one["id"])
    key = (await client.call("POST", "api-keys", {"name": "back-up", "scopes": ["read"]}))["key"]
    file = tmp_path / "all.backup"
    status, output = await asyncio.to_thread(run_backup, file, "--uploads", "--data", serving.data)
    assert status == 0 and f"Backed up 1 uploaded files to {file}.uploads.tar" in output
    serving.stop()
    shutil.rmtree(serving.data)
    archive = Path(f"{file}.uploads.tar")
    whole = archive.read_bytes()
    archive.write_bytes(whole.replace(b"bread", b"broad"))
    status, output = await asyncio.to_thread(
        run_backup, "--restore", file, "--uploads", "--data", serving.data
    )
    assert status == 1 and "has other bytes" in output
    archive.write_bytes(whole)
    status, output = await asyncio.to_thread(
        run_backup, "--restore", file, "--uploads", "--data", serving.data
    )
    assert status == 0, output
    client = Client(start(*OPEN).url, key)
    original = await request(client, "GET", f"collections/{target}/documents/{document['id']}/original")
    assert original.body == content
