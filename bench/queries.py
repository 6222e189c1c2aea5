"""Random queries, and a search client with little overhead, so that the client is not what is measured."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Iterator
from typing import Self
from urllib.parse import urlsplit

from bench.corpus import package

_TEMPLATES = (
    "What is {}?",
    "How does {} work?",
    "Tell me about {}",
    "Where can I find {} and what is it used for?",
    "{}",
    "Who wrote about {} and {}?",
)
_WORD_COLUMN = 4  # the column of the first word in a line of WordNet


def random_queries(seed: int) -> Iterator[str]:
    """An endless sequence of queries, rarely repeated: words of WordNet in templates, 4 to 15 tokens."""
    lines = (
        (package("wordnet-base") / "usr" / "share" / "wordnet" / "data.noun").read_text("utf-8").splitlines()
    )
    words = [line.split()[_WORD_COLUMN].replace("_", " ") for line in lines if not line.startswith("  ")]
    rng = random.Random(seed)
    while True:
        yield rng.choice(_TEMPLATES).format(rng.choice(words), rng.choice(words))


class SearchConnection:
    """One HTTP connection that sends one search after the other for one collection."""

    def __init__(self, url: str, token: str, collection_id: str) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname, parts.port
        self._token = token
        self._collection_ids = [collection_id]

    async def __aenter__(self) -> Self:
        self._reader, self._writer = await asyncio.open_connection(self._host, self._port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()

    async def search_seconds(self, query: str) -> float:
        """The seconds until the answer has arrived. Raises RuntimeError if the search failed or has no hit."""
        return (await self.search(query))[0]

    async def search(self, query: str) -> tuple[float, bytes]:
        """As `search_seconds`, with the body of the answer."""
        body = json.dumps({"query": query, "collection_ids": self._collection_ids}).encode()
        head = (
            f"POST /api/v2/search HTTP/1.1\r\nHost: {self._host}:{self._port}\r\n"
            f"Authorization: Bearer {self._token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        started = time.perf_counter()
        self._writer.write(head.encode() + body)
        answer = await self._reader.readuntil(b"\r\n\r\n")
        length = int(answer.lower().partition(b"content-length:")[2].split(None, 1)[0])
        text = await self._reader.readexactly(length)
        seconds = time.perf_counter() - started
        if b" 200 " not in answer[:20] or b'"hits": [{' not in text:
            raise RuntimeError(f"The search for {query!r} failed: {answer[:80]!r} {text[:200]!r}")
        return seconds, text


async def search_for(connection: SearchConnection, queries: Iterator[str], seconds: float) -> list[float]:
    """The seconds that each search took, one after the other for so many seconds."""
    end = time.perf_counter() + seconds
    taken = []
    while time.perf_counter() < end:
        taken.append(await connection.search_seconds(next(queries)))
    return taken


async def search_together(
    url: str, token: str, collection_id: str, queries: Iterator[str], clients: int, seconds: float
) -> tuple[int, float]:
    """So many clients search for so many seconds; returns the number of searches and the seconds that all took."""

    async def client() -> int:
        async with SearchConnection(url, token, collection_id) as connection:
            return len(await search_for(connection, queries, seconds))

    started = time.perf_counter()
    counts = await asyncio.gather(*(client() for _ in range(clients)))
    return sum(counts), time.perf_counter() - started
