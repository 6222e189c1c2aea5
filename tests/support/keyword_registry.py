"""A registry of keyword indexes without a server, and queries to them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semantik.core.errors import Unavailable
from semantik.index import RetrievalQuery
from semantik.index.keyword import KeywordIndex, KeywordRegistry, KeywordText


async def in_thread(function: Callable[..., Any], *args: Any, timeout_s: float) -> Any:
    return await asyncio.to_thread(function, *args)


@asynccontextmanager
async def keyword_registry(directory: Path) -> AsyncIterator[KeywordRegistry]:
    registry = KeywordRegistry(directory, in_thread)
    try:
        yield registry
    finally:
        await registry.close()


@asynccontextmanager
async def open_keywords(directory: Path) -> AsyncIterator[KeywordIndex]:
    async with keyword_registry(directory) as registry:
        yield await registry.open("c", 1, 384)


async def _no_model() -> NDArray[np.float32]:
    raise Unavailable("There is no model.", 5)


def words(text: str, *languages: str) -> RetrievalQuery:
    return RetrievalQuery(text, _no_model, languages=languages or ("en",))


async def add(index: KeywordIndex, *texts: str | KeywordText) -> None:
    """Add texts in English under the next seqs."""
    first = index.last_seq + 1
    given = [KeywordText(each, language="en") if isinstance(each, str) else each for each in texts]
    await index.add(np.arange(first, first + len(given)), given)


async def found(index: KeywordIndex, text: str, k: int = 10, **options: Any) -> list[int]:
    return [each.seq for each in await index.search(words(text), k, **options)]
