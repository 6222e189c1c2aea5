"""What a scan compares of the documents that it knows: at paths, of a folder, of a source."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from support.embedded_stores import store
from support.mongo_records import new_generation

from semantik.core.models import Document, PathMetadata, new_id
from semantik.storage.mongo.known_files import FileState, KnownFile, KnownPath

pytestmark = pytest.mark.gen_test


def _document(path: str) -> Document:
    return Document(new_id(), "c", 1, "s", "o", path, 1, 1, "indexed")


async def _paths(pages: AsyncIterator[list[KnownPath]]) -> list[str]:
    return [one.path async for page in pages for one in page]


async def test_files_at_paths_are_what_a_scan_saved_of_them(tmp_path: Path) -> None:
    plain = _document("/r/plain")
    rich = replace(
        _document("/r/rich"),
        size=1 << 40,
        modified_ns=-7,
        status="pending",
        due="o",
        missing=True,
        sidecar="/r/rich.xmp",
        by_path=PathMetadata(title="Rich", tags=("a", "b")),
        origin={"url": "https://example.org/rich"},
    )
    part = replace(_document("/r/box.zip#a"), container_id=plain.id)
    others = (replace(plain, id=new_id(), generation=2), replace(plain, id=new_id(), collection_id="d"))
    rich_state = FileState(rich.path, 1 << 40, -7, rich.sidecar, rich.by_path, rich.origin)
    async with store(tmp_path) as db:
        await db.documents.register([plain, rich, part, _document("/r/other"), *others])
        wanted = [rich.path, "/r/absent", plain.path, part.path]
        found = await db.known_files.at(new_generation("c"), wanted)
        assert found == {
            plain.path: KnownFile(
                plain.id, FileState(plain.path, 1, 1, None, None, None), "indexed", None, False, False
            ),
            rich.path: KnownFile(rich.id, rich_state, "pending", "o", True, False),
            part.path: KnownFile(
                part.id, FileState(part.path, 1, 1, None, None, None), "indexed", None, False, True
            ),
        }
        assert await db.known_files.at(new_generation("c"), []) == {}


async def test_of_folder_excludes_documents_of_subfolders(tmp_path: Path) -> None:
    async with store(tmp_path) as db:
        known, generation = db.known_files, new_generation("c")
        names = ["a", "b/x", "b/y/z", "b0", "c", "d/1"]
        paths = [f"/r/{name}" for name in names] + ["/r0", "/q/a"]
        paths += [f"/r/b/{number:04}" for number in range(2100)]
        await db.documents.register([_document(path) for path in paths])
        for folder, expected in (
            ("/r", ["/r/a", "/r/b0", "/r/c"]),
            ("/r/b/y", ["/r/b/y/z"]),
            ("/", ["/r0"]),
        ):
            assert await _paths(known.of_folder(generation, "s", folder)) == expected
        assert len(await _paths(known.of_folder(generation, "s", "/r/b"))) == 2101
        assert await _paths(known.of_source(generation, "s")) == sorted(paths)
        assert await _paths(known.of_source(new_generation("c", 2), "s")) == []
