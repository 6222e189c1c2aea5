"""The bodies and queries of docs/openapi.yaml are those that the handlers' voluptuous schemas take."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import Any

import jsonschema_rs
import voluptuous as vol
from hypothesis import given
from hypothesis import strategies as st
from support.handler_schemas import handlers, input_schemas
from support.openapi import Json, operations, resolved, validator
from support.property_tests import examples

from handlers.validation import validate
from semantik.core.errors import Invalid

_CHECKED_BY_SDK = ("/mcp",)
_DIGITS = re.compile("[0-9]+")
_SAMPLES = {
    "day": ["2026", "2026-02", "2026-02-28", "2026-02-31", "28.2.2026", "soon"],
    "moment": ["2026-02-28", "2026-02-28T10:00:00+02:00", "1899-01-01", "2026-02-31", "now"],
    "document-type": ["pdf", ".xyz", "image/*", "text/csv", "nothing"],
    "language": ["de", "de-AT", "german", "Deutsch", "xx"],
}


@dataclass(frozen=True)
class Input:
    """What an operation takes as its body or its query: by the code, and by the document."""

    name: str
    schema: vol.Schema
    described: Json
    example: Json
    in_query: bool

    @functools.cached_property
    def described_validator(self) -> jsonschema_rs.Draft202012Validator:
        return validator(self.described)

    def fields(self) -> dict[str, Json]:
        return _fields(self.described)

    def agrees(self, field: str, value: Any, schema: Json) -> None:
        """Assert that the code takes this value of a field exactly if the document allows it."""
        if self.in_query:
            sent = {field: str(value)}
            digits = "integer" in schema.get("type", ()) and _DIGITS.fullmatch(str(value))
            allowed = {field: int(value) if digits else str(value)}
        else:
            sent = allowed = {**self.example, field: value}
        refusal = ""
        try:
            validate(self.schema, sent)
        except Invalid as error:
            refusal = str(error)
        assert (refusal == "") == self.described_validator.is_valid(allowed), (
            self.name,
            field,
            value,
            refusal,
        )


@functools.cache
def _inputs() -> list[Input]:
    found = []
    for path, method, operation in operations():
        schemas = input_schemas(handlers()[re.sub(r"{\w+}", "…", path), method], method)
        name = f"{method} {path}"
        if "query" in schemas:
            found.append(Input(name, schemas["query"], _query(operation, schemas["query"]), {}, True))
        if "body" in schemas:
            media = operation["requestBody"]["content"]["application/json"]
            described = resolved(media["schema"])
            found.append(Input(name, schemas["body"], described, media["example"], False))
    return found


def _query(operation: Json, schema: vol.Schema) -> Json:
    """OpenAPI has no word for whether further parameters are refused: that is as in the code."""
    parameters = [each for each in operation["parameters"] if each["in"] == "query"]
    return {
        "type": "object",
        "properties": {each["name"]: each["schema"] for each in parameters},
        "required": [each["name"] for each in parameters if each.get("required")],
        "additionalProperties": schema.extra == vol.ALLOW_EXTRA,
    }


def test_what_is_described_is_checked_and_the_other_way_round() -> None:
    for path, method, operation in operations():
        schemas = input_schemas(handlers()[re.sub(r"{\w+}", "…", path), method], method)
        queried = {each["name"] for each in operation["parameters"] if each["in"] == "query"}
        content = operation.get("requestBody", {}).get("content", {})
        if path not in _CHECKED_BY_SDK:
            assert ("body" in schemas) == ("application/json" in content), (method, path)
        assert ("query" in schemas) == bool(queried - {"token", "since"}), (method, path)


def test_a_body_is_required_exactly_if_the_code_needs_one() -> None:
    for path, method, operation in operations():
        schemas = input_schemas(handlers()[re.sub(r"{\w+}", "…", path), method], method)
        if "body" in schemas:
            needed = any(isinstance(key, vol.Required) for key in schemas["body"].schema)
            assert operation["requestBody"].get("required", False) == needed, (method, path)


def test_fields_and_defaults_are_those_of_the_code() -> None:
    for each in _inputs():
        _compare(each.name, each.schema.schema, each.described)


def _compare(name: str, schema: dict[Any, Any], described: Json) -> None:
    properties = {key: resolved(value) for key, value in described.get("properties", {}).items()}
    assert {str(key) for key in schema} == set(properties), name
    assert "additionalProperties" in described, name
    assert {str(key) for key in schema if isinstance(key, vol.Required)} == set(
        described.get("required", [])
    ), name
    for key, value in schema.items():
        default = None if isinstance(key.default, vol.Undefined) else key.default()
        assert str(default) == str(properties[str(key)].get("default")), (name, key)
        if isinstance(value, vol.Schema) and isinstance(value.schema, dict):
            _compare(f"{name} {key}", value.schema, properties[str(key)])


def test_values_at_the_limits_are_taken_exactly_if_they_are_described() -> None:
    for each in _inputs():
        for field, schema in each.fields().items():
            for value in _edges(schema):
                each.agrees(field, value, schema)
            for inner, its in _fields(schema).items():
                for value in _edges(its):
                    each.agrees(field, {inner: value}, schema)


@examples(200)
@given(data=st.data())
def test_any_value_is_taken_exactly_if_it_is_described(data: st.DataObject) -> None:
    each = data.draw(st.sampled_from(_inputs()))
    field, schema = data.draw(st.sampled_from([*each.fields().items(), ("bogus", {})]))
    value = data.draw(_JSON)
    if inner := _fields(schema):
        value = {data.draw(st.sampled_from([*inner, "bogus"])): value}
    each.agrees(field, value, schema)


def _fields(schema: Json) -> dict[str, Json]:
    return {name: resolved(each) for name, each in schema.get("properties", {}).items()}


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 10**7) | st.floats(-2, 2) | st.text("ab😀é", max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text("ab", max_size=2), inner, max_size=1),
    max_leaves=3,
)


def _edges(schema: Json) -> list[Any]:
    """Values at both sides of each limit."""
    edges: list[Any] = [
        None,
        "",
        "x",
        0,
        True,
        [],
        {},
        *schema.get("enum", []),
        *_SAMPLES.get(schema.get("format", ""), []),
    ]
    edges += [schema["const"]] if "const" in schema else []
    for limit in ("minimum", "maximum"):
        if limit in schema:
            edges += [schema[limit] + step for step in (-1, 0, 1, 0.0, 0.5)]
    for limit in ("minLength", "maxLength"):
        if limit in schema:
            edges += ["x" * max(0, schema[limit] + step) for step in (-1, 0, 1)]
    if "items" in schema:
        item = resolved(schema["items"])
        inner = _edges(item)
        edges += [[each] for each in inner]
        good = [each for each in inner if validator(item).is_valid(each)]
        edges += [good[:1] * (schema["maxItems"] + step) for step in (0, 1) if "maxItems" in schema]
    return edges
