"""This build opens data folders and backups that an earlier build wrote.

`data/c36cab6.tar.gz` holds a data folder of the build of commit c36cab6 (without `models/`) and a backup that its
`semantik-backup` made of it: one user, one API key, and the collection "Papers" with three documents, which was
indexed and then reindexed with chunks of 64 tokens.
"""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from support.api import PASSWORD, ask, documents
from support.patience import patience
from support.server import ROOT, Serving

from semantik.client.api import Client

pytestmark = [
    pytest.mark.gen_test,
    pytest.mark.real_model,
    pytest.mark.skipif("os.environ.get('SEMANTIK_TEST_MONGO_URL')", reason="for the embedded MongoDB"),
]

ARCHIVE = Path(__file__).parent / "data" / "c36cab6.tar.gz"
API_KEY = "semantik_f21a294c7e92dcec_c0c8539def871b6475f5a9a8325a97262b9a3194ffc8f813aba54e8fbfc45f87"
CHUNKS = {
    "harbour.txt": [
        "The ferry to Sandoy leaves the harbour of Gamlaraett at seven in the morning and returns at noon."
    ],
    "invoice.html": ["# Invoice KX-5519\n\nThree brass hinges, 14.50 each, delivered to the boat yard."],
    "garden.md": [
        "# Garden\n\n## Apples\nThe old apple tree by the wall carries russets; "
        "pick them in October and keep them in the cellar.",
        "## Beans\nRunner beans want poles two metres high and a wet July.",
    ],
}


def _unpack(folder: Path) -> None:
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(folder, filter="data")


async def _check_content(serving: Serving) -> None:
    client = Client(serving.url)
    await client.sign_in("admin@example.com", PASSWORD)
    [collection] = (await client.call("GET", "collections"))["items"]
    assert (collection["name"], collection["status"], collection["chunk_count"]) == ("Papers", "ready", 4)
    found = await documents(client, collection["id"])
    assert {name: document["status"] for name, document in found.items()} == dict.fromkeys(CHUNKS, "indexed")
    question = {"query": "when does the boat sail?", "mode": "meaning"}
    await client.call("POST", "search", question)  # waits for the model, for which a hybrid search may not
    hits = await ask(client, "when does the boat sail?")
    assert hits[0]["document"]["name"] == "harbour.txt"
    assert hits[0]["score"] == pytest.approx(0.4054, abs=0.01)
    chunks: dict[str, list[str]] = {}
    for hit in sorted(hits, key=lambda hit: hit["start"]):
        chunks.setdefault(hit["document"]["name"], []).append(hit["passage"])
    assert chunks == CHUNKS
    operations = (await client.call("GET", "operations"))["items"]
    assert [(each["operation_type"], each["status"]) for each in operations] == [
        ("reindex", "completed"),
        ("index", "completed"),
    ]
    by_key = Client(serving.url)
    by_key.token = API_KEY
    assert [each["id"] for each in (await by_key.call("GET", "collections"))["items"]] == [collection["id"]]


async def test_an_older_data_folder_is_opened(start: Callable[..., Serving], tmp_path: Path) -> None:
    _unpack(tmp_path)
    await _check_content(start())


async def test_an_older_index_is_used_without_a_rebuild(
    start: Callable[..., Serving], tmp_path: Path
) -> None:
    _unpack(tmp_path)
    before = _segments(tmp_path)
    await _check_content(start())
    assert before and before <= _segments(tmp_path)


def _segments(folder: Path) -> set[str]:
    """The segments of the reindexed generation, the second."""
    return {path.name for path in (folder / "data" / "index").glob("*/2/*") if path.is_dir()}


async def test_an_older_backup_is_restored(start: Callable[..., Serving], tmp_path: Path) -> None:
    _unpack(tmp_path)
    shutil.rmtree(tmp_path / "data")
    command = (
        ROOT / "bin" / "semantik-backup",
        "--restore",
        tmp_path / "semantik.backup",
        "--data",
        tmp_path / "data",
    )
    await asyncio.to_thread(subprocess.run, command, check=True, timeout=patience())
    await _check_content(start())
