"""Archives: each file inside is a document of its own, and only changed ones are read again."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from support.api import ask, index, new_user
from support.archives import write_zip, zip_bytes
from support.parts import LETTERS, is_sound, listed, run
from support.server import Serving
from support.watched_source import OPEN

pytestmark = pytest.mark.gen_test


async def test_each_file_in_an_archive_is_a_document(shared: Serving, tmp_path: Path) -> None:
    client = await new_user(shared)
    folder = tmp_path / "papers"
    junk = ("node_modules/a.js", "src/.git/config", "__MACOSX/._list.csv", "letters/.DS_Store", "~$list.xlsx")
    write_zip(folder / "garden.zip", LETTERS | dict.fromkeys(junk, "nothing"))
    (folder / "note.txt").write_text("A note beside the archive.")
    collection_id, _ = await index(client, folder)
    found = await listed(client, collection_id, folder)
    assert set(found) == {"garden.zip", "note.txt", *(f"garden.zip#{name}" for name in LETTERS)}
    archive, letter = found["garden.zip"], found["garden.zip#letters/spring.txt"]
    assert (archive["status"], archive["mime"], archive["part_count"], archive["chunk_count"]) == (
        "indexed", "application/zip", 3, 0,
    )  # fmt: skip
    assert (letter["container_id"], letter["part"]) == (archive["id"], "letters/spring.txt")
    assert (letter["mime"], letter["name"]) == ("text/plain", "garden.zip#letters/spring.txt")
    [hit] = await ask(client, "swallows in the barn", collection_ids=[collection_id], k=1)
    assert hit["passage"] == LETTERS["letters/spring.txt"]
    assert hit["document"]["id"] == letter["id"] and hit["document"]["part"] == "letters/spring.txt"
    content = await client.call("GET", f"collections/{collection_id}/documents/{letter['id']}/content")
    assert content["text"] == LETTERS["letters/spring.txt"]
    view = await client.call("GET", f"collections/{collection_id}")
    assert (view["document_count"], view["pending_count"], view["failed_count"]) == (5, 0, 0)


async def test_only_changed_parts_are_read_again(shared: Serving, tmp_path: Path) -> None:
    client = await new_user(shared)
    folder = tmp_path / "papers"
    archive = write_zip(folder / "garden.zip", LETTERS)
    collection_id, _ = await index(client, folder)
    before = await listed(client, collection_id, folder)
    again = await run(client, f"collections/{collection_id}/append")
    assert (again["result"]["documents"], again["total_files"]) == (0, 0)

    changed = {**LETTERS, "letters/autumn.txt": "The beeches are bare since the storm."}
    changed["letters/winter.txt"] = "Snow lies on the compost heap."
    del changed["list.csv"]
    write_zip(archive, changed)
    ended = await run(client, f"collections/{collection_id}/append")
    # The archive, the changed letter and the new one.
    assert (ended["status"], ended["total_files"], ended["processed_files"]) == ("completed", 3, 3)
    assert ended["result"]["documents"] == 3 and ended["result"]["chunks"] == 2
    after = await listed(client, collection_id, folder)
    assert set(after) == {"garden.zip", *(f"garden.zip#{name}" for name in changed)}
    for name in ("letters/autumn.txt", "letters/spring.txt"):
        assert after[f"garden.zip#{name}"]["id"] == before[f"garden.zip#{name}"]["id"]
    passages = {hit["passage"] for hit in await ask(client, "letters", collection_ids=[collection_id], k=9)}
    assert passages == set(changed.values())
    assert after["garden.zip"]["part_count"] == 3
    await is_sound(client, collection_id, folder)

    os.utime(archive, (1, 1))
    ended = await run(client, f"collections/{collection_id}/append")
    assert (ended["total_files"], ended["result"]["chunks"]) == (1, 0)  # the archive alone
    await is_sound(client, collection_id, folder)


async def test_an_inner_file_that_cannot_be_read_fails_alone(shared: Serving, tmp_path: Path) -> None:
    client = await new_user(shared)
    folder = tmp_path / "papers"
    archive = write_zip(
        folder / "mixed.zip", {**LETTERS, "empty.txt": "", "noise.bin": bytes(range(32)) * 90}
    )
    data = bytearray(archive.read_bytes())
    for start in (data.find(b"PK\x03\x04"), data.find(b"PK\x01\x02")):  # the first member: encrypted
        data[start + (6 if data[start + 2] == 3 else 8)] |= 1
    archive.write_bytes(bytes(data))
    collection_id, _ = await index(client, folder)
    found = await listed(client, collection_id, folder)
    spring, noise = found["mixed.zip#letters/spring.txt"], found["mixed.zip#noise.bin"]
    assert spring["status"] == "failed" and "encrypted" in spring["error"]["message"]
    assert noise["status"] == "failed" and found["mixed.zip#empty.txt"]["status"] == "skipped"
    assert found["mixed.zip"]["status"] == found["mixed.zip#letters/autumn.txt"]["status"] == "indexed"
    await is_sound(client, collection_id, folder)
    retried = await run(client, f"collections/{collection_id}/documents/{spring['id']}/retry")
    assert (retried["total_files"], retried["failed_files"]) == (1, 1)

    write_zip(archive, LETTERS)
    await run(client, f"collections/{collection_id}/append")
    found = await listed(client, collection_id, folder)
    assert {one["status"] for one in found.values()} == {"indexed"} and len(found) == 4
    await is_sound(client, collection_id, folder)

    archive.write_bytes(b"PK\x03\x04 and no more")
    ended = await run(client, f"collections/{collection_id}/append")
    found = await listed(client, collection_id, folder)
    assert ended["failed_files"] == 1
    assert list(found) == ["mixed.zip"] and found["mixed.zip"]["part_count"] is None
    assert await ask(client, "beeches", collection_ids=[collection_id], k=1) == []
    await is_sound(client, collection_id, folder)


async def test_archives_in_archives_are_opened_three_deep(shared: Serving, tmp_path: Path) -> None:
    client = await new_user(shared)
    folder = tmp_path / "papers"
    inner = tmp_path / "inner.zip"
    write_zip(inner, {"deep.txt": "The deepest letter is about moss."})
    for depth in (3, 2, 1):
        text = f"Level {depth} speaks of ferns."
        write_zip(tmp_path / f"{depth}.zip", {"in.zip": inner.read_bytes(), f"{depth}.txt": text})
        inner = tmp_path / f"{depth}.zip"
    (folder).mkdir()
    inner.rename(folder / "all.zip")
    collection_id, _ = await index(client, folder)
    found = await listed(client, collection_id, folder)
    names = [
        "1.txt",
        "in.zip",
        "in.zip#2.txt",
        "in.zip#in.zip",
        "in.zip#in.zip#3.txt",
        "in.zip#in.zip#in.zip",
    ]
    assert sorted(found) == ["all.zip", *(f"all.zip#{name}" for name in names)]
    assert found["all.zip#in.zip#in.zip#in.zip"]["status"] == "failed"
    assert found["all.zip#in.zip#in.zip#3.txt"]["container_id"] == found["all.zip#in.zip#in.zip"]["id"]
    [hit] = await ask(client, "ferns level 3", collection_ids=[collection_id], k=1)
    assert hit["document"]["part"] == "3.txt"
    await is_sound(client, collection_id, folder)

    # A changed letter in the middle: the containers around it, and itself.
    write_zip(tmp_path / "3b.zip", {"3.txt": "Level 3 speaks of lichen now."})
    write_zip(
        tmp_path / "2b.zip",
        {"in.zip": (tmp_path / "3b.zip").read_bytes(), "2.txt": "Level 2 speaks of ferns."},
    )
    write_zip(
        folder / "all.zip",
        {"in.zip": (tmp_path / "2b.zip").read_bytes(), "1.txt": "Level 1 speaks of ferns."},
    )
    ended = await run(client, f"collections/{collection_id}/append")
    assert (ended["total_files"], ended["result"]["chunks"]) == (4, 1)
    [hit] = await ask(client, "lichen", collection_ids=[collection_id], k=1)
    assert "lichen" in hit["passage"]
    await is_sound(client, collection_id, folder)


async def test_limits_leave_parts_out_with_a_warning(start: Callable[..., Serving], tmp_path: Path) -> None:
    flags = ("--documents-max-container-parts", "3", "--documents-max-container-bytes", "30000")
    client = await new_user(start(*OPEN, *flags, "--documents-max-file-bytes", "9000"))
    folder = tmp_path / "papers"
    write_zip(folder / "many.zip", {f"{each}.txt": f"Paper {each} is thin." for each in range(5)})
    bulky = {f"{each}.txt": "A paper that repeats itself. " * 450 for each in range(2)}
    write_zip(folder / "bulky.zip", {"large.txt": "word " * 1900, **bulky})
    (folder / "huge.zip").write_bytes(zip_bytes(LETTERS) + bytes(30_000))
    collection_id, _ = await index(client, folder)
    found = await listed(client, collection_id, folder)
    assert {name for name in found if "#" in name} == {
        *(f"many.zip#{each}.txt" for each in range(3)),
        "bulky.zip#large.txt",
        "bulky.zip#0.txt",
    }
    [warning] = found["many.zip"]["quality"]["warnings"]
    assert "first 3 files" in warning and "max_container_parts" in warning
    [warning] = found["bulky.zip"]["quality"]["warnings"]
    assert "first 2 files" in warning and "max_container_bytes" in warning
    assert found["bulky.zip#large.txt"]["error"]["category"] == "too_large"
    assert found["huge.zip"]["error"]["category"] == "too_large"
    view = await client.call("GET", f"collections/{collection_id}")
    assert view["warned_count"] == sum(bool((one["quality"] or {}).get("warnings")) for one in found.values())


def message(number: int, text: str) -> str:
    return (
        f"From keeper@ridge.example Mon Jan 27 09:12:0{number} 2025\nFrom: Keeper <keeper@ridge.example>\n"
        f"Message-ID: <{number}@ridge.example>\nDate: Mon, 27 Jan 2025 09:12:0{number} +0100\n"
        f"Subject: Log {number}\n\n{text}\n\n"
    )


async def test_each_message_of_a_mailbox_is_a_document(shared: Serving, tmp_path: Path) -> None:
    client = await new_user(shared)
    folder = tmp_path / "mail"
    folder.mkdir()
    store = folder / "Inbox"
    store.write_text(message(1, "The anemometer was torn off.") + message(2, "The radio dish is iced."))
    (folder / "Inbox.msf").write_text('// <!-- <mdb:mork:z v="1.4"/> -->\n')
    collection_id, _ = await index(client, folder)
    found = await listed(client, collection_id, folder)
    assert set(found) == {"Inbox", "Inbox#1@ridge.example", "Inbox#2@ridge.example"}
    first = found["Inbox#1@ridge.example"]
    assert (first["title"], first["mime"]) == ("Log 1", "message/rfc822")
    [hit] = await ask(client, "what happened to the anemometer", collection_ids=[collection_id], k=1)
    assert hit["document"]["id"] == first["id"]
    store.write_text(
        message(3, "A new one came by the cable car.") + message(1, "The anemometer was torn off.")
    )
    await run(client, f"collections/{collection_id}/append")
    found = await listed(client, collection_id, folder)
    present = {path for path, one in found.items() if one["status"] == "indexed"}
    assert present == {"Inbox", "Inbox#1@ridge.example", "Inbox#3@ridge.example"}
    assert found["Inbox#1@ridge.example"]["id"] == first["id"]
