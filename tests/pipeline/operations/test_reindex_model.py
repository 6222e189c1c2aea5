"""REINDEX takes a collection over to the multilingual model; only this test loads the real one in a server."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from support.api import index, new_user
from support.server import Serving

from semantik.client.websocket import Refused

# Noisy: on a busy machine the first search may have to wait until the model is traced, and gets 503.
pytestmark = [pytest.mark.gen_test(timeout=600), pytest.mark.real_model, pytest.mark.noisy]

TEXTS = {
    "bahn": "Der Nachtzug nach München fährt um 23 Uhr vom Gleis neun ab.",
    "kueche": "Die Suppe muss zwei Stunden lang auf kleiner Flamme kochen.",
    "garten": "Im Frühjahr werden die Obstbäume vor dem Austrieb geschnitten.",
    "поезд": "Лекарство принимают три раза в день после еды.",
    "дом": "Крышу дома нужно чистить от снега каждую зиму.",
}
QUESTIONS = {
    "Wann verkehrt die Eisenbahn in die bayerische Hauptstadt?": "bahn.txt",
    "Как часто пить таблетки?": "поезд.txt",
    "When should fruit trees be pruned?": "garten.txt",
    "Что делать с кровлей, когда много снега?": "дом.txt",
}


async def _best(client: Any, collection_id: str, question: str) -> str:
    while True:
        try:
            return await _ask_once(client, collection_id, question)
        except Refused as refused:
            assert refused.status == HTTPStatus.SERVICE_UNAVAILABLE


async def _ask_once(client: Any, collection_id: str, question: str) -> str:
    body = {"query": question, "collection_ids": [collection_id], "mode": "meaning", "k": 1}
    return str((await client.call("POST", "search", body))["hits"][0]["document"]["name"])


async def test_questions_in_any_language_find_after_a_reindex(
    start: Callable[..., Serving], tmp_path: Path
) -> None:
    folder = tmp_path / "texts"
    folder.mkdir()
    for name, text in TEXTS.items():
        (folder / f"{name}.txt").write_text(text, "utf-8")
    client = await new_user(start("--pool-workers", "1", "--reindex-grace-s", "0"))
    collection_id, _ = await index(client, folder)
    accepted = await client.call(
        "POST", f"collections/{collection_id}/reindex", {"embedding_model": "multilingual"}
    )
    messages = [message async for message in client.watch(accepted["operation_id"])]
    assert messages[-1]["data"]["status"] == "completed", messages[-1]
    collection = await client.call("GET", f"collections/{collection_id}")
    assert collection["embedding_model"] == "multilingual"
    found = {question: await _best(client, collection_id, question) for question in QUESTIONS}
    assert found == QUESTIONS
