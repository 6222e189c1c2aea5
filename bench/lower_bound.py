"""The lower bound of a search over HTTP with these components: `python -m bench.lower_bound DATA COLLECTION`.

Tornado receives a query, the pool embeds it together with others that wait, the index returns ten chunks, one MongoDB
command reads them, and their texts are the answer. No authentication, no checks. Each answer contains the times of the
three steps. Prints its URL, and serves until SIGTERM.
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

from bench.chunks import MODEL
from bench.index_fixture import open_index
from pipeline.compute.messages import ModelSpec
from pipeline.workers.pool import Pool
from semantik.config.settings import Settings
from semantik.index import VectorRetriever
from semantik.search.query_embedder import QueryEmbedder
from semantik.storage.data_folder import data_lock
from semantik.storage.embedded import embedded

_DIMENSION = 384
_K = 10
STEPS = "steps_s"  # of the embedding, the index and MongoDB


class _Search(RequestHandler):
    def initialize(
        self, embedder: QueryEmbedder, index: VectorRetriever, chunks: object, collection_id: str
    ) -> None:
        self._embedder, self._index, self._chunks = embedder, index, chunks
        self._collection_id = collection_id

    async def post(self) -> None:
        query = json.loads(self.request.body)["query"]
        times = [time.perf_counter()]
        vector = await self._embedder.embed(MODEL, "auto", query)
        times.append(time.perf_counter())
        neighbours = await self._index.nearest(vector, _K)
        times.append(time.perf_counter())
        keys = [f"{self._collection_id}:{neighbour.seq}" for neighbour in neighbours]
        rows = await self._chunks.find({"_id": {"$in": keys}}).to_list(None)  # type: ignore[attr-defined]
        times.append(time.perf_counter())
        texts = {row["_id"]: row["text"] for row in rows}
        hits = [
            {"score": neighbour.score, "passage": texts[key]}
            for neighbour, key in zip(neighbours, keys, strict=True)
        ]
        self.write(json.dumps({"hits": hits, STEPS: np.diff(times).tolist()}))


@asynccontextmanager
async def run_lower_bound(data: Path, collection_id: str) -> AsyncIterator[str]:
    """Run this server in its own process; yields its URL."""
    command = (sys.executable, "-m", "bench.lower_bound", str(data), collection_id)
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
        open_index(data / "index", _DIMENSION, collection_id, 1) as index,
    ):
        await pool.wait_ready()
        chunks = AsyncIOMotorClient(stores.mongo_reads_url)[settings.mongo_database]["chunks"]
        embedder = QueryEmbedder(
            lambda model, precision, texts: pool.embed_queries(ModelSpec(model, precision), texts),
            lambda: settings.search,
        )
        arguments = {"embedder": embedder, "index": index, "chunks": chunks, "collection_id": collection_id}
        sockets = bind_sockets(0, "127.0.0.1")
        HTTPServer(Application([(r"/.*", _Search, arguments)])).add_sockets(sockets)
        print(f"http://127.0.0.1:{sockets[0].getsockname()[1]}", flush=True)
        await stopping.wait()


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1]), sys.argv[2]))
