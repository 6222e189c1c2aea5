"""Checks a JSON object or a query against a voluptuous schema; the error names field, value, and what is allowed."""

from __future__ import annotations

import json
from typing import Any

import voluptuous as vol

from handlers.fields import Expected
from semantik.core.errors import Invalid

_SECRETS = (
    "password",
    "current_password",
    "new_password",
    "refresh_token",
    "code",
)  # fields whose values no message repeats
_MAX_ERRORS = 5
_MAX_SHOWN = 60  # characters of a value, or of a name that the client sent
_TYPES = {
    "expected str": "a text is expected",
    "expected a list": "a list is expected",
    "expected a dictionary": "an object is expected",
}


def validate(schema: vol.Schema, value: dict[str, Any]) -> dict[str, Any]:
    """The object as the schema returns it; raises Invalid that names each field, its value, and what is allowed."""
    try:
        result: dict[str, Any] = schema(value)
    except vol.MultipleInvalid as error:
        sentences = [_describe(each, schema, value) for each in error.errors[:_MAX_ERRORS]]
        raise Invalid("; ".join(sentences) + ".") from error
    return result


def _describe(error: vol.Invalid, schema: vol.Schema, value: Any) -> str:
    path = [getattr(part, "schema", part) for part in error.path]
    name = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)[1 : 1 + _MAX_SHOWN]
    if isinstance(error, vol.RequiredFieldInvalid):
        return f"{name} is missing"
    if error.msg == "extra keys not allowed":
        known = schema.schema
        for part in path[:-1]:
            known = getattr(known[part], "schema", known[part])
        names = ", ".join(sorted(map(str, known)))
        return f"{name} is not known here; " + (f"known are {names}" if names else "nothing is expected")
    for part in path:
        value = value[part]
    found = name if name in _SECRETS else name + _shown(value)
    allowed = f"{error.msg} is expected" if isinstance(error, Expected) else _TYPES.get(error.msg, error.msg)
    return f"{found} is not allowed: {allowed}"


def _shown(value: Any) -> str:
    if isinstance(value, (list, dict)):
        return " (a list)" if isinstance(value, list) else " (an object)"
    text = json.dumps(value, ensure_ascii=False)
    return f" = {text}" if len(text) <= _MAX_SHOWN else f" = {text[:_MAX_SHOWN]}…"
