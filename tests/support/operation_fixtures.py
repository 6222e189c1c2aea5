"""Operations on a small folder, and what must have come of them however they were disturbed: what an undisturbed run
gives, and nothing besides, neither counted nor left in MongoDB."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

import numpy as np
from pymongo import AsyncMongoClient
from support.api import ask, index
from support.patience import patience
from support.server import Stores
from support.two_servers import until
from tornado.httpclient import AsyncHTTPClient

from semantik.client.api import Client
from semantik.core.models import Operation
from semantik.storage.mongo import Store

KINDS = ("index", "append", "reindex")
QUESTION = "How long did the lamps of the pier burn?"
# Small batches, so that there is a middle; the generation that is out of use goes soon.
SMALL_STEPS = ("--pool-batch-files", "4", "--embedding-batch-chunks", "32", "--reindex-grace-s", "2")

_CUT = {"chunk_size": 24, "chunk_overlap": 0}
_ALIKE = 0.99  # cosine of the same passage embedded in another company
_LOOK_S = 0.02
_BETWEEN_SEARCHES_S = 0.1


@dataclass(frozen=True)
class Begun:
    kind: str
    folder: Path
    collection_id: str
    operation_id: str


def make_folder(folder: Path, count: int = 80, parts: int = 6) -> Path:
    folder.mkdir()
    for number in range(count):
        _write(folder / f"lamp-{number:03}.txt", f"Lamp {number}", parts)
    return folder


async def begin(kind: str, client: Client, folder: Path, name: str = "Lamps") -> Begun:
    """Start an operation of this kind that has a lot to do; what must come before it is done."""
    return await start_on(await prepare(kind, client, folder, name), kind, client, folder, name)


async def prepare(kind: str, client: Client, folder: Path, name: str = "Lamps") -> str | None:
    """What must come before; returns the collection, if there must be one."""
    if kind == "index":
        return None
    collection_id, _ = await index(client, folder, name)
    if kind == "append":
        _change(folder)
    return collection_id


async def start_on(
    collection_id: str | None, kind: str, client: Client, folder: Path, name: str = "Lamps"
) -> Begun:
    """Start an operation of this kind on what was prepared for it."""
    if collection_id is None:
        made = await client.call("POST", "collections", {"name": name, "source_path": str(folder)})
        return Begun(kind, folder, made["id"], made["operation_id"])
    wish = _CUT if kind == "reindex" else {}
    accepted = await client.call("POST", f"collections/{collection_id}/{kind}", wish)
    return Begun(kind, folder, collection_id, accepted["operation_id"])


async def in_the_middle(store: Store, begun: Begun, share: float = 1 / 3) -> Operation:
    """The operation's record, once `share` of its documents are done."""
    while True:
        operation = await store.operations.get(begun.operation_id)
        assert operation is not None
        assert not operation.ended, "the disturbance must come in the middle"
        if operation.counts.total and operation.counts.processed > share * operation.counts.total:
            return operation
        await asyncio.sleep(_LOOK_S)


async def until_ended(store: Store, begun: Begun) -> Operation:
    while True:
        operation = await store.operations.get(begun.operation_id)
        assert operation is not None
        if operation.ended:
            return operation
        await asyncio.sleep(_LOOK_S)


@asynccontextmanager
async def searching(client: Client, begun: Begun, away_allowed: bool = False) -> AsyncIterator[list[int]]:
    """Search the collection again and again; each search finds ten passages, or is told to come again later.

    The latter only with `away_allowed`. What is yielded grows by a number for each answer.
    """
    answers: list[int] = []

    async def ask_for_ever() -> None:
        while True:
            answer = await AsyncHTTPClient().fetch(
                f"{client.url}/api/v2/search",
                method="POST",
                headers={"Authorization": f"Bearer {client.token}", "Content-Type": "application/json"},
                body=json.dumps({"query": QUESTION, "collection_ids": [begun.collection_id], "k": 10}),
                request_timeout=patience(),
                raise_error=False,
            )
            if answer.code == HTTPStatus.SERVICE_UNAVAILABLE:
                assert away_allowed and int(answer.headers["Retry-After"]) > 0, answer.body
            else:
                assert answer.code == HTTPStatus.OK, (answer.code, answer.reason, answer.body)
                hits = len(json.loads(answer.body)["hits"])
                assert hits == 10 or begun.kind == "index"
                answers.append(hits)
            await asyncio.sleep(_BETWEEN_SEARCHES_S)

    asking = asyncio.create_task(ask_for_ever())
    try:
        yield answers
        before = len(answers)
        await until(lambda: len(answers) > before + 1 or asking.done())  # the end is seen as well
    finally:
        asking.cancel()
        [error] = await asyncio.gather(asking, return_exceptions=True)
    if not isinstance(error, asyncio.CancelledError):
        raise error


