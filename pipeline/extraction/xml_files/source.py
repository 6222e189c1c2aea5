"""The tree of an XML file: decoded, with its entities resolved, and bounded. Pure; runs in the worker processes."""

from __future__ import annotations

import html
import re
from typing import Any
from xml.etree.ElementTree import Element, ParseError, XMLPullParser

from pipeline.extraction import encoding
from pipeline.extraction.content import ExtractError

__all__ = ["DECLARATION", "ParseError", "decoded", "parsed"]

_MAX_DEPTH = 200
_MAX_ELEMENTS = 1_000_000
_FED = 65_536  # characters at a time
_ENTITY_TEXT = r"(?:[^\"'<&%]|&(?:#\w+|amp|lt|gt|quot|apos);)"
_MAX_ENTITIES = 1_000_000  # characters that the entities of a file may become
_ENTITY = re.compile(
    rf"<!ENTITY\s+(?P<name>[\w.-]+)\s+(?P<quote>[\"'])"
    rf"(?P<value>{_ENTITY_TEXT}{{0,2000}})(?P=quote)\s*>"
)
_DOCTYPE = re.compile(r"<!DOCTYPE\b(?:[^\[\]>\"']|\"[^\"]*\"|'[^']*')*(?:\[(?P<inner>.*?)\]\s*)?>", re.DOTALL)
DECLARATION = re.compile(r"\A\s*<\?xml\b[^>]{0,200}\?>")
_REFERENCE = re.compile(r"&(?!#|amp;|lt;|gt;|quot;|apos;)([\w.-]+);")


def decoded(data: bytes) -> str:
    declared = re.match(rb"\s*<\?xml[^>]{0,100}encoding=[\"']([\w.:-]+)", data[:300])
    if declared and encoding.encoding_of_mark(data) is None:
        try:
            return data.decode(declared[1].decode())
        except (LookupError, UnicodeError):
            pass
    return encoding.decode(data).removeprefix("\ufeff")


def parsed(source: str) -> Element:
    """The root element. Entities are replaced by their texts before, so that none can grow. Raises ParseError."""
    values: dict[str, str] = {}
    if doctype := _DOCTYPE.search(source, 0, 100_000):
        values = {each["name"]: each["value"] for each in _ENTITY.finditer(doctype["inner"] or "")}
        source = source[: doctype.start()] + source[doctype.end() :]
    budget = _MAX_ENTITIES

    def replaced(found: re.Match[str]) -> str:
        nonlocal budget
        value = values.get(found[1]) or _html_entity(found[1])
        budget -= len(value)
        return value if budget > 0 else ""

    source = DECLARATION.sub("", _REFERENCE.sub(replaced, source), count=1).strip()
    parser: Any = XMLPullParser(events=("start", "end"))
    root: Element | None = None
    depth = count = 0
    for at in range(0, len(source), _FED):
        parser.feed(source[at : at + _FED])
        for event, element in parser.read_events():
            depth += 1 if event == "start" else -1
            count += event == "start"
            root = element if root is None else root
        if depth > _MAX_DEPTH or count > _MAX_ELEMENTS:
            raise ExtractError("too_large", "This is XML that is nested too deep, or has too many elements.")
    parser.close()
    if root is None:
        raise ParseError("no element found")
    return root


def _html_entity(name: str) -> str:
    text = html.unescape(f"&{name};")
    return "" if text.startswith("&") or text == "<" else text
