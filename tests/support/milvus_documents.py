"""What tests of servers with their vectors in Milvus do again and again: documents, questions, operations."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from support.api import PASSWORD, ask
from support.milvus import Milvus
from support.patience import deadline
from support.server import SETUP_CODE, Serving

from semantik.client.api import Client

_WORDS = [
    "anchor",
    "bollard",
    "capstan",
    "dinghy",
    "ensign",
    "fender",
    "gunwale",
    "halyard",
    "inlet",
    "jetty",
]
_WORDS += ["keel", "lantern", "mast", "oar", "pump", "rope"]
DOCUMENTS = 150
_QUERIES = 30


def milvus_flags(milvus: Milvus, **changes: Any) -> tuple[str, ...]:
    given = milvus.settings(**changes)
    return (
        *("--index-engine", "milvus", "--milvus-url", given.url, "--milvus-prefix", given.prefix),
        *("--milvus-index-type", given.index_type, "--milvus-timeout-s", f"{given.timeout_s:g}"),
        *("--milvus-catch-up", str(given.catch_up)),
    )


def write(folder: Path, numbers: range = range(DOCUMENTS)) -> None:
    folder.mkdir(exist_ok=True)
    for number in numbers:
        rng = random.Random(number)
        text = ". ".join(" ".join(rng.choices(_WORDS, k=12)) for _ in range(6))
        (folder / f"{number}.{'md' if number % 3 else 'txt'}").write_text(f"{text}.\n")


async def signed_in(serving: Serving) -> Client:
    client = Client(serving.url)
    await client.register("somebody@example.com", PASSWORD, SETUP_CODE)
    await client.sign_in("somebody@example.com", PASSWORD)
    return client


async def again(serving: Serving) -> Client:
    client = Client(serving.url)
    await client.sign_in("somebody@example.com", PASSWORD)
    return client


async def completed(client: Client, operation_id: str) -> None:
    messages = [message async for message in client.watch(operation_id)]
    assert "operation_completed" in {message["type"] for message in messages}, messages[-2:]


async def until(answer: Callable[[], Awaitable[bool]]) -> None:
    async with deadline():
        while not await answer():  # noqa: ASYNC110 (a server tells no event)
            await asyncio.sleep(0.05)


def queries() -> list[str]:
    rng = random.Random(5)
    return [" ".join(rng.choices(_WORDS, k=rng.choice([1, 2, 3, 5]))) for _ in range(_QUERIES)]


async def all_hits(client: Client, collection: str, **more: Any) -> list[list[tuple[str, str]]]:
    found = []
    for query in queries():
        hits = await ask(client, query, collection_ids=[collection], **more)
        found.append([(hit["document"]["name"], hit["passage"]) for hit in hits])
    return found


def assert_congruent(one: list[list[Any]], other: list[list[Any]]) -> None:
    assert all(len(a) == len(b) for a, b in zip(one, other, strict=True))
    shared = sum(len(set(a) & set(b)) for a, b in zip(one, other, strict=True))
    assert shared >= 0.95 * sum(map(len, one)) > 0


async def change(client: Client, collection: str, folder: Path, step: int) -> str | None:
    """Begin an APPEND that finds files gone and new, or a REINDEX; returns the operation's id."""
    body: dict[str, Any] = {}
    if step == 0:
        for gone in ("0.txt", "7.md"):
            (folder / gone).unlink(missing_ok=True)
        write(folder, range(DOCUMENTS, DOCUMENTS + 20))
    elif step == 1:
        body = {"chunk_size": 32, "chunk_overlap": 0}
    else:
        return None
    begun = await client.call("POST", f"collections/{collection}/{('append', 'reindex')[step]}", body)
    operation_id: str = begun["operation_id"]
    return operation_id
