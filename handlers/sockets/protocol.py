"""Tornado's WebSocket protocol, changed where a client's message would drop the connection without a code.

Runs on the loop.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Callable
from typing import Any

from tornado.httputil import HTTPHeaders
from tornado.websocket import WebSocketHandler, WebSocketProtocol13, _WebSocketParams

from handlers.sockets.encoding import Deflate

_TEXT, _BINARY = 0x1, 0x2


class SocketProtocol(WebSocketProtocol13):
    """Text is passed on as bytes, so that the handler finds what is not UTF-8; `on_corrupt` is called for a message
    that cannot be decompressed. Tornado also loses those parameters of an extension that have no value."""

    is_text = True  # the message that is being handled
    _has_decompressor = False

    def __init__(
        self,
        handler: WebSocketHandler,
        params: _WebSocketParams,
        deflate: Deflate | None,
        on_corrupt: Callable[[], None],
    ) -> None:
        super().__init__(handler, False, params)
        self._deflate = deflate
        self._on_corrupt = on_corrupt

    def _parse_extensions_header(self, headers: HTTPHeaders) -> list[tuple[str, Any]]:
        return [] if self._deflate is None else [("permessage-deflate", self._deflate.parameters)]

    def _create_compressors(self, side: str, agreed_parameters: dict[str, Any], *options: Any) -> None:
        super()._create_compressors(side, {**agreed_parameters, "client_no_context_takeover": None}, *options)

    def _handle_message(self, opcode: int, data: bytes) -> asyncio.Future[None] | None:
        self.is_text = opcode != _BINARY
        if self._frame_compressed and self._deflate is not None and not self._has_decompressor:
            # Most clients send nothing compressed: so the context for those that do is made here.
            super()._create_compressors("server", self._deflate.parameters, {})
            self._has_decompressor = True
        try:
            return super()._handle_message(_BINARY if opcode == _TEXT else opcode, data)
        except zlib.error:
            self._on_corrupt()
            return None
