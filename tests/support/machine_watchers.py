"""Watchers and searches on several servers, any of which may stop answering without a word."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import urlencode

from support.operation_fixtures import QUESTION
from support.patience import patience
from support.watchers import Watcher
from tornado.httpclient import AsyncHTTPClient, HTTPError, HTTPRequest
from tornado.websocket import websocket_connect

_CONNECT_S, _ANSWER_S = 3.0, 10.0
_SILENCE_S = 10.0  # the protocol promises a message every five seconds
_BETWEEN_S = 0.2


@dataclass
class RoamingWatcher(Watcher):
    """Takes a silence for a loss, and asks the next server then."""

    async def follow(self) -> None:
        turn = 0
        while not self.ended:
            query = {"token": self.token, **({"since": self.frames[-1]["id"]} if self.frames else {})}
            url = self.urls[turn % len(self.urls)]
            turn += 1
            address = f"ws{url.removeprefix('http')}/ws/operations/{self.operation_id}?{urlencode(query)}"
            try:
                socket = await websocket_connect(HTTPRequest(address, connect_timeout=_CONNECT_S))
            except (OSError, HTTPError):
                await asyncio.sleep(_BETWEEN_S)
                continue
            self.visits += 1
            with suppress(TimeoutError):
                await self._visit(socket)
            socket.close()


@dataclass
class Answers:
    """What the servers said to searches: so many were `found`, of which so many were `degraded`, and these were refused
    or got no answer, by server.
    """

    found: dict[str, int] = field(default_factory=dict)
    degraded: dict[str, int] = field(default_factory=dict)
    failures: list[tuple[str, str]] = field(default_factory=list)


@asynccontextmanager
async def searching_all(urls: Mapping[str, str], token: str, collection_id: str) -> AsyncIterator[Answers]:
    """Search the collection on every server again and again."""
    answers = Answers()

    async def ask_for_ever(name: str, url: str) -> None:
        while True:
            request = HTTPRequest(
                f"{url}/api/v2/search",
                method="POST",
                headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
                body=json.dumps({"query": QUESTION, "collection_ids": [collection_id], "k": 10}),
                connect_timeout=patience(_CONNECT_S),
                request_timeout=patience(_ANSWER_S),
            )
            try:
                answer = await AsyncHTTPClient().fetch(request, raise_error=False)
                if answer.code == HTTPStatus.OK:
                    answers.found[name] = answers.found.get(name, 0) + 1
                    degraded = bool(json.loads(answer.body)["degraded"])
                    answers.degraded[name] = answers.degraded.get(name, 0) + degraded
                else:
                    answers.failures.append((name, f"{answer.code} {answer.body.decode()[:200]}"))
            except (OSError, HTTPError) as error:
                answers.failures.append((name, str(error)))
            await asyncio.sleep(_BETWEEN_S)

    asking = [asyncio.create_task(ask_for_ever(name, url)) for name, url in urls.items()]
    try:
        yield answers
    finally:
        for each in asking:
            each.cancel()
        await asyncio.gather(*asking, return_exceptions=True)


def watchers(urls: Sequence[str], token: str, operation_id: str, count: int) -> list[RoamingWatcher]:
    """Spread over the servers."""
    return [
        RoamingWatcher(
            [*urls[at % len(urls) :], *urls[: at % len(urls)]], token, operation_id, silence_s=_SILENCE_S
        )
        for at in range(count)
    ]
