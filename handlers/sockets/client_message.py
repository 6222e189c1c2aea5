"""Parses a client's message: JSON, or MessagePack where the subprotocol says so. Runs on the loop."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import msgpack
import voluptuous as vol

from handlers.validation import validate
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
        """The label of the metrics; read it of valid messages only, so that no client can add labels."""
        return str(self.fields.get("action") or self.fields["type"])

    def validate(self, schema: vol.Schema) -> dict[str, Any]:
        """The fields, validated; raises Invalid that names the field."""
        return validate(schema, self.fields)


def parse(message: bytes, is_text: bool) -> ClientMessage:
    """Parse a message; raises Invalid that says what is wrong with it."""
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
