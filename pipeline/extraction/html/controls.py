"""What the controls of a form show: values, choices, and buttons that are more than a button. Pure."""

from __future__ import annotations

from typing import Any

from pipeline.extraction.html import inline
from pipeline.extraction.html.visibility import Attributes

_SHOWN_TYPES = " text email number tel url date search time datetime-local month week"
_SHOWN_INPUTS = frozenset(_SHOWN_TYPES.split(" "))  # the first one is that of an input without a type
_MAX_VALUE = 500  # characters
_MAX_LABEL = 40  # characters of a button that is no content
_REVEALING = frozenset(("aria-expanded", "aria-controls", "data-toggle", "data-bs-toggle"))
_CONTENT_AROUND = frozenset(("summary", "dt", "legend", "th", "td", "p"))


def input_text(node: Any, attributes: Attributes) -> str:
    """The value that a person typed or sees; empty for hidden values and buttons."""
    kind = (attributes.get("type") or "").lower()
    if kind in ("checkbox", "radio"):
        return _box(kind, node, attributes)
    if kind == "image":
        return inline.alternative(attributes)
    value = attributes.get("value") or ""
    return value if kind in _SHOWN_INPUTS and len(value) < _MAX_VALUE else ""


def _box(kind: str, node: Any, attributes: Attributes) -> str:
    """A box as Markdown writes it: one that is ticked and has words, or that is an item of a list of tasks.

    Pages have many more, without words: what a click on them shows or hides is decided by a style sheet.
    """
    listed = any(each.tag == "li" for each in _around(node))
    if "checked" in attributes:
        return "[x]" if listed or "disabled" in attributes or _has_words(node) else ""
    is_task = "disabled" in attributes or (listed and "name" not in attributes)
    return "[ ]" if kind == "checkbox" and is_task else ""


def _has_words(node: Any) -> bool:
    """Whether a box has a label, or a text right behind it."""
    following = node.next
    if following is not None and following.tag == "-text" and not following.text_content.strip():
        following = following.next
    behind = (
        following is not None and following.tag in ("-text", "label") and bool(following.text(strip=True))
    )
    return behind or any(each.tag == "label" for each in _around(node))


def _around(node: Any) -> list[Any]:
    """The element that a control stands in, and the one around it."""
    parent = node.parent
    return [each for each in (parent, parent.parent if parent is not None else None) if each is not None]


def chosen(node: Any) -> str:
    """The options of a list that are selected, else the first one, which is shown."""
    options = node.css("option")
    selected = [each for each in options if "selected" in each.attributes]
    return " ".join(each.text(strip=True) for each in selected or options[:1])


def is_mere_button(node: Any) -> bool:
    """Whether a button only names an action, and is not part of a text or holds one."""
    if not _REVEALING.isdisjoint(node.attributes) or "accordion" in (node.attributes.get("class") or ""):
        return False
    parent = node.parent.tag if node.parent is not None else ""
    if parent in _CONTENT_AROUND or node.css_first("p, div, h1, h2, h3, h4") is not None:
        return False
    return len(node.text(strip=True)) < _MAX_LABEL
