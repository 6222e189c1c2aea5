"""docs/openapi.yaml against the routes: paths, methods, and who may call them."""

from __future__ import annotations

import inspect
import json
import re

from schemathesis.specs.openapi.definitions import OPENAPI_31_VALIDATOR
from support.handler_schemas import handlers
from support.openapi import document, operations, validator
from tornado.websocket import WebSocketHandler

from handlers.base import RestHandler


def _shape(path: str) -> str:
    return re.sub(r"{\w+}", "…", path)


def test_it_is_an_openapi_document() -> None:
    assert [str(error) for error in OPENAPI_31_VALIDATOR.iter_errors(document())] == []


def test_every_route_and_method_is_described_and_the_other_way_round() -> None:
    assert {(_shape(path), method) for path, method, _ in operations()} == set(handlers())


def test_parameters_of_a_path_are_described_with_the_names_of_the_code() -> None:
    for path, method, operation in operations():
        listed = [each["name"] for each in operation["parameters"] if each["in"] == "path"]
        assert listed == re.findall(r"{(\w+)}", path), (method, path)
        handler = handlers()[_shape(path), method]
        if issubclass(handler, RestHandler):
            assert list(inspect.signature(getattr(handler, method)).parameters)[1:] == listed, (method, path)


def test_what_needs_no_sign_in_is_described_so() -> None:
    for path, method, operation in operations():
        handler = handlers()[_shape(path), method]
        schemes = [set(each) for each in operation.get("security", document()["security"])]
        if issubclass(handler, RestHandler):
            assert (schemes == [] or set() in schemes) == handler.public, (method, path)
            assert ({"token"} in schemes) == handler.token_in_query, (method, path)
        if schemes and not issubclass(handler, WebSocketHandler):
            assert "401" in operation["responses"], (method, path)


def test_operations_have_names_and_tags_of_their_own() -> None:
    names = [operation["operationId"] for _, _, operation in operations()]
    assert sorted(set(names)) == sorted(names)
    tags = [tag["name"] for tag in document()["tags"]]
    assert {tag for _, _, operation in operations() for tag in operation["tags"]} == set(tags)


def test_every_component_is_used() -> None:
    text = json.dumps(document())
    for kind in ("schemas", "responses", "parameters", "headers"):
        names = document()["components"][kind]
        assert [name for name in names if f'"#/components/{kind}/{name}"' not in text] == []


def test_bodies_and_answers_have_examples_that_fit_their_schemas() -> None:
    for path, method, operation in operations():
        for where, part in {"body": operation.get("requestBody", {}), **operation["responses"]}.items():
            for media_type, media in part.get("content", {}).items():
                if media_type.endswith("json"):
                    errors = [
                        str(error) for error in validator(media["schema"]).iter_errors(media["example"])
                    ]
                    assert errors == [], (method, path, where)
