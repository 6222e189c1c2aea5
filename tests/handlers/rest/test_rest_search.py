"""`POST /search` and `…/similar` on a real server: modes, groups, what a hit carries, and refusals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support.api import index, new_user, refusal_of
from support.server import Serving

from semantik.client.api import Client

pytestmark = pytest.mark.gen_test
_TEXTS = {
    "bees.md": "# Bees\n\nIn winter the bees form a cluster. They keep the queen warm by shivering.",
    "bread.txt": "Sourdough bread rises overnight; bake it in a hot oven until the crust is dark.",
    "tides.txt": "The tide follows the moon. Two high waters come in every lunar day, said Ilse Quandt.",
    "tides-copy.txt": "The tide follows the moon. Two high waters come in every lunar day, said Ilse Quandt.",
    "accents.txt": "Le café de Zoë ouvre à sept heures; on y sert des crêpes.",
}


async def _indexed(serving: Serving, tmp_path: Path) -> tuple[Client, str]:
    folder = tmp_path / "texts"
    folder.mkdir()
    for name, text in _TEXTS.items():
        (folder / name).write_text(text)
    client = await new_user(serving)
    collection_id, _ = await index(client, folder, "Life")
    return client, collection_id


async def _search(client: Client, query: str, **more: Any) -> dict[str, Any]:
    answer: dict[str, Any] = await client.call("POST", "search", {"query": query, **more})
    return answer


def _marked(hit: dict[str, Any]) -> list[str]:
    return [hit["passage"][start:end] for start, end in hit["highlights"]]


async def test_hit_says_why_it_was_found_and_where_else_it_is(shared: Serving, tmp_path: Path) -> None:
    client, collection_id = await _indexed(shared, tmp_path)
    answer = await _search(client, "What does Ilse Quandt say of the tides?", k=3)
    assert (answer["mode"], answer["degraded"], answer["corrections"]) == ("hybrid", None, [])
    hit = answer["hits"][0]
    assert hit["document"]["name"].startswith("tides") and hit["score"] == hit["scores"]["meaning"]
    assert hit["scores"]["words"] > 0 and 0 < hit["scores"]["fused"] <= 1
    assert {"Quandt", "tide"} <= set(_marked(hit)) and "Quandt" in hit["matched"]
    start, end = hit["best_sentence"]
    assert "Quandt" in hit["passage"][start:end] and not hit["passage"][start:end].startswith("The tide")
    copy = {"tides.txt", "tides-copy.txt"} - {hit["document"]["name"]}
    assert [each["document"]["name"] for each in hit["also_in"]] == list(copy)
    assert len({hit["document"]["id"] for hit in answer["hits"]}) == 3
    accents = await _search(client, "cafe zoe", mode="words")
    assert _marked(accents["hits"][0]) == ["café", "Zoë"]
    assert accents["hits"][0]["score"] is None and accents["mode"] == "words"
    meaning = (await _search(client, "sourdough bread in the oven", mode="meaning"))["hits"][0]
    assert meaning["document"]["name"] == "bread.txt" and meaning["scores"]["fused"] == meaning["score"]
    path = f"collections/{collection_id}/documents/{hit['document']['id']}/chunks/{hit['seq']}/similar"
    similar = await client.call("GET", f"{path}?k=10")
    names = {each["document"]["name"] for each in similar["hits"]}
    assert names == {"bees.md", "bread.txt", "accents.txt"}
    missing = f"collections/{collection_id}/documents/{hit['document']['id']}/chunks/999999/similar"
    assert (await refusal_of(client, "GET", missing)).status == 404
    stranger = await new_user(shared)
    assert (await refusal_of(stranger, "GET", path)).status == 404


async def test_groups_page_and_whatever_is_typed_is_answered(shared: Serving, tmp_path: Path) -> None:
    client, _ = await _indexed(shared, tmp_path)
    pages = [
        await _search(client, "the moon", k=2, offset=offset, group_by="document") for offset in (0, 2, 4)
    ]
    names = [hit["document"]["name"] for page in pages for hit in page["hits"]]
    assert len(names) == len(set(names)) == 4 and names[0].startswith("tides")
    assert all(hit["more"] == [] for page in pages for hit in page["hits"])
    for text in ('"', "-", "OR OR", "(((", "title:", '"no such phrase" -', "*", "\u0000", "🙂", "a" * 5000):
        await _search(client, text)
    only_filters = await _search(client, "type:md")
    assert [hit["document"]["name"] for hit in only_filters["hits"]] == ["bees.md"]
    assert (await _search(client, "moon -tide -quandt", k=10))["hits"]


async def test_bad_fields_are_refused_by_name(shared: Serving, tmp_path: Path) -> None:
    client = await new_user(shared)
    for field, value in (("mode", "magic"), ("group_by", "folder"), ("per_document", 0)):
        refusal = await refusal_of(client, "POST", "search", {"query": "bees", field: value})
        assert refusal.status == 422 and field in str(refusal)
    bounded = {"query": "bees", "mode": "words", "score_threshold": 0.5}
    assert (await refusal_of(client, "POST", "search", bounded)).status == 422
