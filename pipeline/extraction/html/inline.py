"""Inline elements whose text alone would mislead: raised and lowered text, readings, alternative texts. Pure."""

from __future__ import annotations

import re
from typing import Any
from xml.etree.ElementTree import Element, SubElement

from pipeline.extraction import mathml
from pipeline.extraction.html.visibility import Attributes

_NOTE_MARK = re.compile(r"[\[(]?(?:\d{1,4}|[*†‡§¶]{1,3}|[a-z]|[ivx]{1,5})[\])]?")
_NOTE_LINK = re.compile(r"(?i)note|fn|cite|ftn|ref")
_FILE_NAME = re.compile(
    r"(?i)[^\s]*\.(?:png|jpe?g|gif|svg|webp|bmp|tiff?|avif)|data:.*|https?://\S*|image|img|photo|picture"
)
_RAISING = re.compile(r"(?i)(?:^|[;\s])vertical-align\s*:\s*(super|sub)\b")
_LABEL = re.compile(r"(?:^|[\s_-])(?:tag|badge|chip|pill|label|selected-value)(?:\s|$)")
_BACK = re.compile(r"[↩↵⤴↑^]\ufe0e?\ufe0f?\d{0,3}")  # a link from a note to its mark, or to one of its marks
_PERMALINK = frozenset(("¶", "#", "🔗", "§", "\uf0c1", "link", "Link to this heading"))
_ANCHOR_CLASS = re.compile(r"(?i)headerlink|anchor|permalink|heading-link|hash-link")


def note(node: Any, attributes: Attributes, text: str) -> str:
    """The raised text in brackets where it is the mark of a note; else empty."""
    if not _NOTE_MARK.fullmatch(text) or not _is_note(node, attributes):
        return ""
    return text if text[0] in "[(" else f"[{text}]"


def position(attributes: Attributes) -> int:
    """Whether the style of an element raises (1) or lowers (-1) its text."""
    found = _RAISING.search(attributes.get("style") or "")
    return 0 if found is None else 1 if found[1].lower() == "super" else -1


def is_label(attributes: Attributes) -> bool:
    """Whether the text stands in a box of its own, like the tags of a page, which have margins and no spaces."""
    return bool(_LABEL.search(attributes.get("class") or ""))


def _is_note(node: Any, attributes: Attributes) -> bool:
    """Whether a raised text is the mark of a note: it links, or is part of a link, to one."""
    link = node.css_first("a[href]") or (
        node.parent if node.parent is not None and node.parent.tag == "a" else None
    )
    kinds = (
        f"{attributes.get('class') or ''} {attributes.get('role') or ''} {attributes.get('epub:type') or ''}"
    )
    if link is None:
        return bool(_NOTE_LINK.search(kinds)) and "noteref" in kinds.replace("-", "")
    href = link.attributes.get("href") or ""
    return "#" in href


def note_mark(node: Any, attributes: Attributes) -> str:
    """The mark of a note in brackets, where a link says that it is one and no <sup> does; else empty."""
    if "noteref" not in f"{attributes.get('epub:type') or ''} {attributes.get('role') or ''}":
        return ""
    text = node.text(strip=True)
    if not _NOTE_MARK.fullmatch(text) or (node.parent is not None and node.parent.tag == "sup"):
        return ""
    return text if text[0] in "[(" else f"[{text}]"


def is_permalink(node: Any, attributes: Attributes) -> bool:
    """Whether a link only gives the address of the heading that it stands in, or leads back from a note."""
    href = attributes.get("href") or ""
    if "#" not in href:
        return False
    text = node.text(strip=True)
    if text in ("¶", "🔗", "\uf0c1") or _BACK.fullmatch(text):
        return True
    return text in _PERMALINK and bool(_ANCHOR_CLASS.search(attributes.get("class") or ""))


def alternative(attributes: Attributes) -> str:
    """What a picture shows, as the page says; empty where that is only a file name."""
    for name in ("alt", "aria-label", "title"):
        text = " ".join((attributes.get(name) or "").split())
        if text:
            return "" if _FILE_NAME.fullmatch(text) or len(text) > 2000 else text
    return ""


def ruby(node: Any) -> str:
    """Base text without gaps, then its reading in parentheses."""
    base: list[str] = []
    reading: list[str] = []
    stack = [(child, False) for child in reversed(_children(node))]
    while stack:
        child, is_reading = stack.pop()
        if child.tag == "-text":
            (reading if is_reading else base).append(child.text_content)
        elif child.tag != "rp":
            is_reading = is_reading or child.tag in ("rt", "rtc")
            stack += [(each, is_reading) for each in reversed(_children(child))]
    below, above = (
        "".join("".join(parts).split()) if not _spaced(parts) else " ".join("".join(parts).split())
        for parts in (base, reading)
    )
    return f"{below}({above})" if above else below


def drawn(node: Any) -> list[str]:
    """The texts of a drawing in SVG, each once."""
    parts = (part.text(separator=" ") for part in node.css("title, desc, text, foreignObject"))
    return [text for text in dict.fromkeys(" ".join(part.split()) for part in parts) if text]


def formula(node: Any) -> str:
    """A formula in MathML as one line of text."""
    root = Element("math")
    stack = [(child, root) for child in reversed(_children(node))]
    while stack:
        child, parent = stack.pop()
        if child.tag == "-text":
            parent.text = (parent.text or "") + child.text_content
        elif child.tag[0] not in "-!":
            element = SubElement(
                parent, child.tag, {name: value or "" for name, value in child.attributes.items()}
            )
            stack += [(each, element) for each in reversed(_children(child))]
    return " ".join(mathml.equation_text(root).split())


def _spaced(parts: list[str]) -> bool:
    """Whether spaces are part of the script of these parts."""
    return any("a" <= letter.lower() <= "z" for part in parts for letter in part)


def _children(node: Any) -> list[Any]:
    found, child = [], node.child
    while child is not None:
        found.append(child)
        child = child.next
    return found
