"""Queries as people type them, on a real server: filters, corrections and suggestions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support.api import ask, index, new_user, refusal_of
from support.server import Serving

from semantik.client.api import Client

pytestmark = pytest.mark.gen_test

MANUAL = "# Über den Kessel\n\nThe boiler has a pressure valve.\n\n## Druck prüfen\n\nRead the gauge before noon.\n"
NOTES = "# Boiler notes\n\nThe thermometer shows the temperature of the boiler.\n"


async def suggest(client: Client, query: str, **more: Any) -> list[tuple[str, str]]:
    answer = await client.call("POST", "suggest", {"query": query, **more})
    return [(each["kind"], each["text"]) for each in answer["suggestions"]]


def folder(tmp_path: Path) -> Path:
    made = tmp_path / "docs"
    made.mkdir()
    (made / "manual.md").write_text(MANUAL)
    (made / "notes.md").write_text(NOTES)
    (made / "table.csv").write_text("part,price\nvalve,12\n")
    return made


async def test_titles_headings_and_words_are_completed(shared: Serving, tmp_path: Path) -> None:
    client = await new_user(shared)
    collection_id, _ = await index(client, folder(tmp_path))
    assert ("title", "Über den Kessel") in await suggest(client, "uber")
    assert ("title", "Über den Kessel") in await suggest(client, "kes")
    assert ("heading", "Druck prüfen") in await suggest(client, "pru")
    assert ("word", "the thermometer") in await suggest(client, "the therm")
    assert {text for _, text in await suggest(client, "boil")} >= {"Boiler notes", "boiler"}
    assert len(await suggest(client, "b", limit=1)) == 1
    assert await suggest(client, "") == await suggest(client, "zzz") == []
    answer = await client.call("POST", "suggest", {"query": "uber", "collection_ids": [collection_id]})
    title = answer["suggestions"][0]
    document = await client.call("GET", f"collections/{collection_id}/documents/{title['document_id']}")
    assert (document["name"], title["collection_id"]) == ("manual.md", collection_id)

    stranger = await new_user(shared)
    assert await suggest(stranger, "uber") == []
    assert (
        await refusal_of(stranger, "POST", "suggest", {"query": "u", "collection_ids": [collection_id]})
    ).status == 404
    assert (await refusal_of(client, "POST", "suggest", {"query": "u", "limit": 0})).status == 422


async def test_what_is_deleted_is_not_suggested(shared: Serving, tmp_path: Path) -> None:
    client = await new_user(shared)
    made = folder(tmp_path)
    collection_id, _ = await index(client, made)
    assert await suggest(client, "uber") and await suggest(client, "gaug")
    (made / "manual.md").unlink()
    (made / "new.md").write_text("# Übersicht\n\nA sluice.\n")
    appended = await client.call("POST", f"collections/{collection_id}/append", {})
    async for _ in client.watch(appended["operation_id"]):
        pass
    for typed in ("uber", "pru", "gaug"):
        assert not {"Über den Kessel", "Druck prüfen", "gauge"} & {
            text for _, text in await suggest(client, typed)
        }
    await client.call("DELETE", f"collections/{collection_id}")
    assert await suggest(client, "boil") == []


async def test_filters_and_corrections_of_a_typed_query(shared: Serving, tmp_path: Path) -> None:
    client = await new_user(shared)
    await index(client, folder(tmp_path), "Old letters")

    async def names(query: str, **more: Any) -> list[str]:
        return sorted({hit["document"]["name"] for hit in await ask(client, query, **more)})

    assert await names("boiler title:uber") == ["manual.md"]
    assert await names("valve type:sheet") == ["table.csv"]
    assert await names("type:markdown") == ["manual.md", "notes.md"]
    assert await names("type:markdown -path:notes") == ["manual.md"]
    assert await names('in:"old letters" type:csv') == ["table.csv"]
    assert await names("in:nowhere valve") == []
    assert await names("before:1990") == []
    assert await names("boiler", filters={"types": ["csv", "mail"]}) == ["table.csv"]
    assert await names("boiler", filters={"titles": ["Kessel"], "after": "2000"}) == ["manual.md"]

    body = {"query": "thermometr of the boiler", "mode": "words"}
    answer = await client.call("POST", "search", body)
    assert answer["corrections"] == [{"from": "thermometr", "to": "thermometer"}]
    assert answer["hits"][0]["document"]["name"] == "notes.md"
    exact = await client.call("POST", "search", {"query": "thermometr", "mode": "words", "correct": False})
    assert (exact["hits"], exact["corrections"]) == ([], [])
    for filters in ({"types": ["nonsense"]}, {"languages": ["klingon"]}, {"after": "soon"}, {"titles": [""]}):
        refused = await refusal_of(client, "POST", "search", {"query": "x", "filters": filters})
        assert refused.status == 422
