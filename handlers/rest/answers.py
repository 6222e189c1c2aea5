"""`POST /api/v2/answers`: an answer with citations, written by a language model, as Server-Sent Events.

server -> client   event: passages   what it is made from
server -> client   event: sentence   its text, and the passages that it cites: at least one
server -> client   : still here      every few seconds of silence
server -> client   event: end        the outcome; or event: error, a problem
One task asks the model, another writes; between is a bounded queue. Runs on the loop.
"""

from __future__ import annotations

import asyncio
import json
import logging
from contextlib import aclosing
from http import HTTPStatus
from typing import Any, ClassVar

import voluptuous as vol
from tornado.iostream import StreamClosedError

from handlers.base import RestHandler
from handlers.client_address import request_id
from handlers.fields import list_of, optional, text
from handlers.hit_serializers import hit_json
from handlers.problems import describe, problem, status_of
from handlers.rest.search import FILTERS
from semantik.core.errors import SemantikError, Unavailable
from semantik.core.models import Filters
from semantik.search.hits import Hit
from semantik.services.answers import AnswerEvent, Passages, Question, Sentence

log = logging.getLogger("semantik.http")

_HEARTBEAT_S = 15.0
_QUEUED = 100
_ASK = vol.Schema(
    {
        vol.Required("question"): text(1, 10_000),
        vol.Optional("collection_ids"): optional(list_of(text(1, 100), 1000, "collections' ids")),
        vol.Optional("filters", default=dict): FILTERS,
    }
)


class AnswersHandler(RestHandler):
    scope = "read"
    rate_group = "search"
    audit: ClassVar = {"POST": "answer.ask"}
    _asking: asyncio.Task[None] | None = None
    _started = False

    async def post(self) -> None:
        body = self.body(_ASK)
        ids = body.get("collection_ids")
        question = Question(body["question"], None if ids is None else tuple(ids), Filters(**body["filters"]))
        self._events: asyncio.Queue[AnswerEvent] = asyncio.Queue(_QUEUED)
        self._hits: tuple[Hit, ...] = ()
        self._asking = asyncio.create_task(self._ask(question))
        self.application.settings["streams"].add(self)
        try:
            await self._write_all(self._asking)
        except StreamClosedError:
            return
        finally:
            self.application.settings["streams"].discard(self)
            self._asking.cancel()
            await asyncio.gather(self._asking, return_exceptions=True)

    def on_connection_close(self) -> None:
        super().on_connection_close()
        if self._asking is not None:
            self._asking.cancel()

    def shut_down(self) -> None:
        """End the answer since the server stops, before the connection is cut."""
        if self._started and self._asking is not None and not self._asking.done():
            self._asking.cancel()
            self.write(self._error(Unavailable("The server is stopping; ask again in a moment.")))
            self.flush()

    async def _ask(self, question: Question) -> None:
        limit_s = self.services.settings.answers.timeout_s
        try:
            async with (
                asyncio.timeout(limit_s),
                aclosing(self.services.answers.answer(self.principal, question)) as events,
            ):
                async for event in events:
                    await self._events.put(event)
        except TimeoutError as error:
            raise Unavailable(f"The answer took longer than {limit_s:g} s (answers.timeout_s).") from error

    async def _write_all(self, asking: asyncio.Task[None]) -> None:
        """Write every event. An error before the first one is an answer of its own, a later one the last event."""
        while (event := await self._next(asking)) is not None:
            if not self._started:
                self._start()
            self.write(self._event(event))
            await self.flush()
        if asking.cancelled():
            return  # the client has gone, or the server stops
        error = asking.exception()
        if error is None:
            return
        if not self._started:
            raise error
        if not isinstance(error, SemantikError):
            log.error(
                "POST %s failed (request %s)", self.request.path, request_id(self.request), exc_info=error
            )
        self.write(self._error(error))

    async def _next(self, asking: asyncio.Task[None]) -> AnswerEvent | None:
        """The next event; None when there is none any more."""
        getting = asyncio.ensure_future(self._events.get())
        try:
            while True:
                await asyncio.wait(
                    (getting, asking), timeout=_HEARTBEAT_S, return_when=asyncio.FIRST_COMPLETED
                )
                if getting.done():
                    return getting.result()
                if asking.done():
                    return None
                if self._started:
                    self.write(b": still here\n\n")
                    await self.flush()
        finally:
            getting.cancel()

    def _start(self) -> None:
        self._started = True
        self.set_header("Content-Type", "text/event-stream")
        self.set_header("X-Accel-Buffering", "no")  # nginx passes it on at once

    def _event(self, event: AnswerEvent) -> bytes:
        if isinstance(event, Passages):
            self._hits = event.hits
            collections = sorted({hit.collection.id for hit in event.hits})
            self.note_audit({"passages": len(event.hits), "collections": " ".join(collections[:10])})
            return _sse("passages", {"passages": [self._passage(n) for n in range(1, len(event.hits) + 1)]})
        if isinstance(event, Sentence):
            citations = [{"number": number, "chunk_id": self._chunk_id(number)} for number in event.numbers]
            return _sse("sentence", {"text": event.text, "citations": citations})
        message = None if event.outcome == "answered" else "This is not in your documents."
        fields = {"outcome": event.outcome, "message": message, "omitted": event.omitted, "cut": event.cut}
        return _sse("end", fields)

    def _passage(self, number: int) -> dict[str, Any]:
        return {
            "number": number,
            "chunk_id": self._chunk_id(number),
            **hit_json(self._hits[number - 1]),
        }

    def _chunk_id(self, number: int) -> str:
        hit = self._hits[number - 1]
        return f"{hit.collection.id}:{hit.chunk.seq}"

    def _error(self, error: BaseException) -> bytes:
        status = status_of(error, HTTPStatus.INTERNAL_SERVER_ERROR)
        return _sse("error", problem(status, describe(status, error), request_id(self.request), error))


def _sse(name: str, data: dict[str, Any]) -> bytes:
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n".encode()
