"""How long lists of a collection's documents take, over REST: `python -m bench.document_lists [DOCUMENTS]`.

The documents are written straight into the embedded store of a server that is started for it.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from support.server import SETUP_CODE, serve  # noqa: E402
from support.synthetic_documents import fill  # noqa: E402

from semantik.client.api import Client  # noqa: E402

_TIMES = 20
_LISTS: dict[str, dict[str, Any]] = {
    "by path, first page": {"sort": "path"},
    "by path, last page": {"sort": "path", "offset": -100},
    "by size, middle": {"sort": "size", "offset": 50_000},
    "by name, last page": {"sort": "name", "offset": -100},
    "failed, by size": {"sort": "size", "status": "failed"},
    "name contains 777": {"name": "777", "sort": "path"},
    "jump to a name": {"sort": "path", "at": "report 077777"},
}


async def _measure(url: str, collection: str, documents: int) -> None:
    client = Client(url)
    await client.sign_in("bench", "a good password")
    path = f"collections/{collection}/documents"
    for name, query in _LISTS.items():
        query = {**query, "limit": 100}
        if query.get("offset", 0) < 0:
            query["offset"] += documents
        times = []
        for _ in range(_TIMES):
            begun = time.perf_counter()
            await client.call("GET", path, **query)
            times.append(1000 * (time.perf_counter() - begun))
        slowest = sorted(times[1:])[-2]
        print(
            f"{name:24} first {times[0]:7.0f} ms   then p50 {median(times[1:]):6.1f}   p95 {slowest:6.1f} ms"
        )
    begun = time.perf_counter()
    await client.call("GET", f"collections/{collection}/statistics")
    print(f"{'statistics':24} first {1000 * (time.perf_counter() - begun):7.0f} ms")


async def _index(url: str, folder: Path) -> str:
    client = Client(url)
    await client.register("bench", "a good password", SETUP_CODE)
    await client.sign_in("bench", "a good password")
    made = await client.call("POST", "collections", {"name": "Many", "source_path": str(folder)})
    async for _ in client.watch(made["operation_id"]):
        pass
    return str(made["id"])


def main() -> None:
    documents = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory() as root:
        folder = Path(root) / "folder"
        folder.mkdir()
        (folder / "one.txt").write_text("One document to begin with.")
        serving = serve(Path(root) / "data")
        try:
            collection = asyncio.run(_index(serving.url, folder))
            fill(serving, collection, documents)
            asyncio.run(_measure(serving.url, collection, documents))
        finally:
            serving.stop()


if __name__ == "__main__":
    main()
