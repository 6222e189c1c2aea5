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
