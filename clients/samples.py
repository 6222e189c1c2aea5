"""Arguments for every call, as docs/openapi.yaml allows them: tests send them with each client and compare."""

from __future__ import annotations

from typing import Any

from clients.description import Call, Description, Json

_TEXTS = {"day": "2026-01-31", "moment": "2026-01-31T08:15:00Z", "language": "de", "document-type": "pdf"}


def samples(description: Description, call: Call) -> dict[str, Any]:
    """A value for every argument of a call but bytes, by the names in HTTP."""
    return {
        a.wire: True if a.is_flag else _value(description, a.schema, f"{a.wire}/ä?")
        for a in call.arguments
        if a.wire != "content"
    }


def _value(description: Description, schema: Json, text: str) -> Any:
    schema = description.resolved(schema)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type", "object")
    kind = kind if isinstance(kind, str) else kind[0]
    if kind == "array":
        return [_value(description, schema["items"], text)]
    if kind == "object":
        properties, _ = description.properties(schema)
        return {name: _value(description, its, text) for name, its in properties.items()}
    simple = {"integer": schema.get("minimum", 7), "number": 0.5, "boolean": False, "null": None}
    return simple[kind] if kind in simple else _TEXTS.get(schema.get("format", ""), text)
