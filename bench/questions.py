"""Questions to measure with, each of them new, and a client that costs little: it must not be what is measured."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Iterator
from typing import Self
from urllib.parse import urlsplit

from bench.corpus import package

_FORMS = (
    "What is {}?",
    "How does {} work?",
    "Tell me about {}",
    "Where can I find {} and what is it used for?",
    "{}",
    "Who wrote about {} and {}?",
)
_WORD = 4  # where a line of WordNet has the first word of its set


def questions(seed: int) -> Iterator[str]:
    """Without end, and hardly ever the same twice: words of WordNet in some forms of questions, 4 to 15 tokens."""
    lines = (
        (package("wordnet-base") / "usr" / "share" / "wordnet" / "data.noun").read_text("utf-8").splitlines()
    )
    words = [line.split()[_WORD].replace("_", " ") for line in lines if not line.startswith("  ")]
    chance = random.Random(seed)
    while True:
        yield chance.choice(_FORMS).format(chance.choice(words), chance.choice(words))


class Asker:
    """One connection that asks a server about a collection, one question after the other."""

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

    async def ask(self, question: str) -> float:
        """The seconds until the answer is there. Raises RuntimeError when it is none, or has no hit."""
        return (await self.answer(question))[0]

    async def answer(self, question: str) -> tuple[float, bytes]:
        """The same, with the answer."""
        body = json.dumps({"query": question, "collection_ids": self._collection_ids}).encode()
        head = (
            f"POST /api/v2/search HTTP/1.1\r\nHost: {self._host}:{self._port}\r\n"
            f"Authorization: Bearer {self._token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        begun = time.perf_counter()
        self._writer.write(head.encode() + body)
        answer = await self._reader.readuntil(b"\r\n\r\n")
        length = int(answer.lower().partition(b"content-length:")[2].split(None, 1)[0])
        text = await self._reader.readexactly(length)
        seconds = time.perf_counter() - begun
        if b" 200 " not in answer[:20] or b'"hits": [{' not in text:
            raise RuntimeError(f"The search for {question!r} failed: {answer[:80]!r} {text[:200]!r}")
        return seconds, text
