"""docs/openapi.yaml as the generators need it: the calls that a client has, with their arguments and results."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
DOCUMENT = ROOT / "docs" / "openapi.yaml"
Json = dict[str, Any]

_METHODS = ("get", "head", "post", "put", "patch", "delete")
_ANSWERED = ("200", "201", "202", "204")
_PREFIX = "/api/v2/"
# These are no calls of a client: the page, and a protocol that has clients of its own.
_NOT_FOR_CLIENTS = ("/", "/static/{path}", "/mcp")


@dataclass(frozen=True)
class Argument:
    """One argument: `wire` is its name in HTTP, `name` that in Python; `where`: path, query, header, body."""

    wire: str
    where: str
    schema: Json
    required: bool
    description: str = ""

    @property
    def name(self) -> str:
        name = snake_case(self.wire)
        return f"{name}_" if keyword.iskeyword(name) or name in ("range", "type", "id") else name

    @property
    def is_flag(self) -> bool:
        """Whether it is the text `true` or `false`, which a client has as a boolean."""
        given = self.schema.get("enum", [self.schema.get("const")])
        return self.where == "query" and set(given) <= {"true", "false"}


@dataclass(frozen=True)
class Call:
    """One operation. `body` and `result` say how they are encoded.

    `body`: None, "json", or the media type of bytes. `result`: None, "json", "text", "events" (Server-Sent Events),
    "lines" (JSON lines), "bytes" or "headers".
    """

    operation_id: str
    tag: str
    method: str
    path: str
    summary: str
    description: str
    arguments: list[Argument]
    headers: dict[str, str]  # what is always sent
    body: str | None
    result: str | None
    schema: Json
    repeatable: bool
    errors: list[tuple[str, str]] = field(default_factory=list)  # statuses and what they say
    answer: str = ""

    @property
    def name(self) -> str:
        return snake_case(self.operation_id)

    @property
    def sorted_arguments(self) -> list[Argument]:
        """Those of the path first, then required ones, then the others."""
        order = {"path": 0, "body": 1, "query": 2, "header": 3}
        return sorted(self.arguments, key=lambda a: (not a.required, order[a.where]))


class Description:
    """The document with its references."""

    def __init__(self, path: Path = DOCUMENT) -> None:
        self.document: Json = yaml.load(path.read_bytes(), yaml.CSafeLoader)
        self.schemas: dict[str, Json] = self.document["components"]["schemas"]
        self.tags: list[Json] = self.document["tags"]
        self.calls = sorted(self._calls(), key=lambda call: self._place(call.tag))

    def resolved(self, node: Json) -> Json:
        """What a reference refers to; anything else as it is."""
        if "$ref" not in node:
            return node
        kind, name = node["$ref"].split("/")[-2:]
        found: Json = self.document["components"][kind][name]
        return {**self.resolved(found), **{key: value for key, value in node.items() if key != "$ref"}}

    def properties(self, schema: Json) -> tuple[dict[str, Json], set[str]]:
        """All properties of an object, with those that it takes from others, and the names of the required ones."""
        schema = self.resolved(schema)
        found: dict[str, Json] = {}
        required: set[str] = set(schema.get("required", ()))
        for part in schema.get("allOf", ()):
            more, needed = self.properties(part)
            found |= more
            required |= needed
        return found | schema.get("properties", {}), required

    def _place(self, tag: str) -> int:
        return [each["name"] for each in self.tags].index(tag)

    def _calls(self) -> Iterator[Call]:
        for path, methods in self.document["paths"].items():
            if path in _NOT_FOR_CLIENTS:
                continue
            for method in (m for m in _METHODS if m in methods):
                operation: Json = methods[method]
                responses = {code: self.resolved(r) for code, r in operation["responses"].items()}
                answers = [responses[code] for code in _ANSWERED if code in responses]
                if answers:  # else a WebSocket, or a redirect for browsers
                    yield self._call(path, method, operation, answers[0], responses)

    def _call(self, path: str, method: str, operation: Json, answer: Json, responses: Json) -> Call:
        headers: dict[str, str] = {}
        arguments: list[Argument] = []
        for given in map(self.resolved, operation.get("parameters", ())):
            schema = self.resolved(given.get("schema", {}))
            if given["in"] == "query" and given["name"] == "token":
                continue  # the client sends a header
            if given["in"] == "header" and "const" in schema:
                headers[given["name"]] = str(schema["const"])
                continue
            described = given.get("description") or schema.get("description", "")
            required = given.get("required", False)
            arguments.append(Argument(given["name"], given["in"], given["schema"], required, described))
        body = self._body(operation.get("requestBody", {}), arguments)
        result, schema = self._result(method, answer)
        call = Call(
            operation["operationId"],
            operation["tags"][0],
            method.upper(),
            path.removeprefix(_PREFIX) if path.startswith(_PREFIX) else f"../..{path}",
            operation["summary"],
            operation.get("description", ""),
            arguments,
            headers,
            body,
            result,
            schema,
            operation.get("x-repeatable", method in ("get", "head", "put", "delete")),
            [(code, said["description"]) for code, said in sorted(responses.items()) if code >= "400"],
            answer["description"],
        )
        names = [argument.wire for argument in arguments]
        if len(set(names)) != len(names):
            raise ValueError(f"{call.operation_id}: two arguments have the same name: {sorted(names)}")
        return call

    def _body(self, body: Json, arguments: list[Argument]) -> str | None:
        """How a body is encoded; its fields are added to the arguments."""
        content = body.get("content", {})
        if "application/json" in content:
            schema = content["application/json"]["schema"]
            properties, required = self.properties(schema)
            for name, its in properties.items():
                described = its.get("description") or self.resolved(its).get("description", "")
                arguments.append(Argument(name, "body", its, name in required, described))
            return "json"
        kinds = [kind for kind in content if kind.endswith("octet-stream")]
        if not content:
            return None
        if not kinds:
            raise ValueError(f"a body is neither JSON nor application/octet-stream: {sorted(content)}")
        schema = {"type": "string", "format": "binary"}
        arguments.append(Argument("content", "body", schema, True, "The bytes, or the file that has them."))
        return str(kinds[0])

    def _result(self, method: str, answer: Json) -> tuple[str | None, Json]:
        """How the result is encoded, and its schema."""
        if method == "head":
            return "headers", {}
        content = answer.get("content", {})
        for kind, result in (
            ("application/json", "json"),
            ("text/event-stream", "events"),
            ("application/jsonl", "lines"),
            ("application/x-ndjson", "lines"),
            ("text/plain", "text"),
        ):
            if kind in content:
                return result, content[kind].get("schema", {})
        return ("bytes", {}) if content else (None, {})


def snake_case(name: str) -> str:
    """`listApiKeys` as `list_api_keys`; also for `Last-Event-ID` and `API keys`."""
    words = re.sub(r"[\s-]+", "_", name.strip())
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", words)
    return words.lower()


def sentence(text: str) -> str:
    """A summary or description as one line that ends with a full stop."""
    line = " ".join(text.split())
    return line if not line or line[-1] in ".!?" else f"{line}."
