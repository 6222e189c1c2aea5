"""The labels of pages reach the hits, and stay through a REINDEX."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.api import ask, index, new_user
from support.pdf_files import pdf, text
from support.server import Serving

pytestmark = pytest.mark.gen_test


async def test_a_hit_names_the_label_of_its_page(shared: Serving, tmp_path: Path) -> None:
    folder = tmp_path / "manuals"
    folder.mkdir()
    labels = "/PageLabels << /Nums [0 << /S /r >> 2 << /S /D >>] >>"
    pages = [text(60, 700, f"Chapter about {word}") for word in ("foxes", "herons", "badgers", "otters")]
    (folder / "animals.pdf").write_bytes(pdf(pages, catalog=labels))
    (folder / "plain.pdf").write_bytes(pdf([text(60, 700, "Chapter about weasels")]))
    client = await new_user(shared)
    collection_id, _ = await index(client, folder)
    expected = {
        "foxes": (1, "i"),
        "herons": (2, "ii"),
        "badgers": (3, "1"),
        "otters": (4, "2"),
        "weasels": (1, None),
    }
    for _ in range(2):
        hits = await ask(client, "chapter", collection_ids=[collection_id], k=9)
        assert {hit["passage"].split()[-1]: (hit["page"], hit["page_label"]) for hit in hits} == expected
        accepted = await client.call("POST", f"collections/{collection_id}/reindex", {})
        assert [message async for message in client.watch(accepted["operation_id"])]
