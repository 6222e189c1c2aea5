"""Parses XML from untrusted files within bounds: no entities, a limit of bytes, of depth and of elements. Pure.

Knows no format; runs in the worker processes.
"""

from __future__ import annotations

import io
from collections.abc import Collection, Iterator
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from pipeline.extraction.content import ExtractError

MAX_BYTES = 200 << 20  # of one XML part, unpacked
MAX_DEPTH = 400  # levels; readers walk the trees with recursion
_MAX_ELEMENTS = 2_000_000  # at a time in memory: about 250 MB
_SMALL = 2 << 20  # bytes: a tree of such an XML takes about 20 MB
_TOO_DEEP = f"The file nests its parts more than {MAX_DEPTH} deep."
_DAMAGED = "The file holds XML that is damaged."
_ENTITY = tuple("<!ENTITY".encode(encoding) for encoding in ("ascii", "utf-16-le", "utf-16-be"))


def parse(data: bytes) -> Element:
    """The root element. Raises ExtractError for XML that is damaged, too large, or declares entities."""
    if len(data) <= _SMALL:
        return _parse_small(data)
    root = None
    count = 0
    for event, element in _events(data):
        if event == "start":
            root = element if root is None else root
            count = _checked(count + 1)
    if root is None:
        raise ExtractError("corrupt", _DAMAGED)
    return root


def blocks(data: bytes, *containers: str) -> Iterator[Element]:
    """The children of the first element whose tag is one of `containers`, one by one; a large tree is never whole.

    So an element is valid until the next one is asked for. Raises ExtractError like `parse`.
    """
    if len(data) <= _SMALL:
        root = _parse_small(data)
        yield from next((element for element in root.iter() if element.tag in containers), ())
        return
    inside: Element | None = None
    depth = count = 0
    for event, element in _events(data):
        count = _checked(count + (event == "start"))
        if inside is None:
            if event == "start" and element.tag in containers:
                inside = element
        elif event == "start":
            depth += 1
        elif element is inside:
            return
        else:
            depth -= 1
            if depth == 0:
                yield element
                inside.clear()
                count = 0


def sections(data: bytes, tags: Collection[str], stop: str) -> Iterator[Element]:
    """The elements with one of the tags that stand before the first element with the tag `stop`.

    Raises ExtractError like `parse`.
    """
    count = 0
    for event, element in _events(data):
        count = _checked(count + (event == "start"))
        if event == "start" and element.tag == stop:
            return
        if event == "end" and element.tag in tags:
            yield element


def _checked(count: int) -> int:
    if count > _MAX_ELEMENTS:
        raise ExtractError(
            "too_large", f"The file has more than {_MAX_ELEMENTS:,} XML elements in one piece."
        )
    return count


def _parse_small(data: bytes) -> Element:
    """At the speed of the parser: a loop over its events takes three times as long."""
    _refuse_entities(data)
    try:
        root = ElementTree.fromstring(data)
    except (ElementTree.ParseError, LookupError, ValueError) as error:
        raise ExtractError("corrupt", _DAMAGED) from error
    level, depth = [root], 0
    while level:
        level = [child for element in level for child in element]
        depth += 1
        if depth > MAX_DEPTH:
            raise ExtractError("too_large", _TOO_DEEP)
    return root


def _refuse_entities(data: bytes) -> None:
    if any(mark in data for mark in _ENTITY):
        raise ExtractError("corrupt", "The file declares XML entities, and is not read for that reason.")


def _events(data: bytes) -> Iterator[tuple[str, Element]]:
    if len(data) > MAX_BYTES:
        raise ExtractError("too_large", f"The file holds XML of more than {MAX_BYTES >> 20} MB.")
    _refuse_entities(data)
    depth = 0
    try:
        for event, element in ElementTree.iterparse(io.BytesIO(data), ("start", "end")):
            depth += 1 if event == "start" else -1
            if depth > MAX_DEPTH:
                raise ExtractError("too_large", _TOO_DEEP)
            yield event, element
    except (ElementTree.ParseError, LookupError, ValueError) as error:
        raise ExtractError("corrupt", _DAMAGED) from error
