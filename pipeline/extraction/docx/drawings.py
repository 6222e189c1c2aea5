"""Pictures and shapes of a Word document: alternative texts, text boxes, WordArt, charts and SmartArt. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

from pipeline.extraction.content import ExtractError
from pipeline.extraction.docx.document import Document
from pipeline.extraction.docx.styles import is_on
from pipeline.extraction.opc import DGM, MC, A, R, W, content_of_alternates
from pipeline.extraction.spreadsheets.drawingml import chart_text, smartart_text

_FILE_NAME = re.compile(r"\S+\.(?:png|jpe?g|gif|bmp|tiff?|emf|wmf|svg|webp|ico)|https?://\S+", re.IGNORECASE)


@dataclass
class Drawn:
    """`text` belongs into the paragraph, text boxes and `blocks` (Markdown) after it."""

    text: str = ""
    boxes: list[Element] = field(default_factory=list)
    blocks: list[str] = field(default_factory=list)


class Drawings:
    """Reads the drawings of one part, whose relations lead to charts and SmartArt."""

    def __init__(self, document: Document, part: str) -> None:
        self._document = document
        self._part = part

    def read(self, node: Element) -> Drawn:
        """What a w:drawing, w:pict or w:object says."""
        drawn = Drawn()
        texts: dict[str, None] = {}
        self._walk(node, drawn, texts)
        drawn.text = "".join(texts)
        return drawn

    def _walk(self, node: Element, drawn: Drawn, texts: dict[str, None]) -> None:
        tag = node.tag
        name = tag.rpartition("}")[2]
        if tag == f"{W}txbxContent":
            drawn.boxes.append(node)
            return
        if name in ("docPr", "cNvPr"):
            if not is_on(node.get("hidden", "0")):
                _add(texts, node.get("descr") or "")
        elif name == "textpath":
            _add(texts, node.get("string") or "", plain=True)
        elif name in ("shape", "rect", "group"):
            _add(texts, node.get("alt") or "")
        elif tag == f"{A}p":
            _add(texts, "".join(each.text or "" for each in node.iter(f"{A}t")), plain=True)
        elif name == "chart" and node.get(f"{R}id"):
            self._linked(node.get(f"{R}id", ""), chart_text, "chart", drawn)
        elif tag == f"{DGM}relIds":
            self._linked(node.get(f"{R}dm", ""), smartart_text, "diagram", drawn)
        children = content_of_alternates(node) if tag == f"{MC}AlternateContent" else node
        for child in children:
            self._walk(child, drawn, texts)

    def _linked(self, relation_id: str, read: Callable[[Element], str], what: str, drawn: Drawn) -> None:
        relation = self._document.package.relations(self._part).get(relation_id)
        if relation is None or relation.external or not self._document.is_first("part", relation.target):
            return
        try:
            drawn.blocks.append(read(self._document.package.xml(relation.target)))
        except ExtractError as error:
            self._document.warn(f"A {what} of the document cannot be read: {error.message}")


def _add(texts: dict[str, None], text: str, plain: bool = False) -> None:
    """Each text of a drawing once: a picture's description stands at several of its elements."""
    text = " ".join(text.split())
    if text and not _FILE_NAME.fullmatch(text):
        texts[f" {text} " if plain else f" [Picture: {text}] "] = None
