"""The text of an OpenDocument paragraph: spans, fields, notes, comments, frames. Pure.

What stands beside the text is collected for the caller. Runs in the worker processes.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

from pipeline.extraction import raised_text
from pipeline.extraction.markdown_writer import note_mark
from pipeline.extraction.mathml import equation_text
from pipeline.extraction.odf import CHART, DC, DRAW, OFFICE, SVG, TABLE, TEXT, XLINK, OpenDocument
from pipeline.extraction.odt.styles import Styles, number

_WHITESPACE = re.compile(r"[ \t\r\n]+")
_MATH = "{http://www.w3.org/1998/Math/MathML}math"
_XML_ID = "{http://www.w3.org/XML/1998/namespace}id"
_MAX_SPACES = 1000
_SILENT = {
    f"{OFFICE}annotation-end", f"{OFFICE}forms", f"{OFFICE}event-listeners", f"{OFFICE}binary-data",
    f"{TEXT}tracked-changes", f"{TEXT}script", f"{TEXT}note-citation", f"{DRAW}glue-point",
    f"{TEXT}alphabetical-index-mark", f"{TEXT}toc-mark", f"{SVG}title", f"{SVG}desc",
}  # fmt: skip
_BLOCKS = {f"{TEXT}p", f"{TEXT}h", f"{TEXT}list", f"{TABLE}table"}
_FILE_NAME = re.compile(r"\S+\.(?:png|jpe?g|gif|bmp|tiff?|emf|wmf|svg|webp|svm)", re.IGNORECASE)


@dataclass
class Beside:
    """What stands beside the text of a block: notes as (mark, body), comments, and elements that hold blocks."""

    notes: list[tuple[str, Element]] = field(default_factory=list)
    comments: list[Element] = field(default_factory=list)
    boxes: list[Element] = field(default_factory=list)
    charts: list[Element] = field(default_factory=list)
    hidden: bool = False  # the paragraph hides itself


class InlineReader:
    """Reads paragraphs, in order: a tracked deletion may go from one into another."""

    def __init__(self, document: OpenDocument, styles: Styles) -> None:
        self._document = document
        self._styles = styles
        self._deletions: set[str] = (
            set()
        )  # tracked; most writers keep the text elsewhere, flat files have it here
        self._open: set[str] = set()
        self._objects: set[str] = set()

    @property
    def in_deletion(self) -> bool:
        """Whether the text here is deleted."""
        return bool(self._open)

    def add_changes(self, changes: Element) -> None:
        """The text:tracked-changes of the document."""
        for region in changes.iter(f"{TEXT}changed-region"):
            if region.find(f"{TEXT}deletion") is not None:
                self._deletions |= {region.get(f"{TEXT}id", ""), region.get(_XML_ID, "")} - {""}

    def text(self, node: Element, beside: Beside) -> str:
        """The text of a paragraph or heading as it is seen, with tabs and line breaks."""
        text = self._content(node, beside)
        return "" if beside.hidden else raised_text.resolved(text)

    def drawing(self, node: Element, beside: Beside) -> str:
        """The alternative text and equations of a frame or shape; its other content goes to `beside`."""
        described = [" ".join((node.findtext(f"{SVG}{name}") or "").split()) for name in ("title", "desc")]
        texts = [
            f" [Picture: {each}] "
            for each in dict.fromkeys(described)
            if each and not _FILE_NAME.fullmatch(each)
        ]
        for child in node:
            if child.tag in (f"{DRAW}object", f"{DRAW}object-ole"):
                texts.append(self._object(child, beside))
                break  # what follows is a picture of it
            if child.tag in _BLOCKS:  # a shape with text
                beside.boxes.append(node)
                break
            if child.tag == f"{DRAW}text-box":
                beside.boxes.append(child)
            elif child.tag.startswith(DRAW):
                texts.append(self.drawing(child, beside))
        return "".join(texts)

    def _content(self, node: Element, beside: Beside) -> str:
        pieces = [self._seen(node.text)]
        for child in node:
            pieces.append(self._inline(child, beside))
            pieces.append(self._seen(child.tail))
        return "".join(pieces)

    def _seen(self, text: str | None) -> str:
        return "" if self._open else _WHITESPACE.sub(" ", text or "")

    def _inline(self, node: Element, beside: Beside) -> str:
        tag = node.tag
        if tag in (f"{TEXT}change-start", f"{TEXT}change-end"):
            self._change(node)
            return ""
        if tag in _SILENT or (self._open and tag != f"{TEXT}span"):
            return ""
        if tag == f"{TEXT}span":
            style = self._styles.get("text", node.get(f"{TEXT}style-name"))
            return "" if style.hidden else raised_text.marked(self._content(node, beside), style.position)
        if special := _SPECIAL.get(tag):
            return special(self, node, beside)
        if tag.startswith(DRAW) and tag != f"{DRAW}a":
            return self.drawing(node, beside)
        if tag in _BLOCKS:
            return f" {self._content(node, beside)} "
        return self._content(node, beside)

    def _change(self, node: Element) -> None:
        change = node.get(f"{TEXT}change-id", "")
        if node.tag == f"{TEXT}change-end":
            self._open.discard(change)
        elif change in self._deletions:
            self._open.add(change)

    def _spaces(self, node: Element, beside: Beside) -> str:
        return " " * min(number(node.get(f"{TEXT}c")), _MAX_SPACES)

    def _tab(self, node: Element, beside: Beside) -> str:
        return "\t"

    def _break(self, node: Element, beside: Beside) -> str:
        return "\n"

    def _note(self, node: Element, beside: Beside) -> str:
        citation = node.find(f"{TEXT}note-citation")
        body = node.find(f"{TEXT}note-body")
        if body is None:
            return ""
        mark = "" if citation is None else "".join("".join(citation.itertext()).split())
        beside.notes.append((mark, body))
        return note_mark(mark) if mark else ""

    def _comment(self, node: Element, beside: Beside) -> str:
        beside.comments.append(node)
        return ""

    def _ruby(self, node: Element, beside: Beside) -> str:
        base, above = node.find(f"{TEXT}ruby-base"), node.find(f"{TEXT}ruby-text")
        text = self._content(base, beside) if base is not None else ""
        ruby = self._content(above, beside).strip() if above is not None else ""
        return f"{text}({ruby})" if ruby else text

    def _hidden_text(self, node: Element, beside: Beside) -> str:
        return "" if node.get(f"{TEXT}is-hidden") == "true" else self._content(node, beside)

    def _hidden_paragraph(self, node: Element, beside: Beside) -> str:
        beside.hidden = beside.hidden or node.get(f"{TEXT}is-hidden") == "true"
        return ""

    def _object(self, node: Element, beside: Beside) -> str:
        """An embedded equation or chart, which stands in a part of its own or, in a flat file, here."""
        href = node.get(f"{XLINK}href")
        if href in self._objects:
            return ""  # it has been read
        if href:
            self._objects.add(href)
        content = self._document.object_content(href) if href else node
        if content is None:
            return ""
        math = content if content.tag == _MATH else content.find(f".//{_MATH}")
        if math is not None:
            return f" {' '.join(equation_text(math).split())} "
        if (chart := content.find(f".//{CHART}chart")) is not None:
            beside.charts.append(chart)
        return ""


_SPECIAL: dict[str, Callable[[InlineReader, Element, Beside], str]] = {
    f"{TEXT}s": InlineReader._spaces,
    f"{TEXT}tab": InlineReader._tab,
    f"{TEXT}line-break": InlineReader._break,
    f"{TEXT}note": InlineReader._note,
    f"{OFFICE}annotation": InlineReader._comment,
    f"{TEXT}ruby": InlineReader._ruby,
    f"{TEXT}hidden-text": InlineReader._hidden_text,
    f"{TEXT}hidden-paragraph": InlineReader._hidden_paragraph,
}


def comment_of(node: Element) -> tuple[str, str]:
    """Author and text of an office:annotation."""
    author = "".join((node.findtext(f"{DC}creator") or "").split("\n")).strip()
    texts = (" ".join("".join(each.itertext()).split()) for each in node.iter() if each.tag == f"{TEXT}p")
    return author, " ".join(text for text in texts if text)
