"""A message as the bytes that go over a WebSocket: made once per form, however many sockets take it.

A server's frame is not masked, so two sockets of the same form get the very same bytes. Knows no socket.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from typing import NamedTuple

from semantik.progress import Message, envelope, packed

_TEXT, _BINARY = 0x1, 0x2
_FINAL, _COMPRESSED = 0x80, 0x40
_SHORT, _MEDIUM = 125, 0xFFFF
_WORTH_COMPRESSING = 150  # bytes
_LEVEL = 6
_FLUSH_TAIL = b"\x00\x00\xff\xff"  # left out, as RFC 7692 has it
_LEAST_WINDOW = 9  # zlib makes no raw stream with a smaller one
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

    def stored(self, frame: Message) -> bytes:
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


class Deflate(NamedTuple):
    """The compression that was agreed on: our window in bits, and the parameters as the answer has them.

    We take no context over from message to message: so that all sockets can get the same bytes, and an idle socket
    holds no compressor. A client may, unless it offered not to: Tornado's would even if it was told.
    """

    window: int
    parameters: dict[str, str | None]


def negotiate(offers: str) -> Deflate | None:
    """What we take of a `Sec-WebSocket-Extensions` header: the first offer that RFC 7692 allows; None: nothing."""
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