async def is_as_undisturbed(begun: Begun, client: Client, stores: Stores, alone: bool = True) -> None:
    """Compare with a collection that is made of the same folder now, by an INDEX that nobody disturbs.

    Not `alone`, a server's index may still have what another has removed, until a search comes across it.
    """
    wish = _CUT if begun.kind == "reindex" else {}
    body = {"name": f"Undisturbed {begun.collection_id}", "source_path": str(begun.folder), **wish}
    made = await client.call("POST", "collections", body)
    frames = [frame async for frame in client.watch(made["operation_id"])]
    assert frames[-1]["data"]["status"] == "completed"
    left = await content(stores, begun.collection_id)
    right = await content(stores, made["id"])
    assert set(left) == set(right)
    for path, (text, vectors) in right.items():
        assert left[path][0] == text, path
        assert (np.sum(left[path][1] * vectors, axis=1) > _ALIKE).all(), path
    await ask(client, QUESTION, collection_ids=[begun.collection_id])  # the index catches up for a search
    views = [await client.call("GET", f"collections/{key}") for key in (begun.collection_id, made["id"])]
    for name in ("document_count", "chunk_count", "failed_count", "pending_count", "skipped_count"):
        assert views[0][name] == views[1][name], name
    superfluous = views[0]["stats"]["vectors"] - views[0]["chunk_count"]
    assert superfluous == 0 if alone else superfluous >= 0


async def content(stores: Stores, collection_id: str) -> dict[str, tuple[list[Any], Any]]:
    """What MongoDB holds of a collection, by path, once what is out of use is gone; and that it holds nothing else."""
    async with AsyncMongoClient[dict[str, Any]](stores.mongo_url) as mongo:
        tables = mongo[stores.database]
        while True:
            collection = await tables["collections"].find_one({"_id": collection_id})
            assert collection is not None
            if collection["retire_at"] is None:
                break
            await asyncio.sleep(_LOOK_S)
        documents = await tables["documents"].find({"collection_id": collection_id}).to_list()
        chunks = await tables["chunks"].find({"collection_id": collection_id}).sort("seq").to_list()
    generation = collection["generations"].popitem()[1]
    assert not collection["generations"] and collection["running"] is None
    assert {row["generation"] for row in (*documents, *chunks)} == {generation["number"]}
    assert {row["status"] for row in documents} == {"indexed"}
    assert all(row["due"] is None and row["old_first"] == -1 for row in documents)
    held = {row["_id"]: [] for row in documents}
    for row in chunks:
        held[row["document_id"]].append(row)
    for row in documents:
        seqs = [one["seq"] for one in held[row["_id"]]]
        assert seqs == list(range(row["first_seq"], row["first_seq"] + row["chunk_count"])), (row, seqs)
    assert generation["counts"]["indexed"] == len(documents)
    assert generation["counts"]["chunks"] == len(chunks)
    return {row["path"]: (_text(held[row["_id"]]), _vectors(held[row["_id"]])) for row in documents}


def _text(chunks: list[dict[str, Any]]) -> list[Any]:
    return [(one["start"], one["end"], one["text"], one["heading"]) for one in chunks]


def _vectors(chunks: list[dict[str, Any]]) -> Any:
    return np.stack([np.frombuffer(one["vector"], np.float16) for one in chunks]).astype(np.float32)


def _change(folder: Path) -> None:
    """Half of the files are rewritten, some are new, some gone, some renamed."""
    names = sorted(folder.iterdir())
    for number, path in enumerate(names):
        if number % 2:
            _write(path, f"Lantern {number}", 7)
        elif number % 10 == 0:
            path.unlink()
        elif number % 10 == 4:
            path.rename(path.with_name(f"beacon-{number:03}.txt"))
    for number in range(len(names) // 4):
        _write(folder / f"new-{number:03}.txt", f"Candle {number}", 5)


def _write(path: Path, what: str, parts: int) -> None:
    path.write_text(
        "\n\n".join(f"{what} of pier {part} burned for {part * 7 + 3} hours." for part in range(parts))
    )
