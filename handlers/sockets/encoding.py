"""A message as the bytes of a WebSocket frame: made once per encoding, however many sockets it goes to.

A server's frame is not masked, so two sockets with the same encoding get the very same bytes. Knows no socket.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from typing import NamedTuple

from semantik.progress import Message, envelope, envelope_msgpack

_TEXT, _BINARY = 0x1, 0x2
_FINAL, _COMPRESSED = 0x80, 0x40
_SHORT, _MEDIUM = 125, 0xFFFF
_MIN_COMPRESSED = 150  # bytes
_LEVEL = 6
_FLUSH_TAIL = b"\x00\x00\xff\xff"  # left out, as RFC 7692 has it
_MIN_WINDOW = 9  # zlib makes no raw stream with a smaller one
_BITS = {str(bits) for bits in range(8, 16)}
_PARAMETERS = {
    "server_no_context_takeover": {""},
    "client_no_context_takeover": {""},
    "server_max_window_bits": _BITS,
    "client_max_window_bits": {"", *_BITS},
}


class Encoding(NamedTuple):
    """MessagePack or JSON, and the window of the compression in bits (None: not compressed)."""

    binary: bool
    window: int | None

    def encode_message(self, message: Message) -> bytes:
        """A message of a stream."""
        return self._frame(message.msgpack if self.binary else message.json)

    def encode(self, type: str, data: Mapping[str, object], **subject: str) -> bytes:
        """A message that is in no stream."""
        return self._frame((envelope_msgpack if self.binary else envelope)(type, data, **subject))

    def _frame(self, payload: bytes) -> bytes:
        """A frame of RFC 6455."""
        flags = _FINAL | (_BINARY if self.binary else _TEXT)
        if self.window is not None and self.window >= _MIN_WINDOW and len(payload) >= _MIN_COMPRESSED:
            flags |= _COMPRESSED
            deflate = zlib.compressobj(_LEVEL, zlib.DEFLATED, -self.window)
            payload = (deflate.compress(payload) + deflate.flush(zlib.Z_SYNC_FLUSH)).removesuffix(_FLUSH_TAIL)
        size = len(payload)
        if size <= _SHORT:
            return struct.pack("!BB", flags, size) + payload
        if size <= _MEDIUM:
            return struct.pack("!BBH", flags, 126, size) + payload
        return struct.pack("!BBQ", flags, 127, size) + payload


class Deflate(NamedTuple):
    """The negotiated compression: the server's window in bits, and the parameters as the answer has them.

    The server takes no context over from message to message: so all sockets can get the same bytes, and an idle socket
    holds no compressor. A client may take it over, unless it offered not to: Tornado's client would even if it was
    told not to.
    """

    window: int
    parameters: dict[str, str | None]


def negotiate(offers: str) -> Deflate | None:
    """The first offer of a `Sec-WebSocket-Extensions` header that RFC 7692 allows; None: no compression."""
    for offer in offers.split(","):
        name, *parameters = (part.strip() for part in offer.split(";"))
        asked = dict(part.replace('"', "").replace(" ", "").partition("=")[::2] for part in parameters)
        known = all(value in _PARAMETERS.get(key, ()) for key, value in asked.items())
        if name == "permessage-deflate" and known and len(asked) == len(parameters):
            answer: dict[str, str | None] = {"server_no_context_takeover": None}
            if "client_no_context_takeover" in asked:
                answer["client_no_context_takeover"] = None
            window = asked.get("server_max_window_bits", "")
            if window:
                answer["server_max_window_bits"] = window
            return Deflate(int(window or 15), answer)
    return None
