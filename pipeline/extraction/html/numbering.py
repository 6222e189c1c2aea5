"""The numbers of ordered lists as they are shown. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from pipeline.extraction import list_numbers
from pipeline.extraction.html.visibility import Attributes

_INTEGER = re.compile(r"\s*(-?\d{1,9})")

_STYLES = {
    "decimal": "1", "lower-alpha": "a", "lower-latin": "a", "upper-alpha": "A", "upper-latin": "A", "lower-roman": "i",
    "upper-roman": "I",
}  # fmt: skip
_STYLE = re.compile(rf"(?i)\blist-style(?:-type)?\s*:[^;]*?({'|'.join(_STYLES)})")


@dataclass
class Numbering:
    """An open ordered list: its next number, and how it counts."""

    next: int
    step: int = 1
    style: str = "1"  # the attribute `type`

    def marker(self, attributes: Attributes) -> str:
        """What stands before the next item, whose attributes are given, like "3. " or "c. "."""
        number = _integer(attributes.get("value"), self.next)
        self.next = number + self.step
        shown = str(number)
        if self.style in ("a", "A"):
            shown = list_numbers.letters(number)
        elif self.style in ("i", "I"):
            shown = list_numbers.roman(number)
        return f"{shown.upper() if self.style.isupper() else shown}. "


def numbering(node: Any, attributes: Attributes) -> Numbering | None:
    """That of a list; None where its items have no numbers."""
    if node.tag != "ol":
        return None
    is_reversed = "reversed" in attributes
    first = sum(1 for _ in _items(node)) if is_reversed else 1
    step = -1 if is_reversed else 1
    styled = _STYLE.search(attributes.get("style") or "")
    style = _STYLES[styled[1].lower()] if styled else (attributes.get("type") or "1").strip()
    return Numbering(_integer(attributes.get("start"), first), step, style)


def _items(node: Any) -> Any:
    child = node.child
    while child is not None:
        if child.tag == "li":
            yield child
        child = child.next


def _integer(text: str | None, default: int) -> int:
    found = _INTEGER.match(text or "")
    return int(found[1]) if found else default
