"""Mind maps of XMind. Runs in the worker processes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from xml.etree.ElementTree import Element

from pipeline.extraction import bounded_xml, markdown
from pipeline.extraction.content import Content, ExtractError
from pipeline.extraction.formats import Format
from pipeline.extraction.zip_package import ZipPackage

_MAX_DEPTH = 100


class XMindReader:
    """Each sheet as an outline below its main topic, with notes and labels."""

    def read(self, data: bytes, detected: Format) -> Content:
        package = ZipPackage(data)
        if "content.json" in package:
            try:
                sheets = json.loads(package.read("content.json"))
            except (ValueError, RecursionError) as error:
                raise ExtractError("corrupt", "This is an XMind map that is damaged.") from error
            topics = [_from_json(each.get("rootTopic"), 0) for each in _objects(sheets)]
        else:
            root = bounded_xml.parse(package.read("content.xml"))
            topics = [_from_xml(each, 0) for sheet in root for each in sheet if _name(each) == "topic"]
        texts = ["\n".join(_lines(topic)) for topic in topics]
        title = next((topic["title"] for topic in topics if topic["title"]), None)
        return Content("\n\n".join(texts), title, markdown=True)


def _lines(topic: dict[str, Any]) -> Iterator[str]:
    yield f"# {topic['title']}\n"
    yield from topic["more"]
    for child in topic["children"]:
        yield from _items(child, 0)


def _items(topic: dict[str, Any], depth: int) -> Iterator[str]:
    indent = "  " * min(depth, 10)
    yield f"{indent}- {topic['title']}"
    yield from (f"{indent}  {markdown.literal(text)}" for text in topic["more"])
    for child in topic["children"]:
        yield from _items(child, depth + 1)


def _objects(value: Any) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _topic(title: Any, more: list[Any], children: list[dict[str, Any]]) -> dict[str, Any]:
    texts = [" ".join(text.split()) for text in [title, *more] if isinstance(text, str)] or [""]
    return {"title": texts[0], "more": [text for text in texts[1:] if text], "children": children}


def _from_json(value: Any, depth: int) -> dict[str, Any]:
    if not isinstance(value, dict) or depth > _MAX_DEPTH:
        return _topic("", [], [])
    groups = value.get("children")
    found = [
        each for group in (groups.values() if isinstance(groups, dict) else ()) for each in _objects(group)
    ]
    note = value.get("notes")
    plain = note.get("plain") if isinstance(note, dict) else None
    labels = value.get("labels")
    more = [
        plain.get("content") if isinstance(plain, dict) else "",
        *(labels if isinstance(labels, list) else ()),
    ]
    return _topic(value.get("title") or "", more, [_from_json(each, depth + 1) for each in found])


def _from_xml(node: Element, depth: int) -> dict[str, Any]:
    """A topic of XMind 8 and before, whose topics stand in children/topics."""
    if depth > _MAX_DEPTH:
        return _topic("", [], [])
    parts = {_name(each): each for each in node}
    more = ["".join(each.itertext()) for each in parts.get("notes", ()) if _name(each) == "plain"]
    more += ["".join(each.itertext()) for each in parts.get("labels", ())]
    topics = [each for group in parts.get("children", ()) for each in group if _name(each) == "topic"]
    title = "".join(parts["title"].itertext()) if "title" in parts else ""
    return _topic(title, more, [_from_xml(each, depth + 1) for each in topics])


def _name(node: Element) -> str:
    return node.tag.rpartition("}")[2]
