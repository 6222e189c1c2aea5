"""XML without a reader of its own: what a person would read in it. Runs in the worker processes.

Feeds, outlines, maps, drawings, notes and mind maps are known by their root; of other files the texts of the elements
are shown, below the names of those that hold others.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from xml.etree.ElementTree import Element

from pipeline.extraction import markdown
from pipeline.extraction.content import WORD, Content
from pipeline.extraction.formats import Format
from pipeline.extraction.html.pieces import is_piece, piece_to_markdown
from pipeline.extraction.xml_files import diagrams, notes, vocabularies
from pipeline.extraction.xml_files.elements import MARKUP, child, name_of, plain, text_of
from pipeline.extraction.xml_files.source import DECLARATION, ParseError, decoded, parsed

_ENCODED = re.compile(r"[A-Za-z0-9+/=\s]{300,}\Z")
_PROSE_ATTRIBUTES = frozenset(
    (
        "title", "label", "name", "alt", "caption", "description", "summary", "text", "value", "comment",
        "body", "contact_name",
    )
)  # fmt: skip
_TITLES = ("title", "name")


class XmlReader:
    """The texts of the elements as lines; the file as plain text where it is damaged."""

    def read(self, data: bytes, detected: Format) -> Content:
        source = decoded(data)
        try:
            root = parsed(source)
        except ParseError:
            return Content(" ".join(MARKUP.sub(" ", DECLARATION.sub("", source)).split()))
        written = _BY_ROOT.get(name_of(root), _elements)(root)
        text = "\n\n".join(part for part in (each.strip() for each in written) if part)
        return Content(text, _title(root), markdown=True)


def _elements(root: Element) -> Iterator[str]:
    """The texts of all elements; one with mixed content is one paragraph."""
    yield from _written(root, 0)


def _is_mixed(element: Element) -> bool:
    """Whether text stands beside other elements, as in a paragraph, or in runs that have the spaces between them."""
    if (element.text or "").strip() or any((each.tail or "").strip() for each in element):
        return True
    if len(element) < 2 or len({each.tag for each in element}) > 1 or any(len(each) for each in element):
        return False
    texts = [each.text or "" for each in element]
    return any(text.strip() and text.strip(" ") != text for text in texts)


def _written(element: Element, depth: int) -> Iterator[str]:
    name = name_of(element)
    label = re.sub(r"(?<=[a-z])(?=[A-Z])|[_-]", " ", name)
    attributes = [
        value
        for key, value in element.attrib.items()
        if key.rpartition("}")[2].lower() in _PROSE_ATTRIBUTES and WORD.search(value)
    ]
    if not len(element) and is_piece(element.text or ""):
        page = markdown.demoted(markdown.demoted(piece_to_markdown(element.text or "")))
        yield f"{markdown.literal(', '.join([label, *attributes]))}:\n\n{page}"
        return
    if not len(element) or _is_mixed(element):
        text = text_of(element)
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
    for each in element:
        if (len(each) and not _is_mixed(each)) or len(each.text or "") > 200:
            yield "\n".join(leaves)
            leaves = []
            yield from _written(each, depth + 1)
        else:
            leaves += _written(each, depth + 1)
    yield "\n".join(leaves)


def _title(root: Element) -> str | None:
    if name_of(root) in notes.TITLES:
        return notes.TITLES[name_of(root)](root)
    for parent in (root, *root):
        for name in _TITLES:
            found = child(parent, name)
            if found is not None and 0 < len(text_of(found)) <= 300:
                return plain(text_of(found))
        if parent is root and name_of(root) not in ("rss", "RDF", "opml", "gpx", "kml"):
            return None
    return None


_BY_ROOT: dict[str, Callable[[Element], Iterator[str]]] = {
    "rss": vocabularies.feed, "feed": vocabularies.feed, "RDF": vocabularies.feed, "opml": vocabularies.opml,
    "gpx": vocabularies.places, "kml": vocabularies.places, "svg": vocabularies.drawing,
    "mediawiki": vocabularies.wiki, "en-export": notes.evernote, "map": notes.mind_map,
    "mxfile": diagrams.diagrams, "mxGraphModel": diagrams.diagrams,
}  # fmt: skip
