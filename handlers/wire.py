"""A message as the bytes that go over a WebSocket: made once per form, however many sockets take it.

A server's frame is not masked, so two sockets of the same form get the very same bytes. Knows no socket.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from typing import NamedTuple

from semantik.progress import Frame, envelope, packed

_TEXT, _BINARY = 0x1, 0x2
_FINAL, _COMPRESSED = 0x80, 0x40
_SHORT, _MEDIUM = 125, 0xFFFF
_WORTH_COMPRESSING = 150  # bytes
_LEVEL = 6
_FLUSH_TAIL = b"\x00\x00\xff\xff"  # left out, as RFC 7692 has it
_LEAST_WINDOW = 9  # zlib makes no raw stream with a smaller one
_NO_CONTEXT = ("server_no_context_takeover", "client_no_context_takeover")
_PARAMETERS = {*_NO_CONTEXT, "server_max_window_bits", "client_max_window_bits"}


class Form(NamedTuple):
    """MessagePack or JSON, and the window of the compression in bits (None: not compressed)."""

    binary: bool
    window: int | None

    def stored(self, frame: Frame) -> bytes:
        """A message of a stream."""
        return self._sealed(frame.msgpack if self.binary else frame.json)

    def note(self, type: str, data: Mapping[str, object], **subject: str) -> bytes:
        """A message that is in no stream."""
        return self._sealed((packed if self.binary else envelope)(type, data, **subject))

    def _sealed(self, payload: bytes) -> bytes:
        flags = _FINAL | (_BINARY if self.binary else _TEXT)
        if self.window is not None and self.window >= _LEAST_WINDOW and len(payload) >= _WORTH_COMPRESSING:
            flags |= _COMPRESSED
            deflate = zlib.compressobj(_LEVEL, zlib.DEFLATED, -self.window)
            payload = (deflate.compress(payload) + deflate.flush(zlib.Z_SYNC_FLUSH)).removesuffix(_FLUSH_TAIL)
        size = len(payload)
        if size <= _SHORT:
            return struct.pack("!BB", flags, size) + payload
        if size <= _MEDIUM:
            return struct.pack("!BBH", flags, 126, size) + payload
        return struct.pack("!BBQ", flags, 127, size) + payload


def agreed(offers: str) -> tuple[dict[str, str | None], int | None]:
    """Of a `Sec-WebSocket-Extensions` header, what we take of permessage-deflate's parameters, and our window in bits.

    No context is taken over from message to message, in either direction: so that all sockets can get the same
    bytes, and an idle socket holds no compressor. ({}, None) when nothing offered will do.
    """
    for offer in offers.split(","):
        name, *parameters = (part.strip() for part in offer.split(";"))
        asked = dict(
            parameter.replace('"', "").replace(" ", "").partition("=")[::2] for parameter in parameters
        )
        window = asked.get("server_max_window_bits", "15")
        if (
            name == "permessage-deflate"
            and _PARAMETERS.issuperset(asked)
            and window in map(str, range(8, 16))
        ):
            taken: dict[str, str | None] = dict.fromkeys(_NO_CONTEXT)
            if "server_max_window_bits" in asked:
                taken["server_max_window_bits"] = window
            return taken, int(window)
    return {}, None
