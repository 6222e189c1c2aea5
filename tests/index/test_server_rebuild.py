"""A server whose index was damaged while it was stopped returns the same hits as before."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from support.api import PASSWORD, ask, index
from support.server import SETUP_CODE, Serving, complaints

from semantik.client.api import Client

pytestmark = pytest.mark.gen_test


def _zero_vectors(home: Path) -> Path:
    path = next(home.rglob("vectors.f16"))
    path.write_bytes(bytes(path.stat().st_size))
    return path


def _folder_for_manifest(home: Path) -> Path:
    path = home / "1" / "manifest.json"
    path.unlink()
    path.mkdir()
    return path


def _fifo_for_seqs(home: Path) -> Path:
    path = next(home.rglob("seqs.i64"))
    path.unlink()
    os.mkfifo(path)
    return path


@pytest.mark.noisy
async def test_hits_are_the_same_after_damage(start: Callable[..., Serving], tmp_path: Path) -> None:
    serving = start("--auth-registration", "open")
    client = Client(serving.url)
    await client.register("somebody@example.com", PASSWORD, SETUP_CODE)
    await client.sign_in("somebody@example.com", PASSWORD)
    damages, collection_ids = (_zero_vectors, _folder_for_manifest, _fifo_for_seqs), []
    for damage in damages:
        folder = tmp_path / damage.__name__
        folder.mkdir()
        for number, thing in enumerate(["a lighthouse keeper", "tomato soup", "the orbit of a comet"]):
            (folder / f"{number}.txt").write_text(f"A short text about {thing}.")
        collection_id, _ = await index(client, folder, damage.__name__)
        collection_ids.append(collection_id)
    before = [await ask(client, "soup", collection_ids=[each]) for each in collection_ids]
    for hits in before:
        assert hits[0]["document"]["name"] == "1.txt" and len(hits) == 3
    serving.stop()
    damaged = [
        damage(serving.data / "index" / each) for damage, each in zip(damages, collection_ids, strict=True)
    ]
    known = len(complaints(serving))
    serving = start()
    client = Client(serving.url)
    await client.sign_in("somebody@example.com", PASSWORD)
    assert [await ask(client, "soup", collection_ids=[each]) for each in collection_ids] == before
    warnings = complaints(serving)[known:]
    assert len(warnings) == len(damages)
    for path in damaged:
        assert len([warning for warning in warnings if str(path) in warning]) == 1
