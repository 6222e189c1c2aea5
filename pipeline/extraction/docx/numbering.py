"""The numbers of a Word document's lists and headings, which are counted while it is read. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

from pipeline.extraction import list_numbers
from pipeline.extraction.docx.styles import integer, is_on, value
from pipeline.extraction.opc import W

_BOXES = ("☐", "☑", "☒")  # bullets that say whether an item is done
_PLACE = re.compile(r"%([1-9])")
_MAX_LABEL = 60


@dataclass(frozen=True)
class Level:
    start: int = 1
    style: str = "decimal"
    text: str = ""
    restart: int | None = None  # counts anew after a number of this level or a higher one; 0: never
    legal: bool = False  # shows the numbers of all levels as decimals
    paragraph_style: str | None = None


@dataclass
class _Counters:
    """Lists of the same abstract numbering go on counting together."""

    values: dict[int, int] = field(default_factory=dict)
    started: set[tuple[str, int]] = field(default_factory=set)  # (list, level) whose own start has been used


class Numbering:
    """The lists of a document. `label` counts, so it is called once for each paragraph, in their order."""

    def __init__(self, root: Element | None) -> None:
        self._abstract: dict[str, dict[int, Level]] = {}
        self._style_links: dict[str, str] = {}
        self._links: dict[str, str] = {}
        self._lists: dict[str, tuple[str, dict[int, Level], dict[int, int]]] = {}
        self._counters: dict[str, _Counters] = {}
        for node in root if root is not None else ():
            if node.tag == f"{W}abstractNum":
                self._add_abstract(node)
            elif node.tag == f"{W}num":
                self._add_list(node)

    def add_definition(self, definition_id: str, levels: dict[int, Level]) -> None:
        """The levels (from 0) that lists may have."""
        self._abstract[definition_id] = levels

    def add_list(
        self, list_id: str, definition_id: str, overrides: dict[int, Level], starts: dict[int, int]
    ) -> None:
        """A list of a definition, with levels and first numbers of its own."""
        self._lists[list_id] = (definition_id, overrides, starts)

    def level_of_style(self, list_id: str | None, style_id: str) -> int | None:
        """The level of a list that is bound to a paragraph style."""
        levels = self._levels(list_id)
        found = (number for number, level in levels.items() if level.paragraph_style == style_id)
        return next(found, None)

    def label(self, list_id: str | None, level: int) -> str | None:
        """The next number of a list as it is shown; None if there is no such list.

        It is "-" for a bullet, "- ☒" for a box, and empty where nothing is shown.
        """
        levels = self._levels(list_id)
        if list_id is None or level not in levels:
            return None
        abstract_id, _, starts = self._lists[list_id]
        counters = self._counters.setdefault(abstract_id, _Counters())
        self._count(counters, levels, starts, list_id, level)
        if levels[level].style == "bullet":
            bullet = levels[level].text.strip()  # a blank stands before a further paragraph of an item
            return f"- {bullet}" if bullet in _BOXES else "-" if bullet else ""
        return self._shown(levels, counters.values, level)

    def _count(
        self, counters: _Counters, levels: dict[int, Level], starts: dict[int, int], list_id: str, level: int
    ) -> None:
        values = counters.values
        if level in starts and (list_id, level) not in counters.started:
            values.pop(level, None)
        counters.started.add((list_id, level))
        for upper in range(level):
            values.setdefault(upper, starts.get(upper, levels.get(upper, Level()).start))
        first = starts.get(level, levels[level].start)
        values[level] = values[level] + 1 if level in values else first
        for lower in [each for each in values if each > level]:
            restart = levels.get(lower, Level()).restart
            if restart is None or level < restart:
                del values[lower]

    def _shown(self, levels: dict[int, Level], values: dict[int, int], level: int) -> str:
        def number(found: re.Match[str]) -> str:
            at = int(found[1]) - 1
            if at not in values:
                return ""
            style = levels.get(at, Level()).style
            legal = levels[level].legal and style not in ("none", "decimalZero")
            return list_numbers.shown(values[at], "decimal" if legal else style)

        return " ".join(_PLACE.sub(number, levels[level].text).split())[:_MAX_LABEL]

    def _levels(self, list_id: str | None) -> dict[int, Level]:
        if list_id is None or list_id not in self._lists:
            return {}
        abstract_id, overrides, _ = self._lists[list_id]
        levels = self._abstract.get(abstract_id, {})
        if not levels and abstract_id in self._links:
            levels = self._abstract.get(self._style_links.get(self._links[abstract_id], ""), {})
        return {**levels, **overrides} if overrides else levels

    def _add_abstract(self, node: Element) -> None:
        abstract_id = node.get(f"{W}abstractNumId", "")
        levels = (_level(each) for each in node.findall(f"{W}lvl"))
        self.add_definition(abstract_id, dict(levels))
        if link := value(node.find(f"{W}numStyleLink")):
            self._links[abstract_id] = link
        if link := value(node.find(f"{W}styleLink")):
            self._style_links[link] = abstract_id

    def _add_list(self, node: Element) -> None:
        overrides, starts = {}, {}
        for each in node.findall(f"{W}lvlOverride"):
            at = integer(each.get(f"{W}ilvl")) or 0
            start = integer(value(each.find(f"{W}startOverride")))
            if start is not None:
                starts[at] = start
            if (level := each.find(f"{W}lvl")) is not None:
                overrides[at] = _level(level)[1]
        abstract_id = value(node.find(f"{W}abstractNumId")) or ""
        self.add_list(node.get(f"{W}numId", ""), abstract_id, overrides, starts)


def _level(node: Element) -> tuple[int, Level]:
    start = integer(value(node.find(f"{W}start")))
    style = node.find(f"{W}numFmt")
    if style is None:  # a format that only newer versions know
        style = next(node.iter(f"{W}numFmt"), None)
    legal = node.find(f"{W}isLgl")
    level = Level(
        0 if start is None else start,
        value(style) or "decimal",
        (value(node.find(f"{W}lvlText")) or "")[:_MAX_LABEL],
        integer(value(node.find(f"{W}lvlRestart"))),
        legal is not None and is_on(value(legal)),
        value(node.find(f"{W}pStyle")),
    )
    return integer(node.get(f"{W}ilvl")) or 0, level
