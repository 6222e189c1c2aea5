"""The retrievers and, for each, what a test needs to compare it with brute force."""

from __future__ import annotations

import asyncio
import atexit
import shutil
import tempfile
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from support.milvus import Milvus, running_milvus

from semantik.config.settings import IndexSettings
from semantik.core.errors import Unavailable
from semantik.index import IndexRegistry, RetrievalQuery, RetrieverRegistry
from semantik.index.keyword import KeywordRegistry, KeywordText
from semantik.index.milvus import milvus_registry
from semantik.index.milvus.registry import MilvusRegistry

DIMENSION = 16
KEY = ("c", 1, DIMENSION)


@dataclass(frozen=True)
class Implementation:
    """A retriever and its reference.

    `contents(n)` are n different contents for `Retriever.add`, some of them equal; `query(contents, row)` is a query
    near one of them; `scores(contents, query)` are the scores (n) that a search must give. `embeds` says whether a
    search needs the query's vector. Where `found_above` is set, a search finds only higher scores. Where scores are
    `relative`, they are compared as shares of the best one: BM25 counts deleted chunks until their segment is merged,
    which changes all scores of a one-word query by the same factor. `tolerance` is that of the scores.
    """

    registry: Callable[[Path], AbstractAsyncContextManager[RetrieverRegistry[Any]]]
    contents: Callable[[int], Any]
    query: Callable[[Any, int], RetrievalQuery]
    scores: Callable[[Any, RetrievalQuery], NDArray[np.float64]]
    embeds: bool
    threshold: float = 0.2
    found_above: float | None = None
    relative: bool = False
    tolerance: float = 1e-9

    def comparable(self, scores: list[float]) -> NDArray[np.float64]:
        return np.array(scores) / (max(scores, default=1.0) or 1.0 if self.relative else 1.0)


@asynccontextmanager
async def vector_registry(directory: Path) -> AsyncIterator[IndexRegistry]:
    async def in_thread(function: Callable[..., Any], *args: Any, timeout_s: float) -> Any:
        return await asyncio.to_thread(function, *args)

    registry = IndexRegistry(directory, IndexSettings(tail_rows=50), in_thread, retry_s=0.01)
    try:
        yield registry
    finally:
        await registry.close()


@cache
def shared_milvus() -> Milvus:
    """One for all tests of this process: it takes seconds to start."""
    folder = Path(tempfile.mkdtemp(prefix="semantik-milvus-"))
    stack = ExitStack()
    atexit.register(shutil.rmtree, folder, True)
    atexit.register(stack.close)
    return stack.enter_context(running_milvus(folder))


@asynccontextmanager
async def milvus_vectors(directory: Path) -> AsyncIterator[MilvusRegistry]:
    """One prefix for each test, which its folder names: what was added is still there when it is opened again."""
    prefix = f"t{zlib.crc32(str(directory).encode())}"
    registry = milvus_registry(shared_milvus().settings(prefix=prefix))
    try:
        yield registry
    finally:
        await registry.close()


def vectors(count: int) -> NDArray[np.float16]:
    given = np.random.default_rng(0).standard_normal((count, DIMENSION))
    given[::5] = given[0]
    unit: NDArray[np.float16] = (given / np.linalg.norm(given, axis=1, keepdims=True)).astype(np.float16)
    return unit


def text_of(vector: NDArray[Any]) -> str:
    return " ".join(map(str, vector.tolist()))


def vector_query(contents: NDArray[np.float16], row: int) -> RetrievalQuery:
    vector: NDArray[np.float32] = contents[row].astype(np.float32) + np.float32(0.01)

    async def embed() -> NDArray[np.float32]:
        return vector

    return RetrievalQuery(text_of(vector), embed)


def cosines(contents: NDArray[np.float16], query: RetrievalQuery) -> NDArray[np.float64]:
    unit = np.array(query.text.split(), np.float64)
    unit /= np.linalg.norm(unit)
    rows = contents.astype(np.float64)
    return cast(NDArray[np.float64], (rows * unit).sum(axis=1) / np.sqrt((rows * rows).sum(axis=1)))


@asynccontextmanager
async def keyword_registry(directory: Path) -> AsyncIterator[KeywordRegistry]:
    async def in_thread(function: Callable[..., Any], *args: Any, timeout_s: float) -> Any:
        return await asyncio.to_thread(function, *args)

    registry = KeywordRegistry(directory, in_thread)
    try:
        yield registry
    finally:
        await registry.close()


WORDS = ["anchor", "bollard", "capstan", "dinghy", "ensign", "fender", "gunwale"]
FILLERS = ["halyard", "inlet", "jetty", "keel", "lantern", "mast", "nautical"]
LENGTH = 12


def texts(count: int) -> NDArray[np.object_]:
    """Texts of the same number of words, so that a word's BM25 depends on how often it occurs alone.

    The first 20 have all of the WORDS.
    """
    rng = np.random.default_rng(0)
    given = np.empty(count, object)
    for row in range(count):
        words = [*(WORDS if row < 20 else FILLERS), *rng.choice(WORDS, LENGTH - len(WORDS))]
        given[row] = KeywordText(" ".join(rng.permutation(words)))
    given[::5] = given[0]
    return given


def word_query(contents: NDArray[np.object_], row: int) -> RetrievalQuery:
    async def embed() -> NDArray[np.float32]:
        raise Unavailable("There is no model.", 5)

    return RetrievalQuery(WORDS[row % len(WORDS)], embed)


def word_scores(contents: NDArray[np.object_], query: RetrievalQuery) -> NDArray[np.float64]:
    counts = np.array([each.text.split().count(query.text) for each in contents], np.float64)
    return counts / (counts + 1.2)


IMPLEMENTATIONS = {
    "vectors": Implementation(vector_registry, vectors, vector_query, cosines, embeds=True),
    "words": Implementation(
        keyword_registry,
        texts,
        word_query,
        word_scores,
        embeds=False,
        threshold=1e-6,
        found_above=0.0,
        relative=True,
        tolerance=1e-6,  # tantivy's are float32
    ),
    "milvus": Implementation(milvus_vectors, vectors, vector_query, cosines, embeds=True, tolerance=2e-6),
}
