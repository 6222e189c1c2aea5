"""The least that a search over HTTP can be with the parts that we have: `python -m bench.least DATA COLLECTION`.

Tornado takes a question, the pool embeds it with others that wait, the index finds ten, one command to MongoDB reads
them, and their texts are written. Nobody signs in, nothing is checked. Each answer tells what its three steps took.
Says its address, and serves until SIGTERM.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
from motor.motor_asyncio import AsyncIOMotorClient
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler

from bench.an_index import an_index
from bench.passages import MODEL
from pipeline.compute.messages import ModelSpec
from pipeline.workers.pool import Pool
from semantik.config.settings import Settings
from semantik.index import VectorIndex
from semantik.search.query_embedder import QueryEmbedder
from semantik.storage.data_folder import data_lock
from semantik.storage.embedded import embedded

_DIMENSION = 384
_K = 10
STEPS = "steps_s"  # of the question, the index and MongoDB


class _Search(RequestHandler):
    def initialize(
        self, questions: QueryEmbedder, index: VectorIndex, chunks: object, collection_id: str
    ) -> None:
        self._questions, self._index, self._chunks = questions, index, chunks
        self._collection_id = collection_id

    async def post(self) -> None:
        question = json.loads(self.request.body)["query"]
        marks = [time.perf_counter()]
        vector = await self._questions.embed(MODEL, "auto", question)
        marks.append(time.perf_counter())
        found = await self._index.nearest(vector, _K)
        marks.append(time.perf_counter())
        keys = [f"{self._collection_id}:{one.seq}" for one in found]
        rows = await self._chunks.find({"_id": {"$in": keys}}).to_list(None)  # type: ignore[attr-defined]
        marks.append(time.perf_counter())
        texts = {row["_id"]: row["text"] for row in rows}
        hits = [{"score": one.score, "passage": texts[key]} for one, key in zip(found, keys, strict=True)]
        self.write(json.dumps({"hits": hits, STEPS: np.diff(marks).tolist()}))


@asynccontextmanager
async def least(data: Path, collection_id: str) -> AsyncIterator[str]:
    """The address of one that runs in a process of its own."""
    command = (sys.executable, "-m", "bench.least", str(data), collection_id)
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    try:
        yield (await process.stdout.readline()).decode().strip()
    finally:
        process.terminate()
        await process.wait()


async def _serve(data: Path, collection_id: str) -> None:
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    settings = Settings(data=data)
    async with (
        data_lock(data) as lock,
        embedded(data, True, False, lock) as stores,
        Pool(lambda: settings) as pool,
        an_index(data / "index", _DIMENSION, collection_id, 1) as index,
    ):
        await pool.wait_ready()
        chunks = AsyncIOMotorClient(stores.mongo_reads_url)[settings.mongo_database]["chunks"]
        questions = QueryEmbedder(
            lambda model, precision, texts: pool.embed_questions(ModelSpec(model, precision), texts),
            lambda: settings.search,
        )
        parts = {"questions": questions, "index": index, "chunks": chunks, "collection_id": collection_id}
        sockets = bind_sockets(0, "127.0.0.1")
        HTTPServer(Application([(r"/.*", _Search, parts)])).add_sockets(sockets)
        print(f"http://127.0.0.1:{sockets[0].getsockname()[1]}", flush=True)
        await stopping.wait()


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1]), sys.argv[2]))
