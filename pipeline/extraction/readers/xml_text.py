"""XML without a reader of its own: what a person would read in it. Runs in the worker processes.

Feeds, outlines, maps and drawings are known by their root; of other files the texts of the elements are shown, below
the names of those that hold others.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any
from xml.etree.ElementTree import Element, ParseError, XMLPullParser

from pipeline.extraction import encoding, markdown
from pipeline.extraction.content import WORD, Content, ExtractError
from pipeline.extraction.formats import Format
from pipeline.extraction.readers.html import HtmlReader

_HTML = Format("text/html", "an HTML page")
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
_DECLARATION = re.compile(r"\A\s*<\?xml\b[^>]{0,200}\?>")
_REFERENCE = re.compile(r"&(?!#|amp;|lt;|gt;|quot;|apos;)([\w.-]+);")
_MARKUP = re.compile(r"</?[a-zA-Z][\w-]*(?:\s[^<>]*)?/?>")
_ENCODED = re.compile(r"[A-Za-z0-9+/=\s]{300,}\Z")
_PROSE_ATTRIBUTES = {
    "title",
    "label",
    "name",
    "alt",
    "caption",
    "description",
    "summary",
    "text",
    "value",
    "comment",
}
_TITLES = ("title", "name")

_BREAKS = frozenset(("br", "lb", "line-break", "tab"))  # empty elements that part words


class XmlReader:
    """The texts of the elements as lines; the file as plain text where it is damaged."""

    def read(self, data: bytes, detected: Format) -> Content:
        source = _decoded(data)
        try:
            root = _parsed(source)
        except ParseError:
            return Content(" ".join(_MARKUP.sub(" ", _DECLARATION.sub("", source)).split()))
        written = _BY_ROOT.get(_name(root), _elements)(root)
        text = "\n\n".join(part for part in (each.strip() for each in written) if part)
        return Content(text, _title(root), markdown=True)


def _decoded(data: bytes) -> str:
    declared = re.match(rb"\s*<\?xml[^>]{0,100}encoding=[\"']([\w.:-]+)", data[:300])
    if declared and encoding.encoding_of_mark(data) is None:
        try:
            return data.decode(declared[1].decode())
        except (LookupError, UnicodeError):
            pass
    return encoding.decode(data).removeprefix("\ufeff")


def _parsed(source: str) -> Element:
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

    source = _DECLARATION.sub("", _REFERENCE.sub(replaced, source), count=1).strip()
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
    import html

    text = html.unescape(f"&{name};")
    return "" if text.startswith("&") or text == "<" else text


def _name(element: Element) -> str:
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def _text(element: Element) -> str:
    for each in element.iter():
        if _name(each) in _BREAKS and each.get("break") != "no" and not (each.text or "").strip():
            each.text = " "
    return " ".join("".join(element.itertext()).split())


def _child(element: Element, *names: str) -> Element | None:
    return next((each for name in names for each in element if _name(each) == name), None)


def _child_text(element: Element, *names: str) -> str:
    found = _child(element, *names)
    return _readable(found) if found is not None else ""


def _title(root: Element) -> str | None:
    for parent in (root, *root):
        for name in _TITLES:
            found = _child(parent, name)
            if found is not None and 0 < len(_text(found)) <= 300:
                return _plain(_text(found))
        if parent is root and _name(root) not in ("rss", "RDF", "opml", "gpx", "kml"):
            return None
    return None


def _readable(element: Element) -> str:
    """The text of an element of a feed, which may be HTML, escaped or not."""
    if len(element) and "xhtml" in element.get("type", ""):
        return _html("".join(_serialized(each) for each in element))
    text = "".join(element.itertext())
    return _html(text) if _MARKUP.search(text) or "&" in text else " ".join(text.split())


def _serialized(element: Element) -> str:
    from xml.etree.ElementTree import tostring

    return re.sub(r"(</?)\w+:", r"\1", tostring(element, encoding="unicode"))


def _html(source: str) -> str:
    page = f"<!doctype html><html><head><meta charset=utf-8></head><body>{source}</body></html>"
    try:
        return HtmlReader().read(page.encode("utf-8", "replace"), _HTML).text
    except ExtractError:
        return _plain(source)


def _plain(text: str) -> str:
    import html

    return " ".join(html.unescape(_MARKUP.sub(" ", text)).split())


def _feed(root: Element) -> Iterator[str]:
    """RSS, RDF and Atom: each entry below its title, with its date and author."""
    channel = _child(root, "channel")
    head = channel if channel is not None else root
    yield f"# {_one_line(_child_text(head, 'title'))}"
    yield _child_text(head, "description", "subtitle")
    for entry in root.iter():
        if _name(entry) in ("item", "entry"):
            yield f"## {_one_line(_child_text(entry, 'title')) or '…'}"
            author = _child(entry, "author", "creator")
            facts = [_child_text(entry, "pubDate", "published", "updated", "date")]
            facts.append((_child_text(author, "name") or _readable(author)) if author is not None else "")
            yield ", ".join(fact for fact in facts if fact)
            bodies = {_child_text(entry, name) for name in ("encoded", "content", "description", "summary")}
            body = max(bodies, key=len)
            yield markdown.demoted(markdown.demoted(body))


def _one_line(text: str) -> str:
    return " ".join(text.replace("\n", " ").split()).lstrip("# ")


def _opml(root: Element) -> Iterator[str]:
    title = next((_text(each) for each in root.iter() if _name(each) == "title"), "")
    yield f"# {title}" if title else ""
    body = _child(root, "body")

    def lines(element: Element, depth: int) -> Iterator[str]:
        for each in element:
            if shown := _plain(each.get("text") or each.get("title") or ""):
                note = _plain(each.get("_note") or each.get("description") or "")
                yield f"{'  ' * min(depth, 10)}- {shown}{f': {note}' if note else ''}"
            yield from lines(each, depth + 1)

    if body is not None:
        yield "\n".join(lines(body, 0))


def _map(root: Element) -> Iterator[str]:
    """GPX and KML: names, descriptions and comments, without the points."""
    for element in root.iter():
        kind = _name(element)
        if kind in ("Document", "Folder", "Placemark", "wpt", "rte", "trk", "metadata", "GroundOverlay"):
            name = _child_text(element, "name")
            yield f"{'#' if kind in ('Document', 'metadata') else '##'} {_one_line(name)}" if name else ""
            for child in ("desc", "cmt", "description", "address", "type", "keywords"):
                yield _child_text(element, child)
            data = (each for each in element.iter() if _name(each) in ("Data", "SimpleData"))
            if kind == "Placemark":
                yield "\n".join(f"{each.get('name', '')}: {_text(each)}" for each in data if _text(each))


def _drawing(root: Element) -> Iterator[str]:
    """SVG: its titles, descriptions and texts, in the order of the file."""
    for element in root.iter():
        if _name(element) in ("title", "desc", "text", "p", "flowPara"):
            yield _text(element)


def _elements(root: Element) -> Iterator[str]:
    """The texts of all elements; one with mixed content is one paragraph."""
    yield from _written(root, 0)


def _is_mixed(element: Element) -> bool:
    """Whether text stands beside other elements, as in a paragraph."""
    return bool((element.text or "").strip()) or any((each.tail or "").strip() for each in element)


def _written(element: Element, depth: int) -> Iterator[str]:
    name = _name(element)
    label = re.sub(r"(?<=[a-z])(?=[A-Z])|[_-]", " ", name)
    attributes = [
        value
        for key, value in element.attrib.items()
        if key.rpartition("}")[2].lower() in _PROSE_ATTRIBUTES and WORD.search(value)
    ]
    if not len(element) or _is_mixed(element):
        text = _text(element)
        text = "" if _ENCODED.match(text) else text
        shown = ", ".join([*attributes, *([text] if text else [])])
        if shown:
            yield markdown.literal(
                shown if len(text) > 200 or name in ("p", "para", "text") else f"{label}: {shown}"
            )
        return
    if attributes:
        yield markdown.literal(f"{label}: {', '.join(attributes)}")
    leaves: list[str] = []
    for child in element:
        if (len(child) and not _is_mixed(child)) or len(child.text or "") > 200:
            yield "\n".join(leaves)
            leaves = []
            yield from _written(child, depth + 1)
        else:
            leaves += _written(child, depth + 1)
    yield "\n".join(leaves)


_BY_ROOT: dict[str, Callable[[Element], Iterator[str]]] = {
    "rss": _feed, "feed": _feed, "RDF": _feed, "opml": _opml, "gpx": _map, "kml": _map, "svg": _drawing,
}  # fmt: skip
