"""The text of <pre> with its whitespace. Pure."""

from __future__ import annotations

import re
from typing import Any

from pipeline.extraction.html import inline
from pipeline.extraction.html.visibility import Attributes, Visibility

_LINE_NUMBERS = re.compile(
    r"(?:^|\s)(?:linenos|linenodiv|lineno|gutter|line-numbers-rows|blob-num|sourceLineNo)(?:$|\s)"
)


def fenced(node: Any, visibility: Visibility) -> list[str]:
    """The lines of a <pre> as fenced code; none where it has no text."""
    inner = text(node, visibility)
    fence = "```"
    while fence in inner:
        fence += "`"
    return [fence, *inner.split("\n"), fence] if inner.strip() else []


def text(node: Any, visibility: Visibility) -> str:
    """The lines of a <pre>, without blank lines around them, and without line numbers of their own."""
    parts: list[str] = []
    stack = [node.child]
    while stack:
        child = stack.pop()
        if child is None:
            continue
        stack.append(child.next)
        tag = child.tag
        if tag == "-text":
            parts.append(child.text_content)
        elif tag == "br":
            parts.append("\n")
        elif tag == "img":
            parts.append(inline.alternative(child.attributes))
        elif tag[0] not in "-!":
            attributes = child.attributes
            if not visibility.skips(child, tag, attributes) and not is_line_number(attributes):
                stack.append(child.child)
    return "".join(parts).replace("\xad", "").replace("\xa0", " ").strip("\n").rstrip()


def is_line_number(attributes: Attributes) -> bool:
    """Whether an element only numbers the lines of the code beside it."""
    return bool(_LINE_NUMBERS.search(attributes.get("class") or ""))
