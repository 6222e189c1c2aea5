"""What a watcher gets: the frames of an operation's stream, and the envelope of the wire protocol.

A frame is serialised once per form, however many sockets take it. Must not know Redis or sockets. Runs on the loop.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, NamedTuple

import msgpack

from semantik.core.errors import Invalid

# Fields of `data` with these names stay in `data`: at the top level they would hide the envelope's own.
ENVELOPE = frozenset({"type", "timestamp", "id", "seq", "operation_id", "scan_id", "data"})

_ID = re.compile(r"([0-9]{1,20})-([0-9]{1,20})")
_ID_LIMIT = 1 << 64


def position_of(cursor: str) -> tuple[int, int]:
    """A stream id such as 1768471200123-0 as something that sorts; Invalid when it is none."""
    match = _ID.fullmatch(cursor)
    if match is not None:
        order = int(match[1]), int(match[2])
        if max(order) < _ID_LIMIT:
            return order
    raise Invalid(
        f"since must be the id of a message, such as 1768471200123-0, or $ for new messages only; "
        f"{cursor[:60]!r} is neither."
    )


class StreamPosition(NamedTuple):
    """A place in a stream: the last message before it, by the order of its id and by its seq (None: not known)."""

    order: tuple[int, int]
    seq: int | None

    @property
    def id(self) -> str:
        return f"{self.order[0]}-{self.order[1]}"


START = StreamPosition((0, 0), None)


@dataclass(frozen=True)
class Message:
    """One message of an operation's stream. `body` and `flat` are JSON objects: `data`, and its visible copy."""

    id: str
    seq: int
    type: str
    operation_id: str
    timestamp: str
    body: bytes
    flat: bytes

    @cached_property
    def json(self) -> bytes:
        """The whole envelope, UTF-8."""
        head = (
            f'{{"type":{_dump(self.type)},"timestamp":"{self.timestamp}","id":"{self.id}","seq":{self.seq},'
            f'"operation_id":{_dump(self.operation_id)}'
        )
        return _sealed(head, self.body, self.flat)

    @cached_property
    def msgpack(self) -> bytes:
        """The whole envelope without the second copy of its fields, as MessagePack."""
        head = {"type": self.type, "timestamp": self.timestamp, "id": self.id, "seq": self.seq}
        return _packed(head | {"operation_id": self.operation_id, "data": self.data})

    @cached_property
    def data(self) -> Mapping[str, Any]:
        fields: dict[str, Any] = json.loads(self.body)
        return fields

    @cached_property
    def mark(self) -> StreamPosition:
        return StreamPosition(position_of(self.id), self.seq)


@dataclass(frozen=True, eq=False)
class MessageBatch:
    """Frames of one stream, at least one, that go to their watchers together."""

    messages: tuple[Message, ...]
    _forms: dict[Hashable, bytes] = field(default_factory=dict)

    @cached_property
    def last(self) -> StreamPosition:
        return self.messages[-1].mark

    @cached_property
    def follows(self) -> int | None:
        """The seq that all of these follow without a hole; None when there is one between them."""
        first = self.messages[0].seq
        whole = all(frame.seq == seq for seq, frame in enumerate(self.messages, first))
        return first - 1 if whole else None

    def form(self, key: Hashable, make: Callable[[Message], bytes]) -> bytes:
        """Every frame as `make` has it, joined; made by the first who asks for this `key`."""
        made = self._forms.get(key)
        if made is None:
            made = self._forms[key] = b"".join(map(make, self.messages))
        return made


def envelope(type: str, data: Mapping[str, object], **subject: str) -> bytes:
    """A message that is not in a stream (`current_state`, `pong` …), with no id and no seq; UTF-8 JSON.

    `subject` says what it is about: operation_id or scan_id.
    """
    names = "".join(f",{_dump(name)}:{_dump(value)}" for name, value in subject.items())
    return _sealed(f'{{"type":{_dump(type)},"timestamp":"{now()}"{names}', *encoded(data))


def packed(type: str, data: Mapping[str, object], **subject: str) -> bytes:
    """The same as MessagePack, without the second copy of the fields."""
    return _packed({"type": type, "timestamp": now(), **subject, "data": data})


def encoded(data: Mapping[str, object]) -> tuple[bytes, bytes]:
    """`data` as JSON, and again without the fields that the envelope would be hidden by.

    Raises TypeError or ValueError for what JSON cannot hold, NaN and infinities among it.
    """
    body = _dump(data).encode("utf-8", "replace")
    if ENVELOPE.isdisjoint(data):
        return body, body
    flat = {name: value for name, value in data.items() if name not in ENVELOPE}
    return body, _dump(flat).encode("utf-8", "replace")


def now() -> str:
    """The time as RFC 3339, UTC, milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _sealed(head: str, body: bytes, flat: bytes) -> bytes:
    tail = b"}" if flat == b"{}" else b"," + flat[1:]
    return b"".join((head.encode("utf-8", "replace"), b',"data":', body, tail))


def _packed(value: Mapping[str, object]) -> bytes:
    data: bytes = msgpack.packb(value, unicode_errors="replace")
    return data


def _dump(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
