"""The shapes of one slide of a PowerPoint presentation: texts, groups, tables, charts, SmartArt, pictures.

Pure; runs in the worker processes. Knows nothing of the other slides.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

from pipeline.extraction import raised_text
from pipeline.extraction.content import ExtractError
from pipeline.extraction.omml import equation_text
from pipeline.extraction.opc import DGM, MC, A, C, M, P, Package, R, content_of_alternates
from pipeline.extraction.presentations.slide import Box, Shape, description, items
from pipeline.extraction.spreadsheets.drawingml import chart_text, smartart_text
from pipeline.extraction.table_text import simple_table

TITLES = ("title", "ctrTitle")
_NUMBERS = ("sldNum", "sldImg")
_RUNNING = ("ftr", "hdr", "dt")
_LISTS = ("body", "obj", "half")
_PROPERTIES = tuple(
    f"{P}{name}" for name in ("nvSpPr", "nvGrpSpPr", "nvPicPr", "nvGraphicFramePr", "nvCxnSpPr")
)
_FIELD_TYPES = re.compile(r"slidenum|datetime.*", re.IGNORECASE)


@dataclass
class Found:
    """What the shapes of a slide give; `running` are the texts of its footer."""

    title: str = ""
    shapes: list[Shape] = field(default_factory=list)
    running: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Reader:
    package: Package
    part: str
    places: dict[tuple[str, str], Box]  # of the layout's placeholders
    found: Found

    def shapes(self, parent: Element, inside: Box | None = None) -> None:
        """Read the shapes in a tree or group; those of a group count as standing where the group stands."""
        for node in parent:
            if node.tag == f"{MC}AlternateContent":
                self._alternate(node, inside)
            elif node.tag == f"{P}grpSp":
                box = inside or _box(node.find(f"{P}grpSpPr/{A}xfrm"))
                self._described(node, box)
                self.shapes(node, box)
            elif node.tag == f"{P}sp":
                self._text_shape(node, inside)
            elif node.tag == f"{P}graphicFrame":
                self._frame(node, inside or _box(node.find(f"{P}xfrm")))
            elif node.tag in (f"{P}pic", f"{P}cxnSp"):
                self._described(node, inside or _box(node.find(f"{P}spPr/{A}xfrm")))

    def _alternate(self, node: Element, inside: Box | None) -> None:
        chosen = Element("alternate")
        chosen.extend(content_of_alternates(node))
        self.shapes(chosen, inside)

    def _text_shape(self, node: Element, inside: Box | None) -> None:
        holder = node.find(f"{P}nvSpPr/{P}nvPr/{P}ph")
        kind = "" if holder is None else holder.get("type", "obj")
        body = node.find(f"{P}txBody")
        if kind in _NUMBERS or _is_invisible(node):
            return
        if kind in _RUNNING:
            self.found.running.append("" if body is None else plain(body, without_fields=True))
            return
        if body is None:
            self._described(node, inside or _box(node.find(f"{P}spPr/{A}xfrm")))
            return
        if kind in TITLES and not self.found.title:
            self.found.title = plain(body)
            return
        box = inside or _box(node.find(f"{P}spPr/{A}xfrm"))
        if box is None and holder is not None:
            index = holder.get("idx", "")
            box = self.places.get(("", index)) if index else self.places.get((kind, ""))
        self._add(markdown_text(body, kind in _LISTS), box)

    def _frame(self, node: Element, box: Box | None) -> None:
        self._described(node, box)
        for data in node.iter(f"{A}graphicData"):
            for each in data.iter():
                if each.tag == f"{A}tbl":
                    self._add(simple_table(_cells(each)), box)
                elif each.tag == f"{C}chart" or each.tag.endswith("/chartex}chart"):
                    self._add(self._related(each.get(f"{R}id", ""), "chart"), box)
                elif each.tag == f"{DGM}relIds":
                    self._add(self._related(each.get(f"{R}dm", ""), "SmartArt"), box)
                elif each.tag == f"{P}oleObj":
                    kind = " ".join((each.get("progId") or each.get("name") or "object").split())
                    self.found.warnings.append(f"An embedded object ({kind[:60]}) is not read.")
                    return

    def _related(self, relation: str, what: str) -> str:
        target = self.package.relations(self.part).get(relation)
        with contextlib.suppress(ExtractError):
            if target is not None and not target.external:
                root = self.package.xml(target.target)
                return chart_text(root) if what == "chart" else smartart_text(root) or self._drawn(root)
        self.found.warnings.append(f"A {what} is damaged and not read.")
        return ""

    def _drawn(self, data: Element) -> str:
        """The text of a SmartArt's drawing, for the data part that has none."""
        for part in self.package.related(self.part, "diagramDrawing"):
            return "\n".join(
                f"- {plain(body)}" for body in self.package.xml(part).iter() if body.tag.endswith("}txBody")
            )
        return ""

    def _described(self, node: Element, box: Box | None) -> None:
        for tag in _PROPERTIES:
            properties = node.find(f"{tag}/{P}cNvPr")
            if properties is not None and properties.get("hidden") not in ("1", "true"):
                self._add(description(properties.get("descr", "")), box)

    def _add(self, text: str, box: Box | None) -> None:
        if text:
            self.found.shapes.append(Shape(text, box))


