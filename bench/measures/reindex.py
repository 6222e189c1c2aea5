"""A REINDEX in which neither the files nor the settings have changed, compared with the first INDEX."""

from __future__ import annotations

import asyncio
import statistics
import tempfile
from collections.abc import Iterator
from typing import Any

from bench import corpus
from bench.results import Result
from bench.server_process import index_folder, run_server, wait_for_operation

_ROUNDS = 3


def measure() -> Iterator[Result]:
    """Some hundred real documents of a dozen formats; an INDEX in a new data folder before each REINDEX."""
    index_s, reindex_s, pairs = [], [], []
    for _ in range(_ROUNDS):
        with tempfile.TemporaryDirectory(dir=corpus.WORK_FOLDER) as data:
            before, after = asyncio.run(_run(data))
        index_s.append(before["result"]["duration_s"])
        reindex_s.append(after["result"]["duration_s"])
        pairs.append((before["result"], after["result"]))
    assert all(before[name] == after[name] for before, after in pairs for name in ("documents", "chunks"))
    result = pairs[0][0]
    yield Result(
        "REINDEX, nothing changed",
        statistics.median(reindex_s),
        "s",
        statistics.median(index_s),
        "the first INDEX",
        maximum=0.1,
        note=f"{result['documents']} documents, {result['chunks']} chunks; "
        f"{min(reindex_s):.2f} to {max(reindex_s):.2f} s, "
        f"INDEX {min(index_s):.1f} to {max(index_s):.1f} s",
    )


async def _run(data: str) -> tuple[dict[str, Any], dict[str, Any]]:
    async with run_server(data, "--progress-linger-s", "0.1") as server:
        collection_id, first = await index_folder(server.client, corpus.documents())
        accepted = await server.client.call("POST", f"collections/{collection_id}/reindex", {})
        return first, await wait_for_operation(server.client, accepted["operation_id"])
