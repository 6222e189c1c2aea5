"""Exports: every chunk once with its vector, streamed, and broken off when they cannot be whole."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from support.api import ask, documents, index, new_user, refusal_of
from support.embedded_stores import store
from support.mongo_records import new_collection
from support.principals import principal
from support.server import ROOT, Serving

from semantik.auth.authorization import Authorizer
from semantik.core.errors import Busy, Conflict
from semantik.core.models import Document, new_id
from semantik.services.export import ExportService

pytestmark = pytest.mark.gen_test
PAGE = (ROOT / "docs" / "how-to" / "export.md").read_text()


async def test_the_commands_of_the_how_to_export_every_chunk(shared: Serving, tmp_path: Path) -> None:
    client, folder = await new_user(shared), tmp_path / "docs"
    folder.mkdir()
    (folder / "long.md").write_text("---\nauthor: Ann Lee\n---\n\n" + "The lamp stands in the hall. " * 200)
    (folder / "short.txt").write_text("Ein kurzer Text über die Lampe im Flur.")
    collection, _ = await index(client, folder)
    count = sum(each["chunk_count"] for each in (await documents(client, collection)).values())
    assert count > 2
    for number, command in enumerate(re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)):
        script = command.replace("http://localhost:8080", shared.url).replace("COLLECTION_ID", collection)
        process = await asyncio.create_subprocess_exec(
            *("sh", "-euc", script), cwd=tmp_path, stdout=asyncio.subprocess.PIPE,
            env={"TOKEN": client.token, "PATH": "/usr/bin:/bin"},
        )  # fmt: skip
        out, _ = await process.communicate()
        assert process.returncode == 0
        chunks = [json.loads(line) for line in (tmp_path / "chunks.jsonl").read_text().splitlines()]
        assert len({chunk["seq"] for chunk in chunks}) == len(chunks) == count
        if number:
            assert len(out.splitlines()) == count and out.decode().endswith(" 384\n")
        else:
            await _to_parquet(tmp_path, chunks)
    assert {tuple(chunk["document"]["authors"]) for chunk in chunks} == {("Ann Lee",), ()}
    short = next(chunk for chunk in chunks if chunk["document"]["path"].endswith("short.txt"))
    [hit, *_] = await ask(client, "Ein kurzer Text über die Lampe im Flur.", k=1)
    assert (hit["seq"], hit["passage"]) == (short["seq"], short["text"])
    refusal = await refusal_of(client, "GET", f"collections/{collection}/export", vectors="hex")
    assert refusal.status == 422 and "numbers, base64, none" in str(refusal)


async def _to_parquet(folder: Path, chunks: list[dict[str, Any]]) -> None:
    """Run the page's Python, whose file has the same values."""
    parquet = pytest.importorskip("pyarrow.parquet")  # comes with milvus-lite, where that has a wheel
    [program] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", program, cwd=folder)
    assert await process.wait() == 0
    rows = parquet.read_table(folder / "chunks.parquet").to_pylist()
    assert [row["vector"] for row in rows] == [chunk["vector"] for chunk in chunks]
    assert [row["document"]["authors"] for row in rows] == [chunk["document"]["authors"] for chunk in chunks]
    assert [(row["seq"], row["text"]) for row in rows] == [(chunk["seq"], chunk["text"]) for chunk in chunks]


async def test_a_client_that_leaves_makes_room(shared: Serving, tmp_path: Path) -> None:
    client, folder = await new_user(shared), tmp_path / "docs"
    folder.mkdir()
    (folder / "a.txt").write_text("The lamp stands in the hall. " * 300)
    collection, _ = await index(client, folder)
    headers = {"Authorization": f"Bearer {client.token}"}
    async with httpx.AsyncClient(headers=headers) as http:
        for _ in range(9):  # more than may run at the same time
            address = f"{shared.url}/api/v2/collections/{collection}/export"
            async with http.stream("GET", address) as answer:
                assert answer.status_code == 200
                assert answer.headers["content-type"].startswith("application/jsonl")
                await anext(answer.aiter_bytes())


async def test_an_export_that_cannot_be_whole_fails(tmp_path: Path) -> None:
    async with store(tmp_path) as db:
        user = principal("ann")
        collection = new_collection(user.user.id)
        await db.collections.add(collection)
        lost = Document(
            new_id(), collection.id, 1, "s", "o", "/a/lost.txt", 1, 1, "indexed", first_seq=0, chunk_count=3
        )
        await db.documents.register([lost])
        service = ExportService(db, Authorizer(db), lambda: 1)

        async def rest(lines: AsyncIterator[bytes]) -> list[bytes]:
            return [page async for page in lines]

        # A document whose chunks are gone is left out; a collection that is gone ends the export.
        assert await rest(await service.start(user, collection.id, "none")) == []
        await db.documents.register([Document(**{**vars(lost), "id": new_id(), "path": "/a/other.txt"})])
        running = await service.start(user, collection.id, "none")
        await db.collections.mark_deleted(collection.id)
        with pytest.raises(Conflict, match="export it again"):
            await rest(running)
        other = new_collection(user.user.id, "Other")
        await db.collections.add(other)
        with pytest.raises(Busy, match=r"operations\.exports"):
            await ExportService(db, Authorizer(db), lambda: 0).start(user, other.id, "none")
