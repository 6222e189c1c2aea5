"""A server builds a keyword index that is missing or damaged again from MongoDB, and words find the same as before."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.api import PASSWORD, ask, index
from support.patience import deadline
from support.server import SETUP_CODE, Serving

from semantik.client.api import Client

pytestmark = [pytest.mark.gen_test, pytest.mark.noisy]

TEXTS = [
    "The lighthouse keeper counts the ships.",
    "Part KX-5519 is out of stock.",
    "A comet with two tails.",
]


def _remove(home: Path) -> None:
    shutil.rmtree(home)


def _damage(home: Path) -> None:
    path = max(home.rglob("*.idx"), key=lambda each: each.stat().st_size)
    path.write_bytes(bytes(path.stat().st_size))


def _replace_by_a_file(home: Path) -> None:
    _remove(home / "1")
    (home / "1").write_text("a file where a folder must be")


async def test_words_find_the_same_after_a_loss(start: Callable[..., Serving], tmp_path: Path) -> None:
    serving = start("--auth-registration", "open")
    client = Client(serving.url)
    await client.register("somebody@example.com", PASSWORD, SETUP_CODE)
    await client.sign_in("somebody@example.com", PASSWORD)
    losses, collection_ids = (_remove, _damage, _replace_by_a_file), []
    for loss in losses:
        folder = tmp_path / loss.__name__
        folder.mkdir()
        for number, text in enumerate(TEXTS):
            (folder / f"{number}.txt").write_text(text)
        collection_ids.append((await index(client, folder, loss.__name__))[0])
    before = [await _found(client, each) for each in collection_ids]
    assert all([hit["document"]["name"] for hit in hits] == ["1.txt"] for hits in before)
    serving.stop()
    for loss, collection_id in zip(losses, collection_ids, strict=True):
        loss(serving.data / "keywords" / collection_id)
    serving = start()
    client = Client(serving.url)
    await client.sign_in("somebody@example.com", PASSWORD)
    for collection_id, hits in zip(collection_ids, before, strict=True):
        assert await ask(
            client, "a ship and its keeper", collection_ids=[collection_id]
        )  # meaning answers at once
        async with deadline():
            while await _state(client, collection_id) != "ready":  # noqa: ASYNC110 (it is another process)
                await asyncio.sleep(0.1)
        assert await _found(client, collection_id) == hits
    assert serving.stop() == 0


async def _found(client: Client, collection_id: str) -> list[Any]:
    return await ask(client, "kx-5519", collection_ids=[collection_id], mode="words")


async def _state(client: Client, collection_id: str) -> str:
    collection = await client.call("GET", f"collections/{collection_id}")
    return str(collection["stats"]["keywords"]["state"])
