"""What the handlers of the routes say about themselves: their methods, and the schemas that they check input with."""

from __future__ import annotations

import ast
import functools
import inspect
import re
import sys
import textwrap
from typing import Any

import voluptuous as vol
from tornado.web import RequestHandler
from tornado.websocket import WebSocketHandler

from handlers.routes import ROUTES

Handler = type[RequestHandler]
_METHODS = ("get", "head", "post", "put", "patch", "delete")
_PAGE = re.compile(r"\(.*?\)")


@functools.cache
def handlers() -> dict[tuple[str, str], Handler]:
    """The handler of every route and method; "…" stands for each parameter of a path."""
    found = {}
    for rule in ROUTES:
        pattern = rule.matcher.regex.pattern.removesuffix("$").replace(r"\.", ".")
        shape = _PAGE.sub(lambda group: "" if group[0] == "()" else "…", pattern)
        for method in _methods(rule.target):
            found[shape, method] = rule.target
    return found


def _methods(handler: Handler) -> list[str]:
    if issubclass(handler, WebSocketHandler):
        return ["get"]
    return [name for name in _METHODS if getattr(handler, name) is not getattr(RequestHandler, name)]


def input_schemas(handler: Handler, method: str) -> dict[str, vol.Schema]:
    """By "body" and "query": the module's schema that `self.body(…)` or `self.query(…)` of the method gets.

    What takes a long body checks its input before: in `prepare_body`.
    """
    functions = [getattr(handler, method)]
    if method in ("post", "patch") and hasattr(handler, "prepare_body"):
        functions.append(handler.prepare_body)
    found: dict[str, vol.Schema] = {}
    for function in functions:
        if function.__module__.partition(".")[0] == "handlers":
            tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
            module = vars(sys.modules[function.__module__])
            found |= {
                call.func.attr: module[call.args[0].id]
                for call in ast.walk(tree)
                if isinstance(call, ast.Call) and _is_check(call)
            }
    return found


def _is_check(call: ast.Call) -> Any:
    function = call.func
    own = isinstance(function, ast.Attribute) and getattr(function.value, "id", "") == "self"
    return own and function.attr in ("body", "query")
