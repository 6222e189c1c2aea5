"""A receiver of webhooks on loopback, in the test's own loop: it checks signatures, and answers as it is told."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from support.patience import patience
from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port
from tornado.web import Application, RequestHandler

Answer = Callable[[RequestHandler], Any]


@dataclass(frozen=True)
class Received:
    id: str
    timestamp: str
    signature: str
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        value: dict[str, Any] = json.loads(self.body)
        return value

    @property
    def data(self) -> dict[str, Any]:
        value: dict[str, Any] = self.json["data"]
        return value

    def is_signed_with(self, secret: str) -> bool:
        """As the specification says: HMAC-SHA256 of id.timestamp.body by the decoded secret."""
        key = base64.b64decode(secret.removeprefix("whsec_"))
        text = f"{self.id}.{self.timestamp}.".encode() + self.body
        expected = "v1," + base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode()
        return expected in self.signature.split(" ")


@dataclass
class Receiver:
    """`answers` are given one after the other, the last one for ever: a status, or what is done with the request."""

    url: str
    answers: list[int | Answer] = field(default_factory=lambda: [204])
    received: list[Received] = field(default_factory=list)
    arrived: asyncio.Queue[Received] = field(default_factory=asyncio.Queue)

    async def next(self) -> Received:
        return await asyncio.wait_for(self.arrived.get(), patience())

    @property
    def ids(self) -> list[str]:
        return [each.id for each in self.received]


class _Handler(RequestHandler):
    def initialize(self, receiver: list[Receiver]) -> None:
        self._receiver = receiver[0]

    async def post(self) -> None:
        headers = self.request.headers
        names = ("webhook-id", "webhook-timestamp", "webhook-signature")
        received = Received(*(headers[name] for name in names), self.request.body)
        receiver = self._receiver
        answers = receiver.answers
        answer = answers[min(len(receiver.received), len(answers) - 1)]
        receiver.received.append(received)
        receiver.arrived.put_nowait(received)
        if isinstance(answer, int):
            self.set_status(answer)
            return
        result = answer(self)
        if result is not None:
            await result


@asynccontextmanager
async def receiving(*answers: int | Answer) -> AsyncIterator[Receiver]:
    holder: list[Receiver] = []
    socket, port = bind_unused_port()
    server = HTTPServer(Application([("/.*", _Handler, {"receiver": holder})], log_function=lambda _: None))
    server.add_socket(socket)
    holder.append(Receiver(f"http://127.0.0.1:{port}/hook"))
    if answers:
        holder[0].answers = list(answers)
    try:
        yield holder[0]
    finally:
        server.stop()
        await server.close_all_connections()
