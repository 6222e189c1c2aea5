"""The texts of XML elements, which may hold HTML. Pure; runs in the worker processes."""

from __future__ import annotations

import html
import re
from xml.etree.ElementTree import Element, tostring

from pipeline.extraction.html.pieces import piece_to_markdown

MARKUP = re.compile(r"</?[a-zA-Z][\w-]*(?:\s[^<>]*)?/?>")
_BREAKS = frozenset(("br", "lb", "line-break", "tab"))  # empty elements that part words


def name_of(element: Element) -> str:
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def text_of(element: Element) -> str:
    for each in element.iter():
        if name_of(each) in _BREAKS and each.get("break") != "no" and not (each.text or "").strip():
            each.text = " "
    return " ".join("".join(element.itertext()).split())


def child(element: Element, *names: str) -> Element | None:
    return next((each for name in names for each in element if name_of(each) == name), None)


def child_text(element: Element, *names: str) -> str:
    found = child(element, *names)
    return readable(found) if found is not None else ""


def readable(element: Element) -> str:
    """The text of an element of a feed, which may be HTML, escaped or not."""
    if len(element) and "xhtml" in element.get("type", ""):
        return piece_to_markdown("".join(serialized(each) for each in element))
    text = "".join(element.itertext())
    return piece_to_markdown(text) if MARKUP.search(text) or "&" in text else " ".join(text.split())


def serialized(element: Element) -> str:
    return re.sub(r"(</?)\w+:", r"\1", tostring(element, encoding="unicode"))


def plain(text: str) -> str:
    return " ".join(html.unescape(MARKUP.sub(" ", text)).split())


def one_line(text: str) -> str:
    return " ".join(text.replace("\n", " ").split()).lstrip("# ")
