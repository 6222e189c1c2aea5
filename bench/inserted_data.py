"""Data folders with many chunks, for this build and an earlier one: rows written straight into the embedded MongoDB.

Texts are runs of definitions of WordNet, 60 to 130 words; vectors lie between real ones, so that their neighbourhoods
are not those of random numbers. The server makes its indexes from these rows, as it does from any data folder.
"""

from __future__ import annotations

import asyncio
import json
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pymongo
from numpy.typing import NDArray

from bench.corpus import WORK_FOLDER, wordnet_definitions
from bench.embedded_texts import embedded
from bench.server_process import ROOT, Server, index_folder, run_server
from semantik.client.websocket import Refused
from semantik.config.settings import Settings
from semantik.core.errors import Unavailable

_PER_DOCUMENT = 20
_BLOCK = 2000
_DEFINITIONS = range(5, 11)  # in a chunk
_REAL_VECTORS = 4000
_NOISE = 0.02
_SEED = 20_261_129
_QUIET_S = 8.0
_READY_S = 7200.0
_RECORD = "inserted.json"  # written last


@dataclass(frozen=True)
class InsertedData:
    """A data folder whose collection has `chunks` chunks with `text_bytes` of text."""

    data: Path
    collection_id: str
    chunks: int
    text_bytes: int


def inserted(count: int, build: Path = ROOT) -> InsertedData:
    """The data folder for this build, or for the one in the folder `build`; made once, with its indexes."""
    name = "current" if build == ROOT else build.name
    folder = WORK_FOLDER / f"inserted-{count}-{name}"
    record = folder / _RECORD
    if not record.exists():
        print(f"Making {folder}; this takes some minutes.", file=sys.stderr)
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "data").mkdir(parents=True)
        made = asyncio.run(_make(folder / "data", count, build))
        record.write_text(json.dumps({**asdict(made), "data": ""}))
    found = InsertedData(**json.loads(record.read_text()))
    return InsertedData(folder / "data", found.collection_id, found.chunks, found.text_bytes)


@contextmanager
def copy(data_set: InsertedData) -> Iterator[InsertedData]:
    """A temporary copy of a data folder."""
    with tempfile.TemporaryDirectory(dir=WORK_FOLDER) as folder:
        data = Path(folder) / "data"
        shutil.copytree(data_set.data, data, ignore=shutil.ignore_patterns("*.sock", "run"))
        yield replace(data_set, data=data)


def vectors(count: int) -> NDArray[np.float16]:
    """The first vectors of every data folder, (count, dimension)."""
    return np.stack(list(islice(_vectors(), count)))


async def _make(data: Path, count: int, build: Path) -> InsertedData:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "first.txt").write_text("The rows of this document are the patterns of all others.")
        async with run_server(data, build=build) as server:
            collection_id, _ = await index_folder(server.client, folder)
            text_bytes = await asyncio.to_thread(_insert, data, collection_id, count)
    async with run_server(data, build=build) as server:
        await wait_until_ready(server, data)
    return InsertedData(data, collection_id, count, text_bytes)


def _insert(data: Path, collection_id: str, count: int) -> int:
    """Insert documents and chunks like the first ones, and say so in the collection; returns the bytes of text."""
    socket = quote(str(data / "run" / "mongo.sock"), safe="")
    with pymongo.MongoClient(f"mongodb://{socket}") as client:
        stores = client[Settings().mongo_database]
        document = stores["documents"].find_one({"collection_id": collection_id})
        pattern = stores["chunks"].find_one({"collection_id": collection_id})
        assert document is not None and pattern is not None
        vectors = _vectors()
        text_bytes = 0
        texts = _texts()
        documents: list[dict[str, Any]] = []
        chunks: list[dict[str, Any]] = []
        for seq in range(1, count + 1):
            if (seq - 1) % _PER_DOCUMENT == 0:
                size = min(_PER_DOCUMENT, count - seq + 1)
                path = f"{Path(document['path']).parent}/{seq:08}.txt"
                identity = {"_id": f"{collection_id[:8]}-document-{seq:08}", "path": path}
                documents.append(document | identity | {"first_seq": seq, "chunk_count": size})
            text = next(texts)
            text_bytes += len(text)
            chunks.append(
                pattern
                | {"_id": f"{collection_id}:{seq}", "document_id": documents[-1]["_id"], "seq": seq}
                | {"text": text, "start": 0, "end": len(text), "vector": next(vectors).tobytes()}
            )
            if len(chunks) == _BLOCK or seq == count:
                stores["documents"].insert_many(documents[:-1] if seq < count else documents)
                stores["chunks"].insert_many(chunks)
                documents, chunks = documents[-1:], []
        last = {f"generations.g1.{name}": count for name in ("last_seq", "settled_seq")}
        counts = {
            "generations.g1.counts.chunks": count + 1,
            "generations.g1.counts.indexed": stores["documents"].count_documents(
                {"collection_id": collection_id}
            ),
        }
        stores["collections"].update_one(
            {"_id": collection_id}, {"$set": {**last, **counts, "next_seq": count + 1}}
        )
        return text_bytes


def _texts() -> Iterator[str]:
    """Endless; words are as frequent as in the definitions."""
    rng = random.Random(_SEED)
    definitions = wordnet_definitions()
    while True:
        yield ". ".join(rng.choices(definitions, k=rng.choice(_DEFINITIONS))) + "."


def _vectors() -> Iterator[NDArray[np.float16]]:
    """Endless; between two real ones, with some noise, of unit length."""
    real = embedded(f"definitions-{_REAL_VECTORS}", _definitions)
    rng = np.random.default_rng(_SEED)
    while True:
        one, two = real[rng.integers(0, len(real), (2, _BLOCK))]
        share = rng.random((_BLOCK, 1), np.float32)
        mixed = share * one + (1 - share) * two + rng.standard_normal(one.shape, np.float32) * _NOISE
        yield from (mixed / np.linalg.norm(mixed, axis=1, keepdims=True)).astype(np.float16)


def _definitions() -> list[str]:
    return random.Random(_SEED).sample(wordnet_definitions(), _REAL_VECTORS)


async def wait_until_ready(server: Server, data: Path) -> None:
    """Wait until a search uses all indexes, and these have not changed for some seconds: merges are done then.

    Raises TimeoutError.
    """
    async with asyncio.timeout(_READY_S):
        while True:
            try:
                answer = await server.client.call("POST", "search", {"query": "a first question", "k": 1})
                if answer["hits"] and not answer.get("degraded"):
                    break
            except (Refused, Unavailable):
                pass
            await asyncio.sleep(0.5)
        size, since = index_bytes(data), time.monotonic()
        while time.monotonic() - since < _QUIET_S:
            await asyncio.sleep(0.5)
            if (now := index_bytes(data)) != size:
                size, since = now, time.monotonic()


def index_bytes(folder: Path) -> int:
    """The bytes of all files of the indexes below a data folder."""
    found = 0
    for path in (*(folder / "index").rglob("*"), *(folder / "keywords").rglob("*")):
        try:
            found += path.stat().st_size if path.is_file() else 0
        except FileNotFoundError:  # merged meanwhile
            continue
    return found
