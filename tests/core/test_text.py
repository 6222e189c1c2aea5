"""The content of a document, assembled from its chunks, is as long as the original text."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.api import documents, index, new_user
from support.server import Serving


@pytest.mark.gen_test
async def test_a_rule_between_two_chunks_is_read_as_one_break(shared: Serving, tmp_path: Path) -> None:
    first, rule, last = "The valley lies in fog. " * 60, "-" * 3000, "The summit lies in the sun. " * 60
    text = f"{first}\n\n{rule}\n\n{last}"
    (tmp_path / "ruled.txt").write_text(text)
    (tmp_path / "silent.txt").write_text(f"{rule}\n* * *\n\u200b\n")
    client = await new_user(shared)
    collection_id, _ = await index(client, tmp_path)
    found = await documents(client, collection_id)
    assert found["silent.txt"]["status"] == "skipped"
    assert found["silent.txt"]["error"]["category"] == "empty"

    path = f"collections/{collection_id}/documents/{found['ruled.txt']['id']}/content"
    content = (await client.call("GET", path))["text"]
    assert len(content) == len(text)
    assert content.replace("-", "").split() == (first + last).split()
    assert content.count("\n") < 10
    assert content[len(text) - len(last) :].startswith("The summit")
