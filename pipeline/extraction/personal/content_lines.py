"""The lines of calendars and contacts (iCalendar, vCard 2.1 to 4.0, vCalendar), unfolded and decoded.

Pure; runs in the worker processes. Knows no property.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from pipeline.extraction import charsets, encoding

_NAME = re.compile(rb"(?:([\w.-]{1,100})\.)?([\w-]{1,100})(?=[;:])")
_PARAMETER = re.compile(rb";([\w-]{1,100})(?:=((?:\"[^\"]*\"|[^\";:,]*)(?:,(?:\"[^\"]*\"|[^\";:,]*))*))?")
_VALUE = re.compile(rb"\"([^\"]*)\"|([^,]+)")
_QUOTED_PRINTABLE = re.compile(rb"^[^:\n]{0,300}quoted-printable[^:\n]{0,300}:", re.IGNORECASE)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_CARET = {"^n": "\n", "^'": '"', "^^": "^"}
_MAX_DEPTH = 20


@dataclass(frozen=True)
class Line:
    """A property. name: in upper case. group: "item1" of "item1.TEL". value: still with escapes, see `unescaped`.

    parameters: name in upper case -> values; types without a name, as vCard 2.1 has them, are values of TYPE.
    """

    name: str
    value: str
    group: str = ""
    parameters: dict[str, list[str]] = field(default_factory=dict)

    @property
    def types(self) -> list[str]:
        return [each.lower() for value in self.parameters.get("TYPE", ()) for each in value.split(",")]

    def parameter(self, name: str) -> str:
        return next(iter(self.parameters.get(name, ())), "")

    @property
    def text(self) -> str:
        """The value as a person reads it."""
        return unescaped(self.value).strip()

    def fields(self, separator: str = ";") -> list[str]:
        """The fields of a value that has several, without escapes."""
        return [unescaped(each).strip() for each in split(self.value, separator)]


@dataclass
class Component:
    """What stands between BEGIN and END."""

    name: str
    lines: list[Line] = field(default_factory=list)
    inner: list[Component] = field(default_factory=list)

    def all(self, name: str) -> list[Line]:
        return [line for line in self.lines if line.name == name]

    def text(self, name: str) -> str:
        """The text of the first property of that name; empty where there is none."""
        return next((line.text for line in self.lines if line.name == name and line.text), "")


def components(data: bytes, charset: str | None = None) -> list[Component]:
    """The outermost components of a file. What is not closed ends with the file."""
    root = Component("")
    stack = [root]
    for line in _lines(_as_utf_8(data, charset)):
        if line.name == "BEGIN":
            inner = Component(line.value.strip().upper())
            if len(stack) < _MAX_DEPTH:
                stack[-1].inner.append(inner)
            stack.append(inner)
        elif line.name == "END":
            name = line.value.strip().upper()
            if any(each.name == name for each in stack[1:]):
                while stack.pop().name != name:
                    pass
        else:
            stack[-1].lines.append(line)
    return root.inner


def _as_utf_8(data: bytes, charset: str | None) -> bytes:
    """The file in UTF-8, unless its properties name their charsets themselves."""
    marked = encoding.encoding_of_mark(data)
    if marked is None and (_is_utf_8(data) or b"CHARSET=" in data.upper()):
        return data
    return charsets.decode(data, marked or charset).encode("utf-8", "replace")


def _is_utf_8(data: bytes) -> bool:
    """A character that is cut in two by a fold is one in UTF-8, too."""
    try:
        re.sub(rb"\r?\n[ \t]", b"", data).decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _lines(data: bytes) -> Iterator[Line]:
    # In vCard 2.1 a line is folded before a space, which is part of the text.
    old = re.search(rb"^VERSION:(?:2\.1|1\.0)", data, re.MULTILINE | re.IGNORECASE) is not None
    pending: list[bytes] = []
    soft = False
    for raw in data.splitlines():
        if soft:
            pending[-1] = pending[-1][:-1]
            pending.append(raw)
        elif raw[:1] in (b" ", b"\t") and pending:
            pending.append(b" " + raw.lstrip() if old else raw[1:])
        else:
            yield from _line(b"".join(pending))
            pending = [raw]
        soft = raw.endswith(b"=") and _QUOTED_PRINTABLE.match(pending[0]) is not None
    yield from _line(b"".join(pending))


def _line(raw: bytes) -> Iterator[Line]:
    start = _NAME.match(raw.lstrip())
    raw = raw.lstrip()
    if start is None:
        return
    parameters: dict[str, list[str]] = {}
    position = start.end()
    while found := _PARAMETER.match(raw, position):
        position = found.end()
        name = found[1].decode("latin-1").upper()
        if found[2] is None:
            parameters.setdefault("TYPE", []).append(name)
            continue
        values = [quoted or bare for quoted, bare in _VALUE.findall(found[2])]
        decoded = [charsets.decode(value, None) for value in values]
        parameters.setdefault(name, []).extend(_without_carets(each) for each in decoded)
    if raw[position : position + 1] != b":":
        return
    value = _decoded(raw[position + 1 :], parameters)
    if value is not None:
        group = (start[1] or b"").decode("latin-1").lower()
        yield Line(start[2].decode("latin-1").upper(), value, group, parameters)


def _decoded(value: bytes, parameters: dict[str, list[str]]) -> str | None:
    """The value in its charset; None for binary data."""
    declared = [each.upper() for each in (*parameters.get("ENCODING", ()), *parameters.get("TYPE", ()))]
    if (
        "BASE64" in declared
        or "B" in parameters.get("ENCODING", ())
        or "BINARY" in parameters.get("VALUE", ())
    ):
        return None
    if value[:5].lower() == b"data:":
        return None
    if "QUOTED-PRINTABLE" in declared:
        value = binascii.a2b_qp(value)
        # A line end is one of the text, and a backslash is one.
        value = value.replace(b"\r\n", b"\n").replace(b"\n", b"\\n")
    return charsets.decode(value, next(iter(parameters.get("CHARSET", ())), None))


def _without_carets(value: str) -> str:
    return re.sub(r"\^[n'^]", lambda found: _CARET[found[0]], value) if "^" in value else value


def split(value: str, separator: str) -> list[str]:
    """The pieces between separators that no backslash precedes."""
    pieces = [""]
    for found in re.finditer(r"\\.|.|\n", value):
        if found[0] == separator:
            pieces.append("")
        else:
            pieces[-1] += found[0]
    return pieces


def unescaped(value: str) -> str:
    return _ESCAPE.sub(lambda found: "\n" if found[1] in "nN" else found[1], value)
