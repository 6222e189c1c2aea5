"""Fields of a Word document: their results are text, their codes are not. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

from pipeline.extraction import symbol_fonts
from pipeline.extraction.docx.styles import integer, is_on, value
from pipeline.extraction.opc import W

_MAX_OPEN = 100  # fields inside one another
_MAX_CODE = 2_000  # characters
_BUTTON = re.compile(r"\s*(?:MACROBUTTON|GOTOBUTTON)\s+\S+\s+(.+)", re.IGNORECASE | re.DOTALL)
_SYMBOL = re.compile(
    r"\s*SYMBOL\s+(0x[0-9a-f]{1,6}|\d{1,7})\b(?:.*?\\f\s*\"?([^\"\\]+))?", re.IGNORECASE | re.DOTALL
)


@dataclass
class _Field:
    in_result: bool = False
    code: list[str] = field(default_factory=list)
    size: int = 0  # characters of the code
    form: str = ""  # what a form field without a result shows


class Fields:
    """The fields that are open at a place in the text."""

    def __init__(self) -> None:
        self._open: list[_Field] = []

    @property
    def shown(self) -> bool:
        """Whether text here is seen: it is in no field, or in the results of all."""
        return all(each.in_result for each in self._open)

    def mark(self, node: Element) -> str:
        """A w:fldChar begins, divides or ends a field; the text that the field shows without a result."""
        kind = node.get(f"{W}fldCharType", "")
        if kind == "begin":
            self.begin(_form(node.find(f"{W}ffData")))
        elif kind == "separate":
            self.separate()
        elif kind == "end":
            return self.end()
        return ""

    def begin(self, form: str = "") -> None:
        """A field begins with its code; `form` is what it shows as a form field without a result."""
        if len(self._open) < _MAX_OPEN:
            self._open.append(_Field(form=form))

    def separate(self) -> None:
        """The result of the innermost field begins."""
        if self._open:
            self._open[-1].in_result = True

    def end(self) -> str:
        """The innermost field ends; the text that it shows without a result."""
        if not self._open:
            return ""
        ended = self._open.pop()
        if not self.shown:
            return ""
        return ended.form if ended.form or ended.in_result else shown_by_code("".join(ended.code))

    def code(self, text: str) -> str:
        """A piece of a field's code."""
        if self._open and self._open[-1].size < _MAX_CODE:
            self._open[-1].code.append(text)
            self._open[-1].size += len(text)
        return ""

    def end_of_paragraph(self) -> None:
        """A code that does not end with its paragraph is taken as ended, lest a damaged field hide all that follows."""
        while self._open and not self._open[-1].in_result:
            self._open.pop()


def shown_by_code(code: str) -> str:
    """What a field shows that never has a result."""
    if button := _BUTTON.match(code):
        return f" {button[1].strip()} "  # its frame keeps it apart from what stands beside it
    if symbol := _SYMBOL.match(code):
        return symbol_fonts.character(int(symbol[1], 0), (symbol[2] or "").strip())
    return ""


def _form(data: Element | None) -> str:
    """A check box's state, or the chosen entry of a list; the text of other form fields is their result."""
    if data is None:
        return ""
    box = data.find(f"{W}checkBox")
    if box is not None:
        state = box.find(f"{W}checked")
        if state is None:
            state = box.find(f"{W}default")
        return "☒" if state is not None and is_on(value(state)) else "☐"
    entries = data.find(f"{W}ddList")
    if entries is None:
        return ""
    names = [value(each) or "" for each in entries.findall(f"{W}listEntry")]
    at = integer(value(entries.find(f"{W}result"))) or integer(value(entries.find(f"{W}default"))) or 0
    return names[at] if 0 <= at < len(names) else ""
