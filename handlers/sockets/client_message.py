"""What a client says over a WebSocket: JSON, or MessagePack where that was agreed, made into one object."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import msgpack
import voluptuous as vol

from handlers.base import checked
from semantik.core.errors import Invalid


@dataclass(frozen=True)
class ClientMessage:
    """A client's message: an object with either a `type` or an `action`."""

    fields: dict[str, Any]

    @property
    def is_ping(self) -> bool:
        return self.fields == {"type": "ping"}

    @property
    def kind(self) -> str:
        """As the metrics call it; only of messages that were understood, so that nobody can invent kinds."""
        return str(self.fields.get("action") or self.fields["type"])

    def checked(self, schema: vol.Schema) -> dict[str, Any]:
        """The fields, checked; raises Invalid that names the field."""
        return checked(schema, self.fields)


def parse(message: bytes, is_text: bool) -> ClientMessage:
    """Read a message; raises Invalid that says what it is not."""
    if is_text and message.strip() == b"ping":
        return ClientMessage({"type": "ping"})
    value = _from_json(message) if is_text else _from_msgpack(message)
    if not isinstance(value, dict):
        raise Invalid("The message must be an object, or the word ping.")
    return ClientMessage(value)


def _from_json(message: bytes) -> Any:
    try:
        return json.loads(message)
    except (ValueError, RecursionError) as error:
        raise Invalid(f"The message is not valid JSON: {error}.") from error


def _from_msgpack(message: bytes) -> Any:
    try:
        return msgpack.unpackb(message)
    except (ValueError, RecursionError, msgpack.UnpackException) as error:
        raise Invalid(f"The message is not valid MessagePack: {error or type(error).__name__}.") from error
