"""`/ws/operations/{operation_id}`: one operation, live. Runs on the loop.

client -> server   (connect)                    ?token=… | Authorization | cookie;  ?since=<id> or ?since=$
server -> client   current_state                the snapshot, with the cursor it stands for as last_id
server -> client   history_truncated            in place of what is no longer kept; a current_state follows
server -> client   (every frame of the stream)  operation_queued … status_update, each with id and seq
client -> server   ping | {"type": "ping"}
server -> client   pong
client -> server   (anything else)
server -> client   error                        names what was wrong; the socket stays open
server -> client   (close)                      1000 ended · 1001 shutting down · 1007 not text · 1008 refused
                                                1011 a fault of ours · 1013 too slow, or a store is away
"""

from __future__ import annotations

import asyncio
import json
import logging
from contextlib import suppress
from types import TracebackType
from typing import Any

import voluptuous as vol
from tornado.web import Application, HTTPError
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from handlers.base import Services, authenticate, checked, origin_allowed
from handlers.shapes import state_json
from semantik import errors
from semantik.auth import Principal
from semantik.progress import Frame, SlowReader, Truncated, Watch, cursor_order, envelope
from semantik.records import TERMINAL

log = logging.getLogger("semantik.socket")

NORMAL, GOING_AWAY, NOT_TEXT, REFUSED, FAULT, LATER = 1000, 1001, 1007, 1008, 1011, 1013

CLOSE_CODES: dict[type[Exception], int] = {
    errors.Unavailable: LATER,
    errors.Busy: LATER,
    SlowReader: LATER,
    errors.SemantikError: REFUSED,
}

_CLIENT = vol.Schema({vol.Required("type"): vol.In(("ping",), msg="a known message type: ping")})
_MAX_REASON = 120  # bytes that fit into a close frame


class OperationSocket(WebSocketHandler):
    """Accepts first and closes with a code then: a refused upgrade would show a browser only 1006."""

    _feeding: asyncio.Task[None] | None = None

    @property
    def services(self) -> Services:
        services: Services = self.application.settings["services"]
        return services

    def check_origin(self, origin: str) -> bool:
        return True  # `_admit` looks at it, so that the refusal has a code and a reason

    def get_compression_options(self) -> dict[str, Any]:
        return {}

    async def open(self, *args: str, **kwargs: str) -> None:
        self.application.settings["sockets"].add(self)
        self._feeding = asyncio.create_task(self._serve(args[0]))

    async def on_message(self, message: str | bytes) -> None:
        if isinstance(message, bytes):
            self.close(NOT_TEXT, "Send text, not binary data.")
            return
        with suppress(WebSocketClosedError):  # it left without waiting for the answer
            try:
                if message.strip() != "ping":
                    checked(_CLIENT, _object(message))
                await self._send("pong", {})
            except errors.Invalid as error:
                await self._send("error", {"message": str(error), "fatal": False})

    def log_exception(
        self,
        typ: type[BaseException] | None,
        value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        # Tornado's own would log the whole address, and with it the token.
        if not isinstance(value, HTTPError):
            log.error("%s failed", self.request.path, exc_info=value)

    def on_close(self) -> None:
        self.application.settings["sockets"].discard(self)
        if self._feeding is not None:
            self._feeding.cancel()

    async def _serve(self, operation_id: str) -> None:
        """Feed the socket to the operation's end, and close it with the code that says why."""
        code, reason = NORMAL, "The operation has ended."
        try:
            principal = await self._admit()
            await self._feed(principal, operation_id)
        except WebSocketClosedError:
            return
        except HTTPError as error:
            code, reason = REFUSED, str(error.reason or error.log_message or error)
        except (errors.SemantikError, SlowReader) as error:
            code = next(c for kind, c in CLOSE_CODES.items() if isinstance(error, kind))
            reason = str(error)
        except Exception:
            log.exception("The socket of operation %s failed", operation_id)
            code, reason = FAULT, "Something went wrong in the server."
        self.close(code, reason.encode()[:_MAX_REASON].decode(errors="ignore"))

    async def _admit(self) -> Principal:
        if not origin_allowed(self.request, self.services.settings):
            raise errors.Forbidden("This page's origin is not among the server's allowed_origins.")
        token = self.get_query_argument("token", "")
        if token:
            return await self.services.auth.authenticate(token)
        return await authenticate(self.request, self.services)

    async def _feed(self, principal: Principal, operation_id: str) -> None:
        operation = await self.services.access.operation(principal.user, operation_id)
        # As it stood before the watch: what ends later ends with frames, which the watch has.
        ended = operation.ended and operation.announced
        since = self.get_query_argument("since", None)
        async with self.services.progress.watch(operation_id, since) as watch:
            if watch.truncated:
                await self._send("history_truncated", {"since": since})
            await self._snapshot(principal, operation_id, watch)
            if ended and not _more(since, watch.last_id):
                await self._linger()
                return
            async for item in watch.frames():
                if isinstance(item, Truncated):
                    await self._send("history_truncated", {})
                    if await self._snapshot(principal, operation_id, watch):
                        break  # the end itself is among what was lost
                    continue
                await self.write_message(item.json)
                if _is_last(item) or (ended and item.id == watch.last_id):
                    break
            await self._linger()

    async def _snapshot(self, principal: Principal, operation_id: str, watch: Watch) -> bool:
        """Send `current_state`; True when the operation has ended and its last message is out."""
        view = await self.services.catalog.operation(principal.user, operation_id)
        await self._send("current_state", {**state_json(view), "last_id": watch.last_id})
        return view.operation.ended and view.operation.announced

    async def _linger(self) -> None:
        """Give the client time to close first."""
        await asyncio.sleep(self.services.settings.progress.linger_s)

    async def _send(self, kind: str, data: dict[str, Any]) -> None:
        await self.write_message(envelope(kind, self.path_args[0], data))


def close_sockets(app: Application, code: int, reason: str) -> None:
    """Close every open socket, each with the same code and reason."""
    for each in list(app.settings["sockets"]):
        each.close(code, reason)


def _object(message: str) -> dict[str, Any]:
    try:
        value = json.loads(message)
    except (ValueError, RecursionError) as error:
        raise errors.Invalid(f"The message is not valid JSON: {error}.") from error
    if not isinstance(value, dict):
        raise errors.Invalid("The message must be a JSON object, or the word ping.")
    return value


def _more(since: str | None, last_id: str) -> bool:
    """Whether the stream holds anything that the client has not seen."""
    return since != "$" and cursor_order(since or "0-0") < cursor_order(last_id)


def _is_last(frame: Frame) -> bool:
    return frame.type == "status_update" and frame.data["status"] in TERMINAL
