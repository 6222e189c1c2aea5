"""docs/openapi.yaml as tests need it: its operations, and a validator that knows the formats that it names."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

import jsonschema_rs
import yaml

from handlers.fields import Expected
from handlers.rest import search
from handlers.rest.openapi import DOCUMENT

Json = dict[str, Any]
_METHODS = ("get", "head", "post", "put", "patch", "delete")


def _passes(check: Callable[[str], object]) -> Callable[[str], bool]:
    def passed(value: str) -> bool:
        try:
            check(value)
        except Expected:
            return False
        return True

    return passed


# The texts of a format are those that the code takes: no pattern could say which days there are.
FORMATS = {
    "day": _passes(search.day),
    "moment": _passes(search.timestamp),
    "document-type": _passes(search.type_name),
    "language": _passes(search.language),
}


@functools.cache
def document() -> Json:
    loaded: Json = yaml.load(DOCUMENT.read_bytes(), yaml.CSafeLoader)
    return loaded


def operations() -> Iterator[tuple[str, str, Json]]:
    """Path, method and description of every operation; its references to responses and parameters are resolved."""
    for path, methods in document()["paths"].items():
        for method in set(methods) & set(_METHODS):
            operation = dict(methods[method])
            operation["parameters"] = [resolved(each) for each in operation.get("parameters", [])]
            operation["responses"] = {code: resolved(r) for code, r in operation["responses"].items()}
            yield path, method, operation


def resolved(node: Json) -> Json:
    """What a reference refers to; anything else as it is."""
    if "$ref" not in node:
        return node
    kind, name = node["$ref"].split("/")[-2:]
    found: Json = document()["components"][kind][name]
    return {**resolved(found), **{key: value for key, value in node.items() if key != "$ref"}}


def validator(schema: Json) -> jsonschema_rs.Draft202012Validator:
    """Of a schema of the document, by its formats too."""
    return jsonschema_rs.Draft202012Validator(
        {**schema, "components": document()["components"]}, formats=FORMATS, validate_formats=True
    )
