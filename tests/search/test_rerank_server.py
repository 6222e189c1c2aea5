"""A server with a cross-encoder: hits are in the order of its scores, unless the request leaves it out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.api import index, new_user
from support.cross_encoder import save_cross_encoder
from support.server import Serving

pytestmark = [pytest.mark.gen_test(timeout=300), pytest.mark.server, pytest.mark.model]

TEXTS = {"a": "noise river stone", "b": "question lamp", "c": "river answer lamp"}


async def test_hits_are_in_the_order_of_the_scores_of_the_cross_encoder(
    start: Callable[..., Serving], tmp_path: Path
) -> None:
    save_cross_encoder(tmp_path / "encoder")
    folder = tmp_path / "texts"
    folder.mkdir()
    for name, text in TEXTS.items():
        (folder / f"{name}.txt").write_text(text)
    flags = ("--search-reranker", str(tmp_path / "encoder"), "--search-rerank-budget-ms", "60000")
    client = await new_user(start(*flags))
    collection_id, _ = await index(client, folder)

    async def hits(**options: Any) -> list[dict[str, Any]]:
        body = {"query": "question", "collection_ids": [collection_id], "mode": "meaning", **options}
        return list((await client.call("POST", "search", body))["hits"])

    plain = await hits(rerank=False)
    assert len(plain) == 3 and all(hit["scores"]["rerank"] is None for hit in plain)
    ranked = await hits()
    scores = [hit["scores"]["rerank"] for hit in ranked]
    assert None not in scores and scores == sorted(scores, reverse=True)
    assert plain[0]["document"]["name"] == "b.txt" and ranked[0]["document"]["name"] == "c.txt"
    assert scores[0] > 0.8 > 0.2 > scores[1]
