"""Reads a sidecar file: YAML, JSON, TOML, XMP, or the package document of an e-book. Pure.

Runs in the worker processes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from xml.etree.ElementTree import Element

from pipeline.extraction import bounded_xml, encoding
from pipeline.extraction.content import ExtractError
from pipeline.extraction.metadata.front_matter import toml_fields, yaml_fields
from pipeline.extraction.metadata.stated import Stated, from_fields

MAX_BYTES = 1 << 20
_DC = "{http://purl.org/dc/elements/1.1/}"
_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_DATES = (
    "{http://ns.adobe.com/photoshop/1.0/}DateCreated",
    "{http://ns.adobe.com/xap/1.0/}CreateDate",
)


def read_sidecar(name: str, data: bytes) -> Stated:
    """What a sidecar file of this name states. Raises ExtractError with what is wrong with it."""
    ending = name.rpartition(".")[2].lower()
    if ending in ("xmp", "opf"):
        return _xml(data)
    text = encoding.decode(data)
    fields: Any = None
    if ending == "json":
        try:
            fields = json.loads(text)
        except (ValueError, RecursionError):
            fields = None
    else:
        fields = toml_fields(text) if ending == "toml" else yaml_fields(text)
    if not isinstance(fields, dict) or not fields:
        raise ExtractError("corrupt", f"it has no fields in {ending.upper()}")
    return from_fields(fields)


def _xml(data: bytes) -> Stated:
    start = data.find(b"<")
    try:
        root = bounded_xml.parse(data[max(start, 0) :])
    except ExtractError as error:
        raise ExtractError("corrupt", "its XML is damaged") from error
    fields: dict[str, Any] = {}
    for key, tag in (("title", "title"), ("date", "date"), ("language", "language")):
        fields[key] = next(_texts(root, _DC + tag), None)
    fields["authors"] = list(_texts(root, _DC + "creator"))
    fields["tags"] = list(_texts(root, _DC + "subject"))
    if not fields["date"]:
        fields["date"] = next((text for tag in _DATES for text in _texts(root, tag)), None)
    return from_fields(fields)


def _texts(root: Element, tag: str) -> Iterator[str]:
    """The texts of an element, or of the items of its list; or of the attribute that stands for it."""
    for node in root.iter():
        if node.tag == tag:
            items = list(node.iter(f"{_RDF}li"))
            yield from (text for each in items or [node] if (text := (each.text or "").strip()))
        elif value := (node.get(tag) or "").strip():
            yield value
