"""Parts of archives go where their file goes; files that are no documents, and names that look like those of parts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pymongo import AsyncMongoClient
from support.api import ask, index, new_user
from support.archives import write_zip
from support.hold import held
from support.parts import LETTERS, is_sound, listed, run
from support.server import Serving
from support.watched_source import OPEN

pytestmark = pytest.mark.gen_test


async def test_parts_go_where_their_file_goes(shared: Serving, tmp_path: Path) -> None:
    client = await new_user(shared)
    folder, other = tmp_path / "papers", tmp_path / "papers/sub"
    write_zip(
        folder / "garden.zip", {**LETTERS, "in.zip": write_zip(tmp_path / "x.zip", LETTERS).read_bytes()}
    )
    write_zip(folder / "twig.zip", {"a.txt": "A twig of hazel."})
    collection_id, _ = await index(client, folder)
    before = await listed(client, collection_id, folder)
    other.mkdir()
    (folder / "garden.zip").rename(other / "moved # once.zip")
    ended = await run(client, f"collections/{collection_id}/append")
    assert (ended["result"]["moved"], ended["result"]["chunks"]) == (1, 0)
    after = await listed(client, collection_id, folder)
    assert {name.replace("sub/moved # once", "garden"): one["id"] for name, one in after.items()} == {
        name: one["id"] for name, one in before.items()
    }
    await is_sound(client, collection_id, folder)
    (other / "moved # once.zip").unlink()
    await run(client, f"collections/{collection_id}/append")
    assert set(await listed(client, collection_id, folder)) == {"twig.zip", "twig.zip#a.txt"}
    assert len(await ask(client, "letters", collection_ids=[collection_id], k=9)) == 1
    await is_sound(client, collection_id, folder)


async def test_a_removed_source_takes_its_parts_along_except_shared_ones(
    shared: Serving, tmp_path: Path
) -> None:
    client = await new_user(shared)
    folder = tmp_path / "papers"
    write_zip(folder / "all.zip", LETTERS)
    write_zip(
        folder / "sub/part.zip", {"a.txt": "A twig of hazel.", "in.zip": (folder / "all.zip").read_bytes()}
    )
    # A folder of this name confuses nothing.
    odd = folder / "all.zip#letters"
    odd.mkdir()
    (odd / "real.txt").write_text("A real file.")
    collection_id, _ = await index(client, folder)
    for extra in (folder / "sub", odd):
        await run(client, f"collections/{collection_id}/sources", {"path": str(extra)})
    sources = (await client.call("GET", f"collections/{collection_id}/sources"))["items"]
    top = next(one["id"] for one in sources if one["path"] == str(folder))
    ended = await run(client, f"collections/{collection_id}/sources/{top}", method="DELETE")
    found = await listed(client, collection_id, folder)
    kept = {
        f"sub/part.zip{name}" for name in ("", "#a.txt", "#in.zip", *(f"#in.zip#{name}" for name in LETTERS))
    }
    assert set(found) == kept | {"all.zip#letters/real.txt"}
    assert (ended["result"]["documents"], ended["result"]["kept"]) == (4, 7)
    assert ended["progress_percent"] == 100.0
    await is_sound(client, collection_id, folder)


async def test_a_reindex_copies_the_parts_that_have_not_changed(shared: Serving, tmp_path: Path) -> None:
    client = await new_user(shared)
    folder = tmp_path / "papers"
    write_zip(
        folder / "garden.zip", {**LETTERS, "in.zip": write_zip(tmp_path / "x.zip", LETTERS).read_bytes()}
    )
    gone = write_zip(folder / "gone.zip", {"old.txt": "An old letter about the pear tree."})
    collection_id, _ = await index(client, folder)
    write_zip(
        folder / "garden.zip", {**LETTERS, "list.csv": "tree,height\nyew,9\n", "new.txt": "A new letter."}
    )
    gone.unlink()
    ended = await run(client, f"collections/{collection_id}/reindex", {"chunk_size": 40})
    assert ended["status"] == "completed", ended
    found = await listed(client, collection_id, folder)
    names = {"garden.zip", *(f"garden.zip#{name}" for name in (*LETTERS, "new.txt"))}
    assert set(found) == names | {"gone.zip", "gone.zip#old.txt"}
    assert {one["status"] for one in found.values()} == {"indexed"}
    assert found["gone.zip#old.txt"]["container_id"] == found["gone.zip"]["id"]
    [hit] = await ask(client, "pear tree", collection_ids=[collection_id], k=1)
    assert hit["document"]["name"] == "gone.zip#old.txt"
    await is_sound(client, collection_id, folder)
    ended = await run(client, f"collections/{collection_id}/reindex", {})
    assert ended["status"] == "completed"
    await is_sound(client, collection_id, folder)


async def test_a_real_name_with_a_number_sign_and_a_part_keep_apart(shared: Serving, tmp_path: Path) -> None:
    client = await new_user(shared)
    folder = tmp_path / "papers"
    (folder).mkdir()
    (folder / "a.zip#b.txt").write_text("The real file of this name.")
    write_zip(folder / "a.zip", {"b.txt": "The part of this name.", "c.txt": "Another part."})
    collection_id, _ = await index(client, folder)
    found = await listed(client, collection_id, folder)
    assert set(found) == {"a.zip", "a.zip#b.txt", "a.zip#./b.txt", "a.zip#c.txt"}
    assert found["a.zip#b.txt"]["part"] is None and found["a.zip#./b.txt"]["part"] == "b.txt"
    (folder / "a.zip#c.txt").write_text("A real file comes later.")
    await run(client, f"collections/{collection_id}/append")
    found = await listed(client, collection_id, folder)
    assert found["a.zip#c.txt"]["part"] is None and found["a.zip#./c.txt"]["part"] == "c.txt"
    (folder / "a.zip#b.txt").unlink()
    (folder / "a.zip").rename(folder / "z.zip")
    await run(client, f"collections/{collection_id}/append")
    found = await listed(client, collection_id, folder)
    assert set(found) == {"a.zip#c.txt", "z.zip", "z.zip#b.txt", "z.zip#c.txt"}
    for glob, passages in (
        ("b.txt", {"The part of this name."}),
        ("c.*", {"Another part."}),
        ("z.zip#*", {"The part of this name.", "Another part."}),
        ("*.txt", {"The part of this name.", "Another part.", "A real file comes later."}),
    ):
        hits = await ask(client, "name", collection_ids=[collection_id], k=9, filters={"path_glob": glob})
        assert {hit["passage"] for hit in hits} == passages, glob
    hits = await ask(client, "name", collection_ids=[collection_id], k=9, filters={"extensions": [".txt"]})
    assert len(hits) == 3
    await is_sound(client, collection_id, folder)


async def test_kept_parts_of_a_missing_archive_are_read_when_it_returns(
    start: Callable[..., Serving], tmp_path: Path
) -> None:
    client = await new_user(start(*OPEN, "--documents-missing", "keep"))
    folder, away = tmp_path / "papers", tmp_path / "away.zip"
    archive = write_zip(folder / "garden.zip", LETTERS)
    (folder / "note.txt").write_text("A note.")
    collection_id, _ = await index(client, folder)
    archive.rename(away)
    await run(client, f"collections/{collection_id}/append")
    found = await listed(client, collection_id, folder)
    assert len(found) == 5 and {one["missing"] for name, one in found.items() if "zip" in name} == {True}
    assert len(await ask(client, "letters", collection_ids=[collection_id], k=9)) == 4
    away.rename(archive)
    await run(client, f"collections/{collection_id}/append")
    found = await listed(client, collection_id, folder)
    assert {one["missing"] for one in found.values()} == {False}

    # Parts that were due when their archive went: they are read when it is back, though it has not changed.
    write_zip(archive, {**LETTERS, "list.csv": "tree,height\nyew,9\n"})
    with held(folder, "*#*"):
        accepted = await client.call("POST", f"collections/{collection_id}/append", {})
        async for message in client.watch(accepted["operation_id"]):
            if message["type"] == "document_processed":
                await client.call("DELETE", f"operations/{accepted['operation_id']}")
    archive.rename(away)
    await run(client, f"collections/{collection_id}/append")
    away.rename(archive)
    await run(client, f"collections/{collection_id}/append")
    [hit] = await ask(client, "yew 9", collection_ids=[collection_id], k=1)
    assert "yew" in hit["passage"]
    assert {one["due"] for one in (await listed(client, collection_id, folder)).values()} == {False}


async def test_documents_that_an_earlier_version_made_of_junk_are_removed(
    start: Callable[..., Serving], tmp_path: Path
) -> None:
    serving = start(*OPEN, "--documents-missing", "keep")
    client = await new_user(serving)
    folder = tmp_path / "papers"
    folder.mkdir()
    for name in ("note.txt", "gone.txt", "odd.txt"):
        (folder / name).write_text(f"The {name} is real.")
    collection_id, _ = await index(client, folder)
    (folder / "gone.txt").unlink()
    odd = (await listed(client, collection_id, folder))["odd.txt"]
    (folder / "odd.txt").rename(folder / "odd.txt.part")
    async with AsyncMongoClient(serving.stores.mongo_url) as mongo:
        table = mongo[serving.stores.database]["documents"]
        await table.update_one({"_id": odd["id"]}, {"$set": {"path": str(folder / "odd.txt.part")}})
    await run(client, f"collections/{collection_id}/append")
    assert set(await listed(client, collection_id, folder)) == {"note.txt", "gone.txt"}


async def test_an_archive_that_changes_while_it_is_read_ends_with_its_current_parts(
    shared: Serving, tmp_path: Path
) -> None:
    client = await new_user(shared)
    folder = tmp_path / "papers"
    archive = write_zip(folder / "garden.zip", LETTERS)
    with held(folder, "*#*"):
        made = await client.call("POST", "collections", {"name": "Papers", "source_path": str(folder)})
        async for message in client.watch(made["operation_id"]):
            if message["type"] == "document_processed":
                write_zip(archive, {"first.txt": "Now the first is this.", **LETTERS})
                break
    async for _ in client.watch(made["operation_id"]):
        pass
    found = await listed(client, made["id"], folder)
    assert {one["error"]["category"] for name, one in found.items() if "#" in name} == {"unreadable"}
    await is_sound(client, made["id"], folder)
    await run(client, f"collections/{made['id']}/append")
    found = await listed(client, made["id"], folder)
    assert {one["status"] for one in found.values()} == {"indexed"} and len(found) == 5
    await is_sound(client, made["id"], folder)
    archive.write_text("It is a text now.")
    await run(client, f"collections/{made['id']}/append")
    found = await listed(client, made["id"], folder)
    assert list(found) == ["garden.zip"] and found["garden.zip"]["part_count"] is None
    await is_sound(client, made["id"], folder)
    write_zip(archive, LETTERS)
    await run(client, f"collections/{made['id']}/append")
    assert len(await listed(client, made["id"], folder)) == 4
    hits = await ask(client, "now", collection_ids=[made["id"]], k=9)
    assert {hit["passage"] for hit in hits} == set(LETTERS.values()) - {LETTERS["list.csv"]} | {
        hit["passage"] for hit in hits if "ash" in hit["passage"]
    }
    await is_sound(client, made["id"], folder)


async def test_a_part_that_ends_its_worker_fails_alone(start: Callable[..., Serving], tmp_path: Path) -> None:
    serving = start(*OPEN, env={"SEMANTIK_FAILPOINT": "extract:crash:#letters/autumn.txt"})
    client = await new_user(serving)
    folder = tmp_path / "papers"
    write_zip(folder / "garden.zip", LETTERS)
    collection_id, _ = await index(client, folder)
    found = await listed(client, collection_id, folder)
    failed = found.pop("garden.zip#letters/autumn.txt")
    assert failed["error"]["category"] == "worker_died"
    assert {one["status"] for one in found.values()} == {"indexed"} and len(found) == 3
    await is_sound(client, collection_id, folder)
