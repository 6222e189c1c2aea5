"""`POST /mcp`: the Model Context Protocol over streamable HTTP, for assistants. Runs on the loop.

client -> server   a JSON-RPC message, and who sends it, as for REST
server -> client   its answer in JSON; 202 to a notification
There are no sessions and no streams of the server's own, so GET and DELETE get 405, which clients expect.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Any, ClassVar

from tornado.httputil import HTTPHeaders
from tornado.web import HTTPError

from handlers.audit_trail import READ, AuditNote, record_request
from handlers.base import RestHandler
from handlers.mcp.caller import Arguments, Caller
from handlers.mcp_endpoint import HttpAnswer
from handlers.problems import status_of
from semantik.core.errors import NotFound, SemantikError

_REFUSED = -32000  # an error of this server, as JSON-RPC reserves them
_PASSED_ON = {b"content-type", b"allow", b"mcp-session-id"}


class McpHandler(RestHandler):
    scope = "read"
    rate_group = "read"
    audit: ClassVar = {"POST": READ}
    _work: asyncio.Task[HttpAnswer] | None = None

    async def post(self) -> None:
        if not self.services.settings.mcp.enabled:
            raise NotFound("The MCP server is switched off here (mcp.enabled).")
        if self._received.lstrip()[:1] == b"[":
            raise HTTPError(
                400, "Batches of messages are not taken: send each message in a request of its own."
            )
        caller = Caller(self.services, self.principal, self._note_refusal)
        headers = _sent_headers(self.request.headers)
        limit = self.services.settings.mcp.requests
        work = self.services.mcp.answer(headers, self._received, caller, limit)
        self._work = asyncio.ensure_future(work)
        try:
            answer = await self._work
        except asyncio.CancelledError:
            return  # the client has gone
        self.set_status(answer.status)
        for name, value in answer.headers:
            if name.lower() in _PASSED_ON:
                self.set_header(name.decode(), value.decode())
        if answer.body:
            self.write(answer.body)

    def error_body(self, found: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        """An error of JSON-RPC with the problem in it: clients show no other."""
        error = {"code": _REFUSED, "message": found["detail"], "data": found}
        return "application/json", {"jsonrpc": "2.0", "id": None, "error": error}

    def on_connection_close(self) -> None:
        super().on_connection_close()
        if self._work is not None:
            self._work.cancel()

    def _note_refusal(self, error: SemantikError, what: str, arguments: Arguments) -> None:
        """Record what REST would have refused as a request of its own."""
        status = status_of(error, HTTPStatus.INTERNAL_SERVER_ERROR)
        note = AuditNote(target=_target(arguments), details={"mcp": what})
        record_request(self.services.audit, self.request, READ, self.principal, status, note)


def _sent_headers(sent: HTTPHeaders) -> list[tuple[bytes, bytes]]:
    """The headers as ASGI has them. As for REST, a body is JSON whatever its type is said to be, and a client that does
    not say what it accepts accepts anything."""
    headers = [
        (name.lower().encode(), value.encode("latin-1", "replace"))
        for name, value in sent.get_all()
        if name.lower() != "content-type"
    ]
    headers.append((b"content-type", b"application/json"))
    return headers if "Accept" in sent else [*headers, (b"accept", b"*/*")]


def _target(arguments: Arguments) -> str:
    """What a tool was to read, as the path that REST has for it."""
    collection, document, uri = (arguments.get(name) for name in ("collection_id", "document_id", "uri"))
    if isinstance(uri, str):
        return uri.removeprefix("semantik://")
    if not isinstance(collection, str):
        return "mcp"
    return f"collections/{collection}" + (f"/documents/{document}" if isinstance(document, str) else "")
