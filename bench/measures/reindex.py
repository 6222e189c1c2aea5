"""REINDEX where neither the files nor the way they are cut and embedded have changed, beside their first INDEX."""

from __future__ import annotations

import asyncio
import statistics
import tempfile
from collections.abc import Iterator
from typing import Any

from bench import corpus
from bench.figures import Figure
from bench.serving import ended, index, serving

_ROUNDS = 3


def measure() -> Iterator[Figure]:
    """Some hundred real documents of a dozen formats; an INDEX on a new data folder before each REINDEX."""
    first, again, results = [], [], []
    for _ in range(_ROUNDS):
        with tempfile.TemporaryDirectory(dir=corpus.HOME) as data:
            before, after = asyncio.run(_run(data))
        first.append(before["result"]["duration_s"])
        again.append(after["result"]["duration_s"])
        results.append((before["result"], after["result"]))
    assert all(one[name] == other[name] for one, other in results for name in ("documents", "chunks"))
    result = results[0][0]
    yield Figure(
        "REINDEX, nothing changed",
        statistics.median(again),
        "s",
        statistics.median(first),
        "the first INDEX",
        most=0.1,
        note=f"{result['documents']} documents, {result['chunks']} chunks; {min(again):.2f} to {max(again):.2f} s, "
        f"INDEX {min(first):.1f} to {max(first):.1f} s",
    )


async def _run(data: str) -> tuple[dict[str, Any], dict[str, Any]]:
    async with serving(data, "--progress-linger-s", "0.1") as server:
        made, first = await index(server.client, corpus.documents())
        accepted = await server.client.call("POST", f"collections/{made}/reindex", {})
        return first, await ended(server.client, accepted["operation_id"])
