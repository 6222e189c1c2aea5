"""What the styles of an OpenDocument text say of it: hidden text, titles, lists, the pages used. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from pipeline.extraction import list_numbers
from pipeline.extraction.monospaced import is_monospaced
from pipeline.extraction.odf import FO, STYLE, TEXT, text_position

_MAX_CHAIN = 30  # styles that have one another for parents
_FORMATS = {"1": "decimal", "a": "lowerLetter", "A": "upperLetter", "i": "lowerRoman", "I": "upperRoman"}


@dataclass(frozen=True)
class Level:
    """A level of a list. `format` is that of its numbers; empty where they are not shown."""

    bullet: bool
    format: str = ""
    prefix: str = ""
    suffix: str = ""
    shown_levels: int = 1
    start: int = 1


@dataclass(frozen=True)
class Style:
    hidden: bool = False
    title: bool = False
    position: int = 0  # above 0 of raised text, below 0 of lowered text
    list_style: str | None = None
    font: str = ""


class Styles:
    """The styles of a document, from the elements that hold them."""

    def __init__(self, containers: Iterable[Element]) -> None:
        self._nodes: dict[tuple[str, str], Element] = {}
        self._cache: dict[tuple[str, str], Style] = {}
        self.lists: dict[str, dict[int, Level]] = {}
        self.outline: dict[int, Level] = {}
        self.master_pages: dict[str, Element] = {}
        for container in containers:
            for node in container:
                self._add(node)

    def get(self, family: str, name: str | None) -> Style:
        """A style of a family ("paragraph", "text"); one that says nothing if there is none."""
        if not name:
            return Style()
        key = (family, name)
        if key not in self._cache:
            self._cache[key] = self._resolve(family, name)
        return self._cache[key]

    def is_code(self, style: Style) -> bool:
        """Whether paragraphs of a style are code: all letters have one width, unless the whole text is typewritten."""
        return is_monospaced(style.font) and not is_monospaced(self.get("paragraph", "Standard").font)

    def used_pages(self) -> list[Element]:
        """The master pages of the document: the first one, those that styles ask for, and those that follow them."""
        named = [node.get(f"{STYLE}master-page-name") or "" for node in self._nodes.values()]
        names = ["Standard", "Default", *named]
        used: dict[str, Element] = {}
        for name in names:
            current: str | None = name
            while current and current in self.master_pages and current not in used:
                used[current] = self.master_pages[current]
                current = used[current].get(f"{STYLE}next-style-name")
        return list(used.values()) or list(self.master_pages.values())[:1]

    def _add(self, node: Element) -> None:
        name = node.get(f"{STYLE}name", "")
        if node.tag == f"{STYLE}style":
            self._nodes[node.get(f"{STYLE}family", ""), name] = node
        elif node.tag == f"{TEXT}list-style":
            self.lists[name] = _levels(node)
        elif node.tag == f"{TEXT}outline-style":
            self.outline = _levels(node)
        elif node.tag == f"{STYLE}master-page":
            self.master_pages[name] = node

    def _resolve(self, family: str, name: str) -> Style:
        hidden: str | None = None
        list_style: str | None = None
        position: str | None = None
        font = ""
        title = False
        current: str | None = name
        for _ in range(_MAX_CHAIN):
            node = self._nodes.get((family, current or ""))
            title = title or current == "Title"
            if node is None:
                break
            for properties in node.findall(f"{STYLE}text-properties"):
                hidden = hidden or properties.get(f"{TEXT}display")
                position = position or properties.get(f"{STYLE}text-position")
                font = font or properties.get(f"{STYLE}font-name") or properties.get(f"{FO}font-family") or ""
            list_style = list_style if list_style is not None else node.get(f"{STYLE}list-style-name")
            current = node.get(f"{STYLE}parent-style-name")
        return Style(hidden == "none", title, text_position(position or ""), list_style, font)


def label(levels: dict[int, Level], values: dict[int, int], level: int) -> str:
    """The number of a list item or heading as it is shown; `values` holds those of its level and the upper ones."""
    own = levels.get(level)
    if own is None:
        return ""
    if own.bullet:
        return "-"
    if not own.format:
        return f"{own.prefix}{own.suffix}".strip()
    numbers = []
    for at in range(max(1, level - own.shown_levels + 1), level + 1):
        style = levels.get(at, own).format
        if style and at in values:
            numbers.append(list_numbers.shown(values[at], style))
    return f"{own.prefix}{'.'.join(numbers)}{own.suffix}".strip()


def number(text: str | None, default: int = 1) -> int:
    """A number of at most nine digits."""
    return int(text) if text and text.isdecimal() and text.isascii() and len(text) < 10 else default


def _levels(node: Element) -> dict[int, Level]:
    found = {}
    for each in node:
        level = number(each.get(f"{TEXT}level"))
        style = each.get(f"{STYLE}num-format", "")
        found[level] = Level(
            each.tag in (f"{TEXT}list-level-style-bullet", f"{TEXT}list-level-style-image"),
            _FORMATS.get(
                style, "ideographDigital" if style[:1] in "一壱壹" and style else style and "decimal"
            ),
            each.get(f"{STYLE}num-prefix", ""),
            each.get(f"{STYLE}num-suffix", ""),
            number(each.get(f"{TEXT}display-levels")),
            number(each.get(f"{TEXT}start-value")),
        )
    return found
