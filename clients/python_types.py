"""TypedDicts of the schemas, and the annotations that name them."""

from __future__ import annotations

import json
import keyword
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from clients.description import Call, Description, Json, sentence, snake_case

_SCALARS = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}
SHARED = "shared"


class PythonTypes:
    """The types of all calls: annotations, and the modules that define what they name.

    Raises ValueError for a schema that it has no type for.
    """

    def __init__(self, description: Description) -> None:
        self._description = description
        self._defined: dict[str, tuple[str, set[str]]] = {}  # the code of a name, and what it names
        self._used_by: dict[str, set[str]] = defaultdict(set)

    def annotation(self, schema: Json, call: Call, hint: str = "") -> str:
        """The type of a schema in a call; what it names is put into the modules. `hint` names an object within it."""
        text, named = self._annotation(schema, hint)
        for name in named:
            self._use(name, call.tag)
        return text

    def modules(self) -> dict[str, dict[str, tuple[str, set[str]]]]:
        """Module names with the definitions that belong there: those of one tag, and what several tags share."""
        found: dict[str, dict[str, tuple[str, set[str]]]] = defaultdict(dict)
        for name in sorted(self._used_by):
            tags = self._used_by[name]
            module = snake_case(next(iter(tags))) if len(tags) == 1 else SHARED
            found[module][name] = self._defined[name]
        return dict(sorted(found.items()))

    def home(self) -> dict[str, str]:
        """The module of each name."""
        return {name: module for module, names in self.modules().items() for name in names}

    def _use(self, name: str, tag: str) -> None:
        if tag not in self._used_by[name]:
            self._used_by[name].add(tag)
            for other in self._defined[name][1]:
                self._use(other, tag)

    def _annotation(self, schema: Json, hint: str) -> tuple[str, set[str]]:
        if "$ref" in schema:
            return self._reference(schema["$ref"].rpartition("/")[2])
        if "anyOf" in schema:
            parts = [self._annotation(part, hint) for part in schema["anyOf"]]
            return " | ".join(dict.fromkeys(text for text, _ in parts)), set().union(*(n for _, n in parts))
        if "const" in schema or "enum" in schema:
            return _literal(schema.get("enum", [schema.get("const")])), set()
        kinds = schema.get("type", "object" if {"properties", "allOf"} & set(schema) else None)
        if kinds is None:
            return "Any", set()
        if schema.get("format") == "binary":
            return "FileContent", set()
        parts = [self._of_kind(kind, schema, hint) for kind in ([kinds] if isinstance(kinds, str) else kinds)]
        return " | ".join(text for text, _ in parts), set().union(*(named for _, named in parts))

    def _of_kind(self, kind: str, schema: Json, hint: str) -> tuple[str, set[str]]:
        if kind in _SCALARS:
            return _SCALARS[kind], set()
        if kind == "array":
            text, named = self._annotation(schema.get("items", {}), f"{hint}Item")
            return f"list[{text}]", named
        if kind != "object":
            raise ValueError(f"{hint}: there is no type for {kind!r}")
        if "properties" in schema or "allOf" in schema:
            self._define_object(hint, schema)
            return hint, {hint}
        more = schema.get("additionalProperties")
        text, named = self._annotation(more, f"{hint}Value") if isinstance(more, dict) else ("Any", set())
        return f"dict[str, {text}]", named

    def _reference(self, name: str) -> tuple[str, set[str]]:
        schema = self._description.schemas[name]
        is_object = "properties" in schema or "allOf" in schema
        if not is_object and "enum" not in schema:
            return self._annotation(schema, name)
        if name not in self._defined:
            if is_object:
                self._define_object(name, schema)
            else:
                self._defined[name] = (f"{name} = {_literal(schema['enum'])}", set())
        return name, {name}

    def _define_object(self, name: str, schema: Json) -> None:
        self._defined[name] = ("", set())  # it may contain itself
        bases = []
        named: set[str] = set()
        for part in schema.get("allOf", ()):
            base, used = self._annotation(part, f"{name}Base")
            bases.append(base)
            named |= used
        required = set(schema.get("required", ()))
        fields: list[tuple[str, str]] = []
        for key, value in schema.get("properties", {}).items():
            text, used = self._annotation(value, name + _pascal(key))
            named |= used
            fields.append((key, text if key in required else f"NotRequired[{text}]"))
        described = sentence(schema.get("description", ""))
        self._defined[name] = (_typed_dict(name, bases, fields, described), named - {name})


def _typed_dict(name: str, bases: list[str], fields: list[tuple[str, str]], described: str) -> str:
    if not all(key.isidentifier() and not keyword.iskeyword(key) for key, _ in fields):
        if bases:
            raise ValueError(f"{name} has a field whose name is a word of Python, and inherits fields")
        inside = ", ".join(f'"{key}": {_quoted(text)}' for key, text in fields)
        return f'{name} = TypedDict("{name}", {{{inside}}})'
    lines = [f"class {name}({', '.join(bases) or 'TypedDict'}):"]
    if described:
        lines += [f'    """{described}"""', ""]
    lines += [f"    {key}: {text}" for key, text in fields] or ([] if described else ["    pass"])
    return "\n".join(lines)


def _quoted(text: str) -> str:
    """A type that is evaluated when the module is loaded: a name may not be defined yet."""
    return text if text in _SCALARS.values() else json.dumps(text)


def _literal(values: list[Any]) -> str:
    texts = ", ".join(json.dumps(value) for value in values if value is not None)
    return f"Literal[{texts}]" + (" | None" if None in values else "")


def _pascal(name: str) -> str:
    return "".join(word[:1].upper() + word[1:] for word in snake_case(name).split("_"))


def type_names(text: str, known: dict[str, Any]) -> Iterator[str]:
    """The names of `known` types in an annotation."""
    word = ""
    for character in f"{text} ":
        if character.isalnum() or character == "_":
            word += character
            continue
        if word in known:
            yield word
        word = ""
