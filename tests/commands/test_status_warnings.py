"""`semantik-status --warnings` as a process: pages of documents with their quality, as text and as JSON."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.api import PASSWORD, index
from support.scripts import script
from support.server import SETUP_CODE, Serving

from semantik.client.api import Client

pytestmark = pytest.mark.gen_test

_LEFT_OUT = "characters are no language (encoded data, machine-made code); they are not searched."


async def _index(serving: Serving, folder: Path) -> str:
    """Index three documents that are mostly base64, and one without warnings, as the user ann; returns the id."""
    folder.mkdir()
    for name in ("a.txt", "b.txt", "c.txt"):
        noise = base64.b64encode(random.Random(name).randbytes(900)).decode()
        (folder / name).write_text(f"The lamp {name} of the pier burned all night.\n\n{noise}\n")
    (folder / "plain.txt").write_text("The ferry sails from the east pier.")
    client = Client(serving.url)
    await client.register("ann", PASSWORD, SETUP_CODE)
    await client.sign_in("ann", PASSWORD)
    collection_id, _ = await index(client, folder, "Lamps")
    return collection_id


async def _warnings(data: Path, *words: str) -> list[dict[str, Any]]:
    ended = await script("status", data, "--json", "--warnings", *words)
    assert (ended.status, ended.err) == (0, "")
    found: list[dict[str, Any]] = json.loads(ended.out)
    return found


async def test_documents_with_warnings_are_listed_page_by_page(
    start: Callable[..., Serving], tmp_path: Path
) -> None:
    serving, folder = start("--pool-workers", "1"), tmp_path / "folder"
    collection_id = await _index(serving, folder)

    (found,) = await _warnings(serving.data)
    assert (found["id"], found["name"], found["owner"], found["warned"]) == (collection_id, "Lamps", "ann", 3)
    assert [each["path"] for each in found["documents"]] == [str(folder / f"{name}.txt") for name in "abc"]
    quality = found["documents"][0]["quality"]
    assert quality["characters"] > 1200 <= quality["left_out"] and quality["unknown_share"] == 0
    (warning,) = quality["warnings"]
    assert warning.endswith(_LEFT_OUT)
    assert found["next"] is None

    (first,) = await _warnings(serving.data, collection_id, "--limit", "2")
    assert (len(first["documents"]), first["next"]) == (2, str(folder / "b.txt"))
    (rest,) = await _warnings(serving.data, "Lamps", "--limit", "2", "--after", first["next"])
    assert ([each["path"] for each in rest["documents"]], rest["next"]) == ([str(folder / "c.txt")], None)

    text = (await script("status", serving.data, "--warnings", "--limit", "1")).out
    assert text.startswith(f"Lamps of ann: 3 with warnings\n  {folder / 'a.txt'}\n    1,2")
    assert "characters were read; 1,200 characters are no language and were left out.\n    - " in text
    assert text.endswith(f"  More follow: --after '{folder / 'a.txt'}'\n")
    assert "plain.txt" not in text


async def test_what_cannot_be_listed_is_said(start: Callable[..., Serving]) -> None:
    serving = start()
    assert (await script("status", serving.data, "--warnings")).out == "No document has warnings.\n"
    ended = await script("status", serving.data, "--warnings", "Ferries")
    assert (ended.status, ended.out) == (2, "")
    assert ended.err == "semantik-status: There is no collection 'Ferries'; semantik-status lists them all.\n"
    for limit in ("0", "1001", "many"):
        ended = await script("status", serving.data, "--warnings", "--limit", limit)
        assert ended.status == 2 and "is not a number from 1 to 1000" in ended.err
