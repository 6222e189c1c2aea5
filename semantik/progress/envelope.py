"""The envelope of the wire protocol (docs/websocket-api.md), as JSON and as MessagePack.

Must not know Redis or sockets. Runs on the loop, and in threads.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime

import msgpack

# Fields of `data` with these names stay in `data`: at the top level they would hide the envelope's own.
ENVELOPE_FIELDS = frozenset({"type", "timestamp", "id", "seq", "operation_id", "scan_id", "data"})


def envelope(type: str, data: Mapping[str, object], **subject: str) -> bytes:
    """A message that is not in a stream (`current_state`, `pong` …), with no id and no seq; UTF-8 JSON.

    `subject` says what it is about: operation_id or scan_id.
    """
    names = "".join(f",{dump_json(name)}:{dump_json(value)}" for name, value in subject.items())
    return join_json(f'{{"type":{dump_json(type)},"timestamp":"{timestamp()}"{names}', *encode_data(data))


def envelope_msgpack(type: str, data: Mapping[str, object], **subject: str) -> bytes:
    """The same as MessagePack, without the second copy of the fields."""
    return pack({"type": type, "timestamp": timestamp(), **subject, "data": data})


def encode_data(data: Mapping[str, object]) -> tuple[bytes, bytes]:
    """`data` as JSON, and again without the fields that would hide those of the envelope.

    Raises TypeError or ValueError for what JSON cannot hold, NaN and infinities among it.
    """
    body = dump_json(data).encode("utf-8", "replace")
    if ENVELOPE_FIELDS.isdisjoint(data):
        return body, body
    flat = {name: value for name, value in data.items() if name not in ENVELOPE_FIELDS}
    return body, dump_json(flat).encode("utf-8", "replace")


def join_json(head: str, body: bytes, flat: bytes) -> bytes:
    """The envelope from `head`, a JSON object without its closing brace, and what `encode_data` gave."""
    tail = b"}" if flat == b"{}" else b"," + flat[1:]
    return b"".join((head.encode("utf-8", "replace"), b',"data":', body, tail))


def pack(value: Mapping[str, object]) -> bytes:
    data: bytes = msgpack.packb(value, unicode_errors="replace")
    return data


def dump_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def timestamp() -> str:
    """The time as RFC 3339, UTC, milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
