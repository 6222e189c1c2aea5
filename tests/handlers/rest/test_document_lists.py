"""Lists of documents in any order and from any place, statistics, actions on many documents, and folders to choose."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support.api import ask, documents, index, new_user, refusal_of
from support.people import username_of
from support.server import Serving

from semantik.client.api import Client

pytestmark = [pytest.mark.gen_test(timeout=120), pytest.mark.server]


def _folder(path: Path) -> Path:
    (path / "pumps").mkdir(parents=True)
    (path / "pumps" / "Zeta.txt").write_text("The pump is primed before it is started.")
    (path / "pumps" / "alpha.md").write_text(
        "# Vents\n\n" + "The vent is opened until no more air escapes. " * 40
    )
    (path / "beta.txt").write_text("The boiler is inspected in March.")
    (path / "empty.txt").write_text(" ")
    (path / "broken.pdf").write_bytes(b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R")
    return path


async def _list(client: Client, collection: str, **query: Any) -> dict[str, Any]:
    answer: dict[str, Any] = await client.call("GET", f"collections/{collection}/documents", **query)
    return answer


async def _names(client: Client, collection: str, **query: Any) -> list[str]:
    return [one["name"] for one in (await _list(client, collection, **query))["items"]]


async def _end(client: Client, accepted: dict[str, Any]) -> dict[str, Any]:
    async for _ in client.watch(accepted["operation_id"]):
        pass
    ended: dict[str, Any] = await client.call("GET", f"operations/{accepted['operation_id']}")
    return ended


async def test_every_order_and_filter_and_place(shared: Serving, tmp_path: Path) -> None:
    client = await new_user(shared)
    collection, _ = await index(client, _folder(tmp_path / "plant"))
    by_name = ["alpha.md", "beta.txt", "broken.pdf", "empty.txt", "Zeta.txt"]
    assert await _names(client, collection, sort="name") == by_name
    assert await _names(client, collection, sort="name", order="descending") == by_name[::-1]
    assert await _names(client, collection, sort="path") == [
        *("beta.txt", "broken.pdf", "empty.txt"),
        *("Zeta.txt", "alpha.md"),
    ]
    sizes = [one["size"] for one in (await _list(client, collection, sort="size"))["items"]]
    assert sizes == sorted(sizes) and len(set(sizes)) == 5
    assert (await _names(client, collection, sort="status"))[:2] == ["broken.pdf", "empty.txt"]
    assert (await _names(client, collection, sort="chunks", order="descending"))[0] == "alpha.md"
    types = await _names(client, collection, sort="type")
    assert types[:2] == ["alpha.md", "broken.pdf"]
    assert await _names(client, collection, sort="changed", limit=2, offset=3) != []

    page = await _list(client, collection, sort="name", offset=2, limit=2)
    assert [one["name"] for one in page["items"]] == by_name[2:4]
    assert (page["offset"], page["total"], page["found"], page["next_cursor"]) == (2, 5, True, None)
    page = await _list(client, collection, sort="name", at="EMP", limit=1)
    assert (page["offset"], page["items"][0]["name"]) == (3, "empty.txt")
    page = await _list(client, collection, sort="name", at="eta", limit=1)  # none begins with it
    assert (page["offset"], page["items"][0]["name"]) == (1, "beta.txt")
    assert (await _list(client, collection, sort="name", at="omega"))["found"] is False
    assert (await _list(client, collection, offset=99))["items"] == []

    assert await _names(client, collection, type="markdown") == ["alpha.md"]
    assert await _names(client, collection, folder=str(tmp_path / "plant" / "pumps")) == [
        "Zeta.txt",
        "alpha.md",
    ]
    assert await _names(client, collection, folder=str(tmp_path / "plant" / "pump")) == []
    assert await _names(client, collection, reason="corrupt") == ["broken.pdf"]
    assert await _names(client, collection, sort="path", status="skipped") == ["empty.txt"]
    assert await _names(client, collection, sort="name", name="ETA") == ["beta.txt", "Zeta.txt"]
    assert await _names(client, collection, type="none") == []
    refusal = await refusal_of(client, "GET", f"collections/{collection}/documents", sort="name", cursor="x")
    assert refusal.status == 422 and "cursor" in str(refusal)


async def test_statistics_count_what_the_lists_have(shared: Serving, tmp_path: Path) -> None:
    client = await new_user(shared)
    collection, _ = await index(client, _folder(tmp_path / "plant"))
    found = await client.call("GET", f"collections/{collection}/statistics")
    assert (found["documents"], found["statuses"]) == (
        5,
        {"indexed": 3, "failed": 1, "skipped": 1, "pending": 0},
    )
    assert found["reasons"] == {"corrupt": 1, "empty": 1}
    for tally in found["types"]:
        assert len(await _names(client, collection, type=tally["value"])) == tally["documents"]
    items = (await documents(client, collection)).values()
    assert found["bytes"] == sum(one["size"] for one in items)
    assert found["chunks"] == sum(one["chunk_count"] for one in items) == found["sampled_chunks"]
    assert sum(bar["count"] for bar in found["chunk_lengths"]) == found["sampled_chunks"]
    assert sum(bar["count"] for bar in found["sizes"]) == 5
    empty = await client.call("POST", "collections", {"name": "Empty"})
    nothing = await client.call("GET", f"collections/{empty['id']}/statistics")
    assert (nothing["documents"], nothing["types"], nothing["mean_chunk_length"]) == (0, [], None)


async def test_excluded_documents_stay_away_and_removed_ones_come_back(
    shared: Serving, tmp_path: Path
) -> None:
    client = await new_user(shared)
    folder = _folder(tmp_path / "plant")
    collection, _ = await index(client, folder)
    path = f"collections/{collection}"
    known = await documents(client, collection)
    removed = await client.call(
        "POST",
        f"{path}/documents/remove",
        {"where": {"document_ids": [known["Zeta.txt"]["id"]]}, "exclude": True},
    )
    assert removed["documents"] == 1
    assert (await _end(client, removed))["status"] == "completed"
    assert "Zeta.txt" not in await _names(client, collection, sort="name")
    assert all(hit["document"]["name"] != "Zeta.txt" for hit in await ask(client, "is the pump primed"))
    [source] = (await client.call("GET", f"{path}/sources"))["items"]
    assert source["excluded_count"] == 1

    again = {"where": {"name": "beta"}}
    await _end(client, await client.call("POST", f"{path}/documents/remove", again))
    assert await _names(client, collection, sort="name") == ["alpha.md", "broken.pdf", "empty.txt"]
    assert (await client.call("GET", path))["document_count"] == 1
    await _end(client, await client.call("POST", f"{path}/append", {}))
    assert await _names(client, collection, sort="name") == [
        *("alpha.md", "beta.txt", "broken.pdf"),
        "empty.txt",
    ]

    change = {"include_excluded": True, "exclude": ["*.md"]}
    changed = await client.call("PATCH", f"{path}/sources/{source['id']}", change)
    assert (changed["exclude"], changed["excluded_count"]) == (["*.md"], 0)
    await _end(client, await client.call("POST", f"{path}/append", {}))
    names = await _names(client, collection, sort="name")
    assert "Zeta.txt" in names
    missing = {one["name"]: one["missing"] for one in (await documents(client, collection)).values()}
    assert missing.get("alpha.md", True)
    refusal = await refusal_of(client, "PATCH", f"{path}/sources/{source['id']}", {"exclude": ["["]})
    assert refusal.status == 422 and "never closed" in str(refusal)


async def test_failed_documents_are_read_again_by_reason(shared: Serving, tmp_path: Path) -> None:
    client = await new_user(shared)
    folder = _folder(tmp_path / "plant")
    collection, _ = await index(client, folder)
    path = f"collections/{collection}/documents/retry"
    refusal = await refusal_of(client, "POST", path, {"where": {"reason": "timeout"}})
    assert refusal.status == 409
    for wrong in ({}, {"where": {"document_ids": "all"}}, {"where": {"reason": "bad luck"}}):
        assert (await refusal_of(client, "POST", path, wrong)).status == 422
    (folder / "broken.pdf").write_text("No PDF, but a text about flanges.")
    accepted = await client.call("POST", path, {"where": {"reason": "corrupt"}})
    assert accepted["documents"] == 1
    ended = await _end(client, accepted)
    assert ended["total_files"] == 1


async def test_tags_are_added_and_removed_together(shared: Serving, tmp_path: Path) -> None:
    client = await new_user(shared)
    collection, _ = await index(client, _folder(tmp_path / "plant"))
    path = f"collections/{collection}/documents/tags"
    body = {"where": {"folder": str(tmp_path / "plant" / "pumps")}, "add": ["seen", "2026"]}
    assert await client.call("POST", path, body) == {"changed": 2}
    assert await client.call("POST", path, body) == {"changed": 0}
    assert len({hit["document"]["id"] for hit in await ask(client, "tag:seen")}) == 2
    ids = [(await documents(client, collection))["alpha.md"]["id"]]
    assert await client.call("POST", path, {"where": {"document_ids": ids}, "remove": ["Seen"]}) == {
        "changed": 1
    }
    assert (await documents(client, collection))["alpha.md"]["user_tags"] == ["2026"]
    both = {"where": {"document_ids": ids, "type": "pdf"}, "add": ["never"]}
    assert await client.call("POST", path, both) == {"changed": 0}
    assert (await refusal_of(client, "POST", path, {"where": {}, "add": ["a,b"]})).status == 422


async def test_nobody_acts_on_documents_of_another_collection(shared: Serving, tmp_path: Path) -> None:
    owner, other = await new_user(shared), await new_user(shared)
    collection, _ = await index(owner, _folder(tmp_path / "plant"))
    ids = [one["id"] for one in (await documents(owner, collection)).values()]
    own = await other.call("POST", "collections", {"name": "Own"})
    path = f"collections/{own['id']}/documents"
    assert (await refusal_of(other, "POST", f"{path}/remove", {"where": {"document_ids": ids}})).status == 409
    assert await other.call("POST", f"{path}/tags", {"where": {"document_ids": ids}, "add": ["mine"]}) == {
        "changed": 0
    }
    share = {"user": await username_of(other), "level": "read"}
    await owner.call("PUT", f"collections/{collection}/shares", share)
    refusal = await refusal_of(
        other, "POST", f"collections/{collection}/documents/remove", {"where": {"document_ids": ids}}
    )
    assert refusal.status == 403
    assert len(await documents(owner, collection)) == 5


async def test_folders_are_listed_below_the_roots_only(shared: Serving, tmp_path: Path) -> None:
    client = await new_user(shared)
    folder = _folder(tmp_path / "plant")
    (folder / "Annex").mkdir()
    (folder / ".git").mkdir()
    (folder / "link").symlink_to("/proc")
    roots = await client.call("GET", "folders")
    assert roots["path"] is None and roots["folders"]
    found = await client.call("GET", f"folders?path={folder}")
    assert [each["name"] for each in found["folders"] if not each["name"].startswith(".")] == [
        "Annex",
        "pumps",
    ]
    assert found["folders"][-1]["path"] == str(folder / "pumps")
    assert found["files"] == 3 and found["bytes"] > 30 and not found["truncated"]
    assert (await refusal_of(client, "GET", "folders?path=/proc")).status == 403
    assert (await refusal_of(client, "GET", f"folders?path={folder}/none")).status in (403, 422)
    assert (await refusal_of(client, "GET", "folders?path=plant")).status == 422
