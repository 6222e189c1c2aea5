"""`GET /api/v2/collections/{id}/export`: a collection's chunks with their vectors as JSON lines, streamed."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import voluptuous as vol
from tornado.iostream import StreamClosedError

from handlers.base import RestHandler
from handlers.fields import one_of
from handlers.sockets.send_queue import STALL_S
from semantik.core.errors import SemantikError
from semantik.services.export import VECTOR_FORMS

_QUERY = vol.Schema({vol.Optional("vectors", default="numbers"): one_of(*VECTOR_FORMS)})


class ExportHandler(RestHandler):
    """An export that cannot be completed breaks the connection off: only a whole one ends as HTTP says."""

    async def get(self, collection_id: str) -> None:
        form = self.query(_QUERY)["vectors"]
        lines = await self.services.exports.start(self.principal, collection_id, form)
        self.set_header("Content-Type", "application/jsonl; charset=utf-8")
        self.set_header("Content-Disposition", 'attachment; filename="chunks.jsonl"')
        self.set_header("X-Accel-Buffering", "no")  # a proxy must not keep it
        started = False
        try:
            async with aclosing(lines):
                async for page in lines:
                    started = True
                    self.write(page)
                    async with asyncio.timeout(STALL_S):  # a client that does not read
                        await self.flush()
        except StreamClosedError:  # the client has left
            return
        except (SemantikError, TimeoutError):
            if not started:
                raise
            self.detach().close()
