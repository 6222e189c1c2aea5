"""The messages of an operation's stream, and their positions in it.

A message is serialised once per encoding, however many sockets it goes to. Must not know Redis or sockets. Runs on the
loop.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

from semantik.core.errors import Invalid
from semantik.progress.envelope import dump_json, join_json, pack

_STREAM_ID = re.compile(r"([0-9]{1,20})-([0-9]{1,20})")
_ID_LIMIT = 1 << 64


def parse_stream_id(cursor: str) -> tuple[int, int]:
    """A stream id such as 1768471200123-0 as a tuple that sorts: milliseconds, number. Invalid for anything else."""
    match = _STREAM_ID.fullmatch(cursor)
    if match is not None:
        order = int(match[1]), int(match[2])
        if max(order) < _ID_LIMIT:
            return order
    raise Invalid(
        f"since must be the id of a message, such as 1768471200123-0, or $ for new messages only; "
        f"{cursor[:60]!r} is neither."
    )


class StreamPosition(NamedTuple):
    """The position after a message: its stream id as `parse_stream_id` gives it, and its seq (None: not known)."""

    order: tuple[int, int]
    seq: int | None

    @property
    def id(self) -> str:
        return f"{self.order[0]}-{self.order[1]}"


START = StreamPosition((0, 0), None)


@dataclass(frozen=True)
class Message:
    """One message of an operation's stream. `body` and `flat` are JSON objects: `data`, and its top-level copy."""

    id: str
    seq: int
    type: str
    operation_id: str
    timestamp: str
    body: bytes
    flat: bytes

    @cached_property
    def json(self) -> bytes:
        """The complete envelope, UTF-8."""
        head = (
            f'{{"type":{dump_json(self.type)},"timestamp":"{self.timestamp}","id":"{self.id}","seq":{self.seq},'
            f'"operation_id":{dump_json(self.operation_id)}'
        )
        return join_json(head, self.body, self.flat)

    @cached_property
    def msgpack(self) -> bytes:
        """The complete envelope without the second copy of its fields, as MessagePack."""
        head = {"type": self.type, "timestamp": self.timestamp, "id": self.id, "seq": self.seq}
        return pack(head | {"operation_id": self.operation_id, "data": self.data})

    @cached_property
    def data(self) -> Mapping[str, Any]:
        fields: dict[str, Any] = json.loads(self.body)
        return fields

    @cached_property
    def position(self) -> StreamPosition:
        return StreamPosition(parse_stream_id(self.id), self.seq)


@dataclass(frozen=True, eq=False)
class MessageBatch:
    """Messages of one stream, at least one, that are delivered together."""

    messages: tuple[Message, ...]
    _encoded: dict[Hashable, bytes] = field(default_factory=dict)

    @cached_property
    def last(self) -> StreamPosition:
        return self.messages[-1].position

    @cached_property
    def preceding_seq(self) -> int | None:
        """The seq that all of these follow without a gap; None when there is a gap between them."""
        first = self.messages[0].seq
        contiguous = all(message.seq == seq for seq, message in enumerate(self.messages, first))
        return first - 1 if contiguous else None

    def encoded(self, key: Hashable, encode: Callable[[Message], bytes]) -> bytes:
        """The messages as `encode` makes them, joined; made once for each `key`."""
        encoded = self._encoded.get(key)
        if encoded is None:
            encoded = self._encoded[key] = b"".join(map(encode, self.messages))
        return encoded
