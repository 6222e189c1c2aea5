"""Metadata from files to facets: front matter, sidecars, paths and users' tags, through scans, moves and REINDEX."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import pytest
from support.api import documents, index, new_user, refusal_of
from support.server import ROOT, Serving

from semantik.client.api import Client

pytestmark = pytest.mark.gen_test
PAGE = (ROOT / "docs" / "how-to" / "metadata.md").read_text()


def _write(folder: Path) -> None:
    folder.mkdir()
    (folder / "boiler.md").write_text(
        "---\nauthor: Ann Lee\ndate: 2026\ntags: [heating]\n---\n\n# Boiler\n\nThe boiler heats the house."
    )
    (folder / "2026-01-31 lease.txt").write_text("The lease of the workshop, with its boiler.")
    [yaml] = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    (folder / "2026-01-31 lease.txt.meta.yaml").write_text(re.sub(r"^  ", "", yaml, flags=re.MULTILINE))


async def _run(client: Client, method: str, path: str, body: Any = None) -> None:
    operation_id = (await client.call(method, path, body if body is not None else {}))["operation_id"]
    async for _ in client.watch(operation_id):
        pass


async def _facets(client: Client, query: str = "path:/") -> dict[str, dict[str, int]]:
    answer = await client.call("POST", "search", {"query": query, "facets": ["author", "tag", "year"]})
    return {
        name: {each["value"]: each["count"] for each in counts["values"]}
        for name, counts in answer["facets"].items()
    }


async def test_what_is_known_of_documents_follows_their_files(shared: Serving, tmp_path: Path) -> None:
    client, folder = await new_user(shared), tmp_path / "docs"
    _write(folder)
    collection, _ = await index(client, folder)
    known = await documents(client, collection)
    assert known.keys() == {"boiler.md", "2026-01-31 lease.txt"}  # a sidecar is no document
    lease = known["2026-01-31 lease.txt"]
    assert (lease["title"], lease["authors"]) == ("Lease of the workshop", ["Ann Lee", "Bo Ek"])
    assert await _facets(client) == {
        "author": {"Ann Lee": 2, "Bo Ek": 1},
        "tag": {"heating": 1, "rent": 1, "workshop": 1},
        "year": {"2026": 2},
    }
    # Users' tags, known at once, and replaced as a whole.
    place = f"collections/{collection}/documents/{known['boiler.md']['id']}/tags"
    changed = await client.call("PUT", place, {"tags": ["To Check", "to check", "heating"]})
    assert (changed["user_tags"], changed["tags"]) == (["To Check", "heating"], ["To Check", "heating"])
    assert (await _facets(client, 'tag:"to check"'))["author"] == {"Ann Lee": 1}
    refusal = await refusal_of(client, "PUT", place, {"tags": ["a,b"]})
    assert refusal.status == 422 and "comma" in str(refusal)
    # A changed sidecar, a moved document, and a new generation.
    (folder / "2026-01-31 lease.txt.meta.yaml").write_text("authors: [Cy Dow]\n")
    (folder / "boiler.md").rename(folder / "house-boiler.md")
    await _run(client, "POST", f"collections/{collection}/append")
    expected = {
        "author": {"Ann Lee": 1, "Cy Dow": 1},
        "tag": {"heating": 1, "To Check": 1},
    }
    facets = await _facets(client)
    assert {name: facets[name] for name in expected} == expected
    await _run(client, "POST", f"collections/{collection}/reindex", {"chunk_size": 64})
    facets = await _facets(client)
    assert {name: facets[name] for name in expected} == expected
    (folder / "2026-01-31 lease.txt.meta.yaml").unlink()
    (folder / "house-boiler.md.meta.json").write_text("{")
    await _run(client, "POST", f"collections/{collection}/append")
    known = await documents(client, collection)
    lease = known["2026-01-31 lease.txt"]
    assert (lease["title"], lease["authors"], lease["date"]) == (None, [], "2026-01-31")
    [warning] = known["house-boiler.md"]["quality"]["warnings"]
    assert (
        warning
        == "house-boiler.md.meta.json, which describes this file, is not read: it has no fields in JSON."
    )
    assert known["house-boiler.md"]["user_tags"] == ["To Check", "heating"]


async def test_the_commands_of_the_how_to_work(shared: Serving, tmp_path: Path) -> None:
    client, folder = await new_user(shared), tmp_path / "docs"
    _write(folder)
    collection, _ = await index(client, folder)
    document = (await documents(client, collection))["boiler.md"]["id"]
    tagging, searching = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    for command in (tagging, searching):
        script = (
            command.replace("http://localhost:8080", shared.url)
            .replace("COLLECTION_ID", collection)
            .replace("DOCUMENT_ID", document)
        )
        process = await asyncio.create_subprocess_exec(
            "sh",
            "-euc",
            script,
            stdout=asyncio.subprocess.PIPE,
            env={"TOKEN": client.token, "PATH": "/usr/bin:/bin"},
        )
        out, _ = await process.communicate()
        answer = json.loads(out)
    assert [hit["document"]["name"] for hit in answer["hits"]] == ["2026-01-31 lease.txt", "boiler.md"]
    assert {"value": "to check", "count": 1} in answer["facets"]["tag"]["values"]
    assert answer["matched"] == {"documents": 2, "complete": True}
