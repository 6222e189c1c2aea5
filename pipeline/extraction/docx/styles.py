"""What the styles of a Word document say of its text: headings, hidden text, fonts, list levels. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from xml.etree.ElementTree import Element

from pipeline.extraction.monospaced import is_monospaced
from pipeline.extraction.opc import W

_MAX_CHAIN = 30  # styles that are based on one another
_BELOW_TITLE = ("subtitle", "author", "date")
_OFF = ("0", "false", "off")


@dataclass(frozen=True)
class Style:
    """`level` is that of a heading, from 1; `list_id` and `list_level` those of its numbering."""

    level: int | None = None
    hidden: bool = False
    font: str = ""
    list_id: str | None = None
    list_level: int | None = None


class Styles:
    """The styles of a document by their ids, with what they inherit."""

    def __init__(self, root: Element | None) -> None:
        self._nodes: dict[str, Element] = {}
        self._cache: dict[str, Style] = {}
        self.default_paragraph = ""
        for node in root.iter(f"{W}style") if root is not None else ():
            style_id = node.get(f"{W}styleId", "")
            self._nodes[style_id] = node
            if node.get(f"{W}type") == "paragraph" and is_on(node.get(f"{W}default", "0")):
                self.default_paragraph = style_id
        defaults = root.find(f"{W}docDefaults/{W}rPrDefault/{W}rPr") if root is not None else None
        usual = self.get(self.default_paragraph).font or font_of(defaults)
        self.is_typewritten = is_monospaced(usual)  # then such a font is no sign of code

    def get(self, style_id: str | None) -> Style:
        """The style with an id; of one that is nowhere defined, the id says whether it is a heading."""
        if not style_id or style_id not in self._nodes:
            return Style(_level_of_name(style_id or "") or None)
        if style_id not in self._cache:
            self._cache[style_id] = self._resolve(style_id)
        return self._cache[style_id]

    def _resolve(self, style_id: str) -> Style:
        level: int | None = None
        hidden: bool | None = None
        font = ""
        list_id, list_level = None, None
        current: str | None = style_id
        for _ in range(_MAX_CHAIN):
            node = self._nodes.get(current or "")
            if node is None:
                break
            level = _heading_level(node) if level is None else level
            hidden = switch(node.find(f"{W}rPr"), "vanish") if hidden is None else hidden
            font = font or font_of(node.find(f"{W}rPr"))
            numbering = node.find(f"{W}pPr/{W}numPr")
            if numbering is not None and list_id is None:
                list_id = value(numbering.find(f"{W}numId"))
                list_level = integer(value(numbering.find(f"{W}ilvl")))
            current = value(node.find(f"{W}basedOn"))
        return Style(level if level else None, bool(hidden), font, list_id, list_level)


def _heading_level(node: Element) -> int | None:
    """None if the style says nothing, 0 if it says that it is none."""
    outline = integer(value(node.find(f"{W}pPr/{W}outlineLvl")))
    if outline is not None:
        return outline + 1 if 0 <= outline <= 8 else 0
    return _level_of_name(value(node.find(f"{W}name")) or "")


def _level_of_name(name: str) -> int | None:
    """Of "Title", "heading 2" or "Heading2"; 0 of what stands below a title, and may be based on its style."""
    name = name.casefold()
    if name in _BELOW_TITLE:
        return 0
    if name == "title":
        return 1
    number = name.removeprefix("heading").strip()
    return int(number) if number != name and number in set("123456789") else None


def value(node: Element | None) -> str | None:
    return None if node is None else node.get(f"{W}val")


def integer(text: str | None) -> int | None:
    """A number of at most nine digits."""
    text = (text or "").strip()
    digits = text.removeprefix("-")
    return int(text) if digits.isdecimal() and digits.isascii() and len(digits) < 10 else None


def is_on(text: str | None) -> bool:
    """A switch's w:val; the switch alone, without a value, is on."""
    return (text or "1").casefold() not in _OFF


def switch(properties: Element | None, name: str) -> bool | None:
    """A switch among properties; None if they do not have it."""
    node = properties.find(W + name) if properties is not None else None
    return None if node is None else is_on(value(node))


def font_of(properties: Element | None) -> str:
    node = properties.find(f"{W}rFonts") if properties is not None else None
    return "" if node is None else node.get(f"{W}ascii") or node.get(f"{W}hAnsi") or ""
