"""The text of a Word paragraph: runs, fields, tracked changes, marks of notes, pictures and shapes. Pure.

What stands beside the text (the notes, comments and text boxes) is collected for the caller. Runs in the worker
processes.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar
from xml.etree.ElementTree import Element

from pipeline.extraction import raised_text, symbol_fonts
from pipeline.extraction.docx.document import Document
from pipeline.extraction.docx.drawings import Drawings
from pipeline.extraction.docx.fields import Fields
from pipeline.extraction.docx.styles import Style, font_of, is_on, switch, value
from pipeline.extraction.markdown_writer import note_mark
from pipeline.extraction.monospaced import is_monospaced
from pipeline.extraction.omml import equation_text
from pipeline.extraction.opc import MC, M, W, content_of_alternates

_SPACE = "{http://www.w3.org/XML/1998/namespace}space"
_HIDDEN = {f"{W}{name}" for name in (
    "del", "moveFrom", "pPr", "rPr", "sdtPr", "sdtEndPr", "customXmlPr", "smartTagPr", "delText", "delInstrText",
)}  # fmt: skip
_LITERAL = {
    f"{W}tab": "\t", f"{W}ptab": "\t", f"{W}br": "\n", f"{W}cr": "\n", f"{W}noBreakHyphen": "-",
    f"{W}softHyphen": "", f"{W}lastRenderedPageBreak": "",
}  # fmt: skip
_WHITESPACE = re.compile(r"[\n\r\t]+")


@dataclass
class Beside:
    """What stands beside the text of a block: (mark, note), comments, and the contents of text boxes."""

    notes: list[tuple[str, str, Element]] = field(default_factory=list)  # (mark, kind, note)
    comments: list[Element] = field(default_factory=list)
    boxes: list[Element] = field(default_factory=list)
    blocks: list[str] = field(default_factory=list)  # Markdown of charts and SmartArt
    is_code: bool | None = None  # whether all letters of the block have one width; None without any


class InlineReader:
    """Reads the paragraphs of one part. Fields may span paragraphs, so it is used for all of them, in order."""

    def __init__(self, document: Document, part: str) -> None:
        self._document = document
        self._drawings = Drawings(document, part)
        self._fields = Fields()

    def text(self, paragraph: Element, style: Style, beside: Beside) -> str:
        """A paragraph's text as it is seen, with tabs and line breaks."""
        found = self._children(paragraph, style, beside)
        self._fields.end_of_paragraph()
        return raised_text.resolved(found)

    def _children(self, node: Element, style: Style, beside: Beside) -> str:
        return "".join(self._inline(child, style, beside) for child in node)

    def _inline(self, node: Element, style: Style, beside: Beside) -> str:
        tag = node.tag
        if tag == f"{W}r":
            return self._run(node, style, beside)
        if tag in _HIDDEN:
            return ""
        if tag in (f"{M}oMath", f"{M}oMathPara"):
            return equation_text(node) if self._fields.shown else ""
        if tag == f"{MC}AlternateContent":
            return "".join(self._inline(each, style, beside) for each in content_of_alternates(node))
        return self._children(node, style, beside)

    def _run(self, run: Element, style: Style, beside: Beside) -> str:
        properties = run.find(f"{W}rPr")
        font = style.font
        if properties is not None:
            own = self._document.styles.get(value(properties.find(f"{W}rStyle")))
            hidden = switch(properties, "vanish")
            if hidden is None:
                hidden = own.hidden or style.hidden
            font = font_of(properties) or own.font or font
            if properties.find(f"{W}del") is not None or properties.find(f"{W}moveFrom") is not None:
                hidden = True
        else:
            hidden = style.hidden
        pieces = [self._piece(child, font, hidden, beside) for child in run]
        return "" if hidden else raised_text.marked("".join(pieces), _position(properties))

    def _piece(self, node: Element, font: str, hidden: bool, beside: Beside) -> str:
        tag = node.tag
        if tag == f"{W}fldChar":
            return self._fields.mark(node)
        if tag == f"{W}instrText":
            return self._fields.code(node.text or "")
        if hidden or not self._fields.shown or tag in _HIDDEN:
            return ""
        if tag == f"{W}t":
            if (node.text or "").strip():
                beside.is_code = beside.is_code is not False and is_monospaced(font)
            return symbol_fonts.text_in(font, _text(node))
        if tag in _LITERAL:
            return _LITERAL[tag]
        special = self._SPECIAL.get(tag)
        return special(self, node, beside) if special is not None else ""

    def _symbol(self, node: Element, beside: Beside) -> str:
        code = node.get(f"{W}char", "")
        try:
            return symbol_fonts.character(int(code[:8], 16), node.get(f"{W}font", ""))
        except ValueError:
            return ""

    def _note(self, node: Element, beside: Beside) -> str:
        kind = "footnote" if node.tag == f"{W}footnoteReference" else "endnote"
        note = self._document.notes(kind).get(node.get(f"{W}id", ""))
        custom = is_on(node.get(f"{W}customMarkFollows", "0"))
        mark = "" if custom else self._document.numbers[kind].next()
        if note is not None and self._document.is_first(kind, node.get(f"{W}id", "")):
            beside.notes.append((mark, kind, note))
        return note_mark(mark) if mark and note is not None else ""

    def _comment(self, node: Element, beside: Beside) -> str:
        comment_id = node.get(f"{W}id", "")
        comment = self._document.comments.get(comment_id)
        if comment is not None and self._document.is_first("comment", comment_id):
            beside.comments.append(comment)
        return ""

    def _ruby(self, node: Element, beside: Beside) -> str:
        texts = []
        for name in ("rubyBase", "rt"):
            part = node.find(f"{W}{name}")
            texts.append(self._children(part, Style(), beside).strip() if part is not None else "")
        return f"{texts[0]}({texts[1]})" if texts[1] else texts[0]

    def _drawing(self, node: Element, beside: Beside) -> str:
        drawn = self._drawings.read(node)
        beside.boxes += drawn.boxes
        beside.blocks += drawn.blocks
        return drawn.text

    def _alternate(self, node: Element, beside: Beside) -> str:
        return "".join(self._piece(each, "", False, beside) for each in content_of_alternates(node))

    _SPECIAL: ClassVar[dict[str, Callable[[InlineReader, Element, Beside], str]]] = {
        f"{W}sym": _symbol,
        f"{W}footnoteReference": _note,
        f"{W}endnoteReference": _note,
        f"{W}commentReference": _comment,
        f"{W}ruby": _ruby,
        f"{W}drawing": _drawing,
        f"{W}pict": _drawing,
        f"{W}object": _drawing,
        f"{MC}AlternateContent": _alternate,
    }


def _position(properties: Element | None) -> int:
    """Above 0 of raised text, below 0 of lowered text."""
    aligned = value(properties.find(f"{W}vertAlign")) if properties is not None else None
    return {"superscript": 1, "subscript": -1}.get(aligned or "", 0)


def _text(node: Element) -> str:
    """The text of a w:t, without what pretty printers add.

    Word drops all spaces at the ends of one that does not say that they are kept. Here single ones stay: many a writer
    forgets to say it, and words that stick together are not found.
    """
    text = node.text or ""
    if "\n" in text and node.get(_SPACE) != "preserve":
        text = text.strip()
    return _WHITESPACE.sub(" ", text)
