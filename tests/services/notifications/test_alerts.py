"""Saved searches: what gives an alert, and what does not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from support.alerts import LAMP, QUICK, add, alerts, append, collection, names_of_alerts, save, until_alerts
from support.api import new_user
from support.people import share
from support.server import Serving

pytestmark = pytest.mark.gen_test


async def test_what_is_newly_indexed_and_matches_strongly_gives_one_alert(
    start: Callable[..., Serving], tmp_path: Path
) -> None:
    serving = start(*QUICK)
    client, folder = await new_user(serving), tmp_path / "notes"
    (folder).mkdir()
    (folder / "before.txt").write_text(LAMP)
    collection_id = await collection(client, folder)
    saved = await save(client)
    await add(client, collection_id, folder, after="The green lamp of the harbour.", other="Wine is dark.")
    [alert] = await until_alerts(client, 1)
    assert alert["document"]["name"] == "after.txt"
    assert alert["passage"] == "The green lamp of the harbour."
    assert alert["search"] == {"id": saved["id"], "name": "About green lamp"}
    assert alert["collection"] == {"id": collection_id, "name": "Notes"}
    # A further one comes later, and nothing comes twice.
    await add(client, collection_id, folder, later="A lamp, green as the sea.")
    await until_alerts(client, 2)
    await append(client, collection_id)
    await add(client, collection_id, folder, last="The lamp on the wall is green.")
    await until_alerts(client, 3)
    assert await names_of_alerts(client) == ["after.txt", "later.txt", "last.txt"]
    [view] = (await client.call("GET", "saved-searches"))["items"]
    assert view["alert_count"] == 3 and view["problem"] is None


async def test_only_new_passages_of_a_changed_document_give_alerts(
    start: Callable[..., Serving], tmp_path: Path
) -> None:
    serving = start(*QUICK)
    client, folder = await new_user(serving), tmp_path / "notes"
    collection_id = await collection(client, folder)
    old = "\n\n".join(["# Lamps", LAMP, *(f"Page {n} is about ropes and knots. " * 12 for n in range(12))])
    (folder / "book.md").write_text(old)
    await append(client, collection_id)
    await save(client)
    await add(client, collection_id, folder, one="Look at the green lamp.")
    assert [each["passage"] for each in await until_alerts(client, 1)] == ["Look at the green lamp."]
    (folder / "book.md").write_text(old + "\n\n# Harbour\n\nThe second lamp is green as well.")
    await append(client, collection_id)
    await until_alerts(client, 2)
    # What stands at the beginning of the book, under new numbers, has been there before.
    await add(client, collection_id, folder, two="A green lamp shines.")
    found = await until_alerts(client, 3)
    assert [each["document"]["name"] for each in found] == ["one.txt", "book.md", "two.txt"]
    assert "second lamp" in found[1]["passage"] and LAMP not in found[1]["passage"]


async def test_a_reindex_announces_nothing_again_but_what_was_not_looked_at(
    start: Callable[..., Serving], tmp_path: Path
) -> None:
    serving = start(*QUICK, "--reindex-grace-s=0")
    client, folder = await new_user(serving), tmp_path / "notes"
    folder.mkdir()
    (folder / "before.txt").write_text(LAMP)
    collection_id = await collection(client, folder)
    await save(client)
    await add(client, collection_id, folder, after="The green lamp of the harbour.")
    await until_alerts(client, 1)
    for options in ({"chunk_size": 100}, {"chunk_size": 64, "chunk_overlap": 8}):
        begun = await client.call("POST", f"collections/{collection_id}/reindex", options)
        ended = [frame async for frame in client.watch(begun["operation_id"])][-1]
        assert ended["data"]["status"] == "completed"
    (folder / "after.txt").write_text("A new lamp that is green.")
    begun = await client.call("POST", f"collections/{collection_id}/reindex", {"chunk_size": 80})
    assert [frame async for frame in client.watch(begun["operation_id"])]
    await add(client, collection_id, folder, last="The lamp on the wall is green.")
    found = await until_alerts(client, 3)
    assert [each["passage"] for each in found] == [
        "The green lamp of the harbour.",
        "A new lamp that is green.",
        "The lamp on the wall is green.",
    ]


async def test_a_paused_search_is_silent_and_goes_on_with_what_comes_after(
    start: Callable[..., Serving], tmp_path: Path
) -> None:
    serving = start(*QUICK)
    client, folder = await new_user(serving), tmp_path / "notes"
    collection_id = await collection(client, folder)
    saved, other = await save(client), await save(client, name="Other")
    place = f"saved-searches/{saved['id']}"
    await client.call("PATCH", place, {"paused": True})
    await add(client, collection_id, folder, during="The green lamp of the harbour.")
    await until_alerts(client, 1, search_id=other["id"])
    await client.call("PATCH", place, {"paused": False})
    await add(client, collection_id, folder, after="The lamp on the wall is green.")
    await until_alerts(client, 1, search_id=saved["id"])
    assert await names_of_alerts(client, search_id=saved["id"]) == ["after.txt"]
    # With another query it begins anew, too.
    await client.call("PATCH", place, {"query": "fog horn"})
    await add(client, collection_id, folder, fog="In fog the horn sounds.")
    await until_alerts(client, 2, search_id=saved["id"])
    await client.call("DELETE", place)
    assert await alerts(client, search_id=other["id"])
    assert {each["search"]["id"] for each in await alerts(client)} == {other["id"]}


async def test_filters_mode_and_collections_are_those_of_the_search(
    start: Callable[..., Serving], tmp_path: Path
) -> None:
    serving = start(*QUICK)
    client = await new_user(serving)
    first = await collection(client, tmp_path / "first", "First")
    second = await collection(client, tmp_path / "second", "Second")
    in_first = await save(client, name="Here", collection_ids=[first], mode="words")
    markdown = await save(client, name="Markdown", filters={"extensions": [".md"], "after": "2020-01"})
    phrase = await save(client, '"lamp is green"', name="Phrase")
    only_filters = await save(client, "type:markdown", name="Any markdown")
    (tmp_path / "second" / "a.md").write_text("Bread with butter. " * 200 + "\n\nThe lamp is green.")
    await add(client, second, tmp_path / "second", b="Is the lamp green?", c="The lamp is green.")
    await add(client, first, tmp_path / "first", d="A green lamp.")
    await until_alerts(client, 1, search_id=in_first["id"])
    await until_alerts(client, 1, search_id=markdown["id"])
    await until_alerts(client, 2, search_id=phrase["id"])
    await until_alerts(client, 1, search_id=only_filters["id"])
    assert await names_of_alerts(client, search_id=in_first["id"]) == ["d.txt"]
    assert await names_of_alerts(client, search_id=markdown["id"]) == ["a.md"]
    assert sorted(await names_of_alerts(client, search_id=phrase["id"])) == ["a.md", "c.txt"]
    assert await names_of_alerts(client, search_id=only_filters["id"]) == ["a.md"]
    view = await client.call("GET", f"saved-searches/{markdown['id']}")
    assert view["filters"] == {"extensions": [".md"], "after": "2020-01-01"}


async def test_a_new_collection_is_looked_at_from_its_beginning_and_copies_count(
    start: Callable[..., Serving], tmp_path: Path
) -> None:
    serving = start(*QUICK)
    client, folder = await new_user(serving), tmp_path / "new"
    await save(client)
    folder.mkdir()
    (folder / "one.txt").write_text(LAMP)
    (folder / "two.txt").write_text(LAMP)
    collection_id = await collection(client, folder)
    await until_alerts(client, 2)
    await add(client, collection_id, folder, three=LAMP)
    await until_alerts(client, 3)
    assert sorted(await names_of_alerts(client)) == ["one.txt", "three.txt", "two.txt"]


async def test_who_may_not_read_a_collection_any_more_gets_no_alerts_of_it(
    start: Callable[..., Serving], tmp_path: Path
) -> None:
    serving = start(*QUICK)
    owner, reader, folder = await new_user(serving), await new_user(serving), tmp_path / "notes"
    collection_id = await collection(owner, folder)
    user = await reader.call("GET", "auth/me")
    await share(owner, collection_id, reader, "read")
    await save(reader, collection_ids=[collection_id])
    own = await save(owner)
    await add(owner, collection_id, folder, one=LAMP)
    await until_alerts(reader, 1)
    await owner.call("DELETE", f"collections/{collection_id}/shares/user/{user['id']}")
    assert await alerts(reader) == []
    await add(owner, collection_id, folder, two="The lamp on the wall is green.")
    await until_alerts(owner, 2, search_id=own["id"])
    await share(owner, collection_id, reader, "read")
    # What was indexed meanwhile was new to the reader's search all the same; nothing comes twice.
    assert sorted(each["document"]["name"] for each in await until_alerts(reader, 2)) == [
        "one.txt",
        "two.txt",
    ]


async def test_alerts_go_with_their_document_and_with_their_collection(
    start: Callable[..., Serving], tmp_path: Path
) -> None:
    serving = start(*QUICK)
    client, folder = await new_user(serving), tmp_path / "notes"
    collection_id = await collection(client, folder)
    await save(client)
    await add(client, collection_id, folder, one=LAMP, two="A green lamp shines.")
    await until_alerts(client, 2)
    [source] = (await client.call("GET", f"collections/{collection_id}/sources"))["items"]
    removed = await client.call("DELETE", f"collections/{collection_id}/sources/{source['id']}")
    assert [frame async for frame in client.watch(removed["operation_id"])]
    assert await alerts(client) == []
    await client.call("DELETE", f"collections/{collection_id}")
    assert (await client.call("GET", "saved-searches"))["items"]
