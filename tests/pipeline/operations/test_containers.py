"""Archives and mailboxes: each file inside is a document of its own, through scans, changes, moves and removals."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from support.api import ask, index, new_user
from support.archives import write_zip
from support.server import Serving

from semantik.client.api import Client

pytestmark = pytest.mark.gen_test


async def listed(client: Client, collection_id: str, folder: Path) -> dict[str, dict[str, Any]]:
    """All documents of a collection by their paths below the folder."""
    answer = await client.call("GET", f"collections/{collection_id}/documents", limit=500)
    return {one["path"].removeprefix(f"{folder}/"): one for one in answer["items"]}


async def run(client: Client, path: str, body: Any = None, method: str = "POST") -> dict[str, Any]:
    """Run an operation to its end, and check the counts that it leaves; returns its record."""
    accepted = await client.call(method, path, {} if method == "POST" and body is None else body)
    async for _ in client.watch(accepted["operation_id"]):
        pass
    operation: dict[str, Any] = await client.call("GET", f"operations/{accepted['operation_id']}")
    return operation


LETTERS = {
    "letters/spring.txt": "The swallows came back to the barn in April.",
    "letters/autumn.txt": "The beeches turned red early this year.",
    "list.csv": "tree,height\nash,31\n",
}


async def test_each_file_in_an_archive_is_a_document(shared: Serving, tmp_path: Path) -> None:
    client = await new_user(shared)
    folder = tmp_path / "papers"
    write_zip(folder / "garden.zip", LETTERS)
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
    await _is_sound(client, shared, collection_id, folder)

    os.utime(archive, (1, 1))
    ended = await run(client, f"collections/{collection_id}/append")
    assert (ended["total_files"], ended["result"]["chunks"]) == (1, 0)  # the archive alone
    await _is_sound(client, shared, collection_id, folder)


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
    await _is_sound(client, shared, collection_id, folder)
    retried = await run(client, f"collections/{collection_id}/documents/{spring['id']}/retry")
    assert (retried["total_files"], retried["failed_files"]) == (1, 1)

    write_zip(archive, LETTERS)
    await run(client, f"collections/{collection_id}/append")
    found = await listed(client, collection_id, folder)
    assert {one["status"] for one in found.values()} == {"indexed"} and len(found) == 4
    await _is_sound(client, shared, collection_id, folder)

    archive.write_bytes(b"PK\x03\x04 and no more")
    ended = await run(client, f"collections/{collection_id}/append")
    found = await listed(client, collection_id, folder)
    assert ended["failed_files"] == 1
    assert list(found) == ["mixed.zip"] and found["mixed.zip"]["part_count"] is None
    assert await ask(client, "beeches", collection_ids=[collection_id], k=1) == []
    await _is_sound(client, shared, collection_id, folder)


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
    await _is_sound(client, shared, collection_id, folder)

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
    await _is_sound(client, shared, collection_id, folder)


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
    await _is_sound(client, shared, collection_id, folder)
    (other / "moved # once.zip").unlink()
    await run(client, f"collections/{collection_id}/append")
    assert set(await listed(client, collection_id, folder)) == {"twig.zip", "twig.zip#a.txt"}
    assert len(await ask(client, "letters", collection_ids=[collection_id], k=9)) == 1
    await _is_sound(client, shared, collection_id, folder)


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
    await _is_sound(client, shared, collection_id, folder)


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
    await _is_sound(client, shared, collection_id, folder)
    ended = await run(client, f"collections/{collection_id}/reindex", {})
    assert ended["status"] == "completed"
    await _is_sound(client, shared, collection_id, folder)


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
    await _is_sound(client, shared, collection_id, folder)


async def _is_sound(client: Client, serving: Serving, collection_id: str, folder: Path) -> None:
    """The counts are those of the documents, each part has its container, and each chunk its document."""
    found = await listed(client, collection_id, folder)
    ids = {one["id"]: one for one in found.values()}
    view = await client.call("GET", f"collections/{collection_id}")
    assert view["pending_count"] == 0
    assert view["failed_count"] == sum(one["status"] == "failed" for one in found.values())
    assert view["chunk_count"] == sum(one["chunk_count"] for one in found.values())
    assert view["stats"]["vectors"] == view["chunk_count"]
    for path, one in found.items():
        if one["container_id"] is not None:
            container = ids[one["container_id"]]
            assert container["part_count"] is not None
            assert path.startswith(container["path"].removeprefix(f"{folder}/") + "#") and path.endswith(
                one["part"]
            )
        elif one["part_count"] is not None:
            assert one["chunk_count"] == 0