def read(package: Package, part: str, root: Element, places: dict[tuple[str, str], Box]) -> Found:
    """What the shapes of a slide, a note page or another such part say."""
    found = Found()
    tree = root.find(f"{P}cSld/{P}spTree")
    if tree is not None:
        _Reader(package, part, places, found).shapes(tree)
    return found


def layout_places(root: Element) -> dict[tuple[str, str], Box]:
    """Where the placeholders of a layout stand, by ("", index) and (type, "")."""
    found: dict[tuple[str, str], Box] = {}
    for node in root.iter(f"{P}sp"):
        holder = node.find(f"{P}nvSpPr/{P}nvPr/{P}ph")
        box = _box(node.find(f"{P}spPr/{A}xfrm"))
        if holder is not None and box is not None:
            found.setdefault((holder.get("type", "obj"), ""), box)
            if index := holder.get("idx", ""):
                found["", index] = box
    return found


def plain(body: Element, without_fields: bool = False) -> str:
    """The text of a body, a line for each paragraph; `without_fields` leaves out page numbers and dates of today."""
    lines = (_runs(paragraph, without_fields).strip() for paragraph in body.iter(f"{A}p"))
    return "\n".join(line for line in lines if line)


def markdown_text(body: Element, is_list: bool) -> str:
    """The paragraphs of a body; `is_list`: those that do not say otherwise have bullets."""
    return items(_paragraphs(body, is_list))


def _paragraphs(body: Element, is_list: bool) -> Iterator[tuple[str, str]]:
    counts: dict[int, int] = {}
    for paragraph in body.iter(f"{A}p"):
        text = _runs(paragraph, False)
        if not text.strip():
            continue
        properties = paragraph.find(f"{A}pPr")
        level = 0
        bullet, numbered = is_list, False
        if properties is not None:
            depth = properties.get("lvl", "0")
            level = min(int(depth), 8) if depth.isdecimal() else 0
            bullet = properties.find(f"{A}buNone") is None and (
                is_list or properties.find(f"{A}buChar") is not None
            )
            numbered = properties.find(f"{A}buAutoNum") is not None
        if numbered:
            start = properties.find(f"{A}buAutoNum").get("startAt", "1") if properties is not None else "1"  # type: ignore[union-attr]
            counts[level] = counts.get(level, (int(start) if start.isdecimal() else 1) - 1) + 1
            counts = {each: count for each, count in counts.items() if each <= level}
            yield f"{'  ' * level}{counts[level]}. ", text
        else:
            counts = {each: count for each, count in counts.items() if each < level}
            yield (f"{'  ' * level}- " if bullet else ""), text


def _runs(paragraph: Element, without_fields: bool) -> str:
    pieces: list[str] = []
    for node in paragraph:
        if node.tag == f"{A}r":
            properties = node.find(f"{A}rPr")
            baseline = properties.get("baseline", "") if properties is not None else ""
            position = -1 if baseline.startswith("-") else int(baseline.strip("0%") != "")
            pieces.append(raised_text.marked(node.findtext(f"{A}t") or "", position))
        elif node.tag == f"{A}br":
            pieces.append("\n")
        elif node.tag == f"{A}fld":
            if not (without_fields or _FIELD_TYPES.fullmatch(node.get("type", ""))):
                pieces.append(node.findtext(f"{A}t") or "")
        elif node.tag == f"{MC}AlternateContent" or node.tag.endswith("}m"):
            alternatives = content_of_alternates(node) if node.tag.startswith(MC) else [node]
            pieces += (equation_text(formula) for each in alternatives for formula in each.iter(f"{M}oMath"))
    return raised_text.resolved("".join(pieces)).replace("\v", "\n")


def _cells(table: Element) -> list[list[str]]:
    return [
        [
            "" if cell.get("hMerge") in ("1", "true") or cell.get("vMerge") in ("1", "true") else plain(cell)
            for cell in row.iter(f"{A}tc")
        ]
        for row in table.iter(f"{A}tr")
    ]


def _is_invisible(node: Element) -> bool:
    properties = node.find(f"{P}nvSpPr/{P}cNvPr")
    return properties is not None and properties.get("hidden") in ("1", "true")


def _box(node: Element | None) -> Box | None:
    offset, size = (None, None) if node is None else (node.find(f"{A}off"), node.find(f"{A}ext"))
    if offset is None or size is None:
        return None
    try:
        left, top = float(offset.get("x", "")), float(offset.get("y", ""))
        return Box(left, top, left + float(size.get("cx", "")), top + float(size.get("cy", "")))
    except ValueError:
        return None


def notes(root: Element) -> str:
    """The speaker's notes of a note page, without its header, footer and picture of the slide."""
    texts = []
    for node in root.iter(f"{P}sp"):
        holder = node.find(f"{P}nvSpPr/{P}nvPr/{P}ph")
        kind = "" if holder is None else holder.get("type", "obj")
        body = node.find(f"{P}txBody")
        if kind not in (*_NUMBERS, *_RUNNING) and body is not None:
            paragraphs = (_runs(each, True).strip() for each in body.iter(f"{A}p"))
            texts += [text for text in paragraphs if text]
    return "\n\n".join(texts)
