"""What the tools' JSON schemas say of their inputs is what the server takes; a property of each tool's description."""

from __future__ import annotations

import itertools
from typing import Any

import jsonschema_rs
import pytest
import voluptuous as vol

from handlers.mcp.inputs import INPUTS
from handlers.mcp.schemas import TOOLS, ToolSchema
from handlers.mcp.tools import TOOLS as FUNCTIONS
from handlers.validation import validate
from semantik.core.errors import Invalid

_NEEDED = {"query": "lamp", "collection_id": "c", "document_id": "d", "seq": 1}
_LOOSE = {
    "modified_after",
    "modified_before",
    "after",
    "before",
    "types",
    "languages",
}  # no schema knows their texts


def test_the_same_tools_everywhere() -> None:
    assert [tool.name for tool in TOOLS] == list(FUNCTIONS) == list(INPUTS)
    for tool in TOOLS:
        jsonschema_rs.meta.validate(tool.input)
        jsonschema_rs.meta.validate(tool.output)


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
def test_inputs_are_what_the_schema_says(tool: ToolSchema) -> None:
    schema = INPUTS[tool.name]
    _compare(schema.schema, tool.input)
    needed = {name: _NEEDED[name] for name in tool.input["required"]}
    for name, described in tool.input["properties"].items():
        for value in _edges(described):
            _agree(schema, tool.input, {**needed, name: value})
        for inner, its in described.get("properties", {}).items():
            for value in _edges(its) if inner not in _LOOSE else [None] if its["type"] != "array" else [[]]:
                _agree(schema, tool.input, {**needed, name: {inner: value}})
    for name in needed:
        _agree(schema, tool.input, {key: value for key, value in needed.items() if key != name})


def _compare(schema: dict[Any, Any], described: dict[str, Any]) -> None:
    properties = described["properties"]
    assert {str(key) for key in schema} == set(properties)
    assert described["additionalProperties"] is False
    for key, value in schema.items():
        default = None if isinstance(key.default, vol.Undefined) else key.default()
        assert default == properties[str(key)].get("default"), key
        if isinstance(value, vol.Schema) and isinstance(value.schema, dict):
            _compare(value.schema, properties[str(key)])


def _agree(schema: vol.Schema, described: dict[str, Any], arguments: dict[str, Any]) -> None:
    refusal = ""
    try:
        validate(schema, arguments)
    except Invalid as error:
        refusal = str(error)
    assert (refusal == "") == jsonschema_rs.is_valid(described, arguments), (arguments, refusal)


def _edges(schema: dict[str, Any]) -> list[Any]:
    """Values at both sides of each limit, and of each type."""
    edges: list[Any] = [None, "", "x", 0, 1.5, True, [], {}, ["x"], [""], [None], *schema.get("enum", ())]
    for limit, step in itertools.product(("minimum", "maximum"), (-1, 0, 1)):
        edges += [schema[limit] + step] if limit in schema else []
    for limit, step in itertools.product(("minLength", "maxLength"), (-1, 0, 1)):
        edges += ["x" * max(schema[limit] + step, 0)] if limit in schema else []
    if "maxItems" in schema:
        edges += [["x"] * (schema["maxItems"] + step) for step in (0, 1)]
    return edges
