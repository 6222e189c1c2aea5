"""JSON as lines that a person reads: "key: value", with all escapes resolved. Runs in the worker processes.

Also JSON Lines, and JSON with comments; what cannot be parsed stays as it is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from pipeline.extraction import encoding, json_values
from pipeline.extraction.content import Content
from pipeline.extraction.formats import Format

_MAX_DEPTH = 100  # levels that are read; those below are left out
_INDENTED = 12  # levels that are indented
_FEW_NUMBERS = 8  # a list of more is named by its length and limits
_BINARY = re.compile(r"data:[\w/+.;=-]{0,100};base64,[A-Za-z0-9+/=\s]*|[A-Za-z0-9+/_-]{400,}={0,2}\Z")
_STRING_OR_COMMENT = re.compile(r'("(?:\\.|[^"\\])*")|//[^\n]*|/\*.*?\*/|,(?=\s*[}\]])', re.DOTALL)
_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})(?:\\u([dD][c-fC-F][0-9a-fA-F]{2}))?")

Scalar = str | int | float | bool | None


class JsonReader:
    """Objects as lines "key: value", lists of objects as paragraphs, lists of numbers cut short."""

    def read(self, data: bytes, detected: Format) -> Content:
        text = encoding.decode(data).removeprefix("\ufeff")
        try:
            value, several = _parsed(text)
        except (ValueError, RecursionError):
            return Content(_ESCAPE.sub(_unescaped, text))
        value = json_values.simplified(json_values.repaired(text, value))
        writer = _Writer()
        for each in value if several else [value]:
            writer.add(each, 0)
            writer.gap()
        return Content("\n".join(writer.lines).strip("\n"), _title(value))


def _parsed(text: str) -> tuple[Any, bool]:
    """The value, and whether it is a list of values that stand one a line. Raises ValueError and RecursionError."""
    try:
        return json.loads(text), False
    except ValueError:
        pass
    try:
        plain = _STRING_OR_COMMENT.sub(lambda found: found[1] or " ", text)
        return json.loads(plain), False
    except ValueError:
        return list(_values(text)), True


def _values(text: str) -> Iterator[Any]:
    """The values that follow one another, as in JSON Lines; also those of a sequence with record separators."""
    decoder = json.JSONDecoder()
    at, length = 0, len(text)
    while at < length:
        if text[at] in " \t\r\n\x1e,":
            at += 1
            continue
        value, at = decoder.raw_decode(text, at)
        if not isinstance(value, dict | list):
            raise ValueError("a text, no JSON")  # "12 apples" begins with a value, too
        yield value


def _title(value: Any) -> str | None:
    if isinstance(value, dict):
        for key in ("title", "name"):
            if isinstance(found := value.get(key), str) and 0 < len(found.strip()) <= 200:
                return " ".join(found.split())
    return None


class _Writer:
    def __init__(self) -> None:
        self.lines: list[str] = []

    def gap(self) -> None:
        if self.lines and self.lines[-1]:
            self.lines.append("")

    def add(self, value: Any, depth: int, key: str = "") -> None:
        """The lines of a value; `key` is what stands before it."""
        indent = "  " * min(depth, _INDENTED)
        label = f"{indent}{key}:" if key else ""
        if isinstance(value, dict | list) and depth > _MAX_DEPTH:
            return
        if isinstance(value, dict):
            if label and value:
                self.lines.append(label)
            for name, each in value.items():
                self.add(each, depth + bool(key), str(name))
        elif isinstance(value, list):
            self._add_list(value, depth, key, label)
        elif (shown := _shown(value)) and not _BINARY.match(shown):
            first, *more = shown.split("\n")
            self.lines.append(f"{label} {first}" if label else f"{indent}{first}")
            self.lines += [f"{indent}  {line}".rstrip() for line in more]

    def _add_list(self, values: list[Any], depth: int, key: str, label: str) -> None:
        if not values:
            return
        if not any(isinstance(each, dict | list) for each in values):
            texts = [_shown(each) for each in values if not (isinstance(each, str) and _BINARY.match(each))]
            numbers = [each for each in values if isinstance(each, int | float)]
            if len(numbers) == len(values) > _FEW_NUMBERS:
                texts = [f"{len(values)} numbers from {min(numbers)} to {max(numbers)}"]
            if sum(map(len, texts)) > 200:
                self.lines += [label] if label else []
                self.lines += [
                    f"{'  ' * min(depth + 1, _INDENTED)}- {' '.join(text.split())}" for text in texts
                ]
            else:
                indent = f"{label} " if label else "  " * min(depth, _INDENTED)
                self.lines.append((indent + ", ".join(texts)).rstrip(" "))
            return
        if _only_numbers(values):
            count = sum(1 for _ in _numbers(values))
            self.lines.append(f"{label} {count} numbers".strip())
            return
        if label:
            self.lines.append(label)
        for objects, group in groupby(values, lambda each: isinstance(each, dict)):
            for each in group:
                if objects:
                    self.gap()
                self.add(each, depth + bool(key))
        self.gap()


def _shown(value: Scalar) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value).replace("\r\n", "\n").replace("\r", "\n")


def _only_numbers(value: Any, depth: int = 0) -> bool:
    """Whether nested lists hold numbers and nothing else, like the coordinates of a map."""
    if isinstance(value, list):
        return depth < _MAX_DEPTH and all(_only_numbers(each, depth + 1) for each in value)
    return isinstance(value, int | float) and not isinstance(value, bool)


def _numbers(value: Any) -> Iterator[Any]:
    if isinstance(value, list):
        for each in value:
            yield from _numbers(each)
    else:
        yield value


def _unescaped(found: re.Match[str]) -> str:
    units = bytes.fromhex("".join(each for each in found.groups() if each))
    return units.decode("utf-16-be", "replace")
