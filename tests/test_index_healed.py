"""A whole server whose index was damaged while it was down: its answers stay what they were."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import PASSWORD, Serving, ask, complaints, index

from semantik.client import Client

pytestmark = pytest.mark.gen_test(timeout=180)


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
async def test_answers_after_damage(start: Callable[..., Serving], tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    for number, thing in enumerate(["a lighthouse keeper", "tomato soup", "the orbit of a comet"]):
        (folder / f"{number}.txt").write_text(f"A short text about {thing}.")
    serving = start("--auth-registration", "open")
    client = Client(serving.url)
    await client.register("somebody@example.com", PASSWORD)
    await client.sign_in("somebody@example.com", PASSWORD)
    made, _ = await index(client, folder)
    before = await ask(client, "soup")
    assert before[0]["document"]["name"] == "1.txt" and len(before) == 3
    for harm in (_zero_vectors, _folder_for_manifest, _fifo_for_seqs):
        serving.stop()
        path = harm(serving.data / "index" / made)
        told = len(complaints(serving))
        serving = start()
        client = Client(serving.url)
        await client.sign_in("somebody@example.com", PASSWORD)
        assert await ask(client, "soup") == before
        (warning,) = complaints(serving)[told:]
        assert str(path) in warning
