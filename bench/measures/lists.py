"""The latency of the REST lists and views that the web page requests, on a collection of 100 000 documents."""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Iterator
from typing import Any

from bench import indexed_data
from bench.results import Result
from bench.server_process import index_folder, run_server, wait_for_operation
from semantik.client.api import Client
from semantik.core.pagination import decode_cursor, encode_cursor

_DOCUMENTS = 100_000
_ROUNDS = 10
_APPENDS = 120  # so that the list of operations has some pages
_MAX_MS = 50


def measure() -> Iterator[Result]:
    """Medians of ten requests after a warm-up; of lists the first page, one in the middle, and the last."""
    with indexed_data.copy(_DOCUMENTS) as data_set:
        times = asyncio.run(_run(data_set))
    for name, values in sorted(times.items(), key=lambda item: -statistics.median(item[1])):
        yield Result(
            name,
            1000 * statistics.median(values),
            "ms",
            maximum=_MAX_MS,
            note=f"up to {1000 * max(values):.0f} ms; {_DOCUMENTS} documents",
        )


async def _run(data_set: indexed_data.IndexedData) -> dict[str, list[float]]:
    async with run_server(data_set.data, "--progress-linger-s", "0.1") as server:
        client = server.client
        await _make_operations(client)
        times = {}
        for name, path, query in await _calls(client, data_set.collection_id):
            await client.call("GET", path, **query)
            times[name] = []
            for _ in range(_ROUNDS):
                started = time.perf_counter()
                await client.call("GET", path, **query)
                times[name].append(time.perf_counter() - started)
        return times


async def _make_operations(client: Client) -> None:
    """Create operations quickly: scans of an empty folder."""
    with tempfile.TemporaryDirectory() as folder:
        collection_id, _ = await index_folder(client, folder, "Empty")
        for _ in range(_APPENDS):
            accepted = await client.call("POST", f"collections/{collection_id}/append", {})
            await wait_for_operation(client, accepted["operation_id"])


async def _calls(client: Client, collection_id: str) -> list[tuple[str, str, dict[str, Any]]]:
    path = f"collections/{collection_id}"
    documents, operations = f"{path}/documents", "operations"
    first = await client.call("GET", documents, limit=50)
    last_operation = (await client.call("GET", operations, limit=1))["items"][0]
    document = f"{documents}/{first['items'][0]['id']}"
    calls: list[tuple[str, str, dict[str, Any]]] = [
        ("collections", "collections", {}),
        ("a collection with its index", path, {}),
        ("its sources", f"{path}/sources", {}),
        ("documents", documents, {"limit": 50}),
        ("documents, a page of 500", documents, {"limit": 500}),
        (
            "documents, the last page",
            documents,
            {"limit": 50, "cursor": await _last_page_cursor(client, documents)},
        ),
        ("documents, indexed", documents, {"limit": 50, "status": "indexed"}),
        ("documents, pending", documents, {"limit": 50, "status": "pending"}),
        ("documents, failed", documents, {"limit": 50, "status": "failed"}),
        ("documents, by a name", documents, {"limit": 50, "name": "099999"}),
        ("documents, by a name that many have", documents, {"limit": 50, "name": ".TXT"}),
        ("documents, by a name that none has", documents, {"limit": 50, "name": "not there"}),
        ("documents, indexed, by a name", documents, {"limit": 50, "name": "099", "status": "indexed"}),
        ("a document", document, {}),
        ("a document's text", f"{document}/content", {}),
        ("operations", operations, {"limit": 50}),
        ("operations of the collection", operations, {"limit": 50, "collection_id": collection_id}),
        ("operations, the third page", operations, await _third_page(client)),
        ("operations that run", operations, {"limit": 50, "status": "processing"}),
        ("an operation", f"operations/{last_operation['id']}", {}),
        ("failures of an operation", f"operations/{last_operation['id']}/failures", {"limit": 50}),
    ]
    return calls


async def _last_page_cursor(client: Client, documents: str) -> str:
    """The cursor of the last page, built from the names of the files."""
    page = await client.call("GET", documents, limit=50)
    folder = decode_cursor(page["next_cursor"], 1)[0].rpartition("/0000/")[0]
    return encode_cursor(f"{folder}/0099/099950.txt")


async def _third_page(client: Client) -> dict[str, Any]:
    query: dict[str, Any] = {"limit": 40}
    for _ in range(2):
        query["cursor"] = (await client.call("GET", "operations", **query))["next_cursor"]
    return query
