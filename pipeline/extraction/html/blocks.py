"""Which elements are blocks, and how far apart they stand. Pure."""

from __future__ import annotations

from typing import Any

from pipeline.extraction.html.writer import LINE, PARAGRAPH

_APART = """p section article main figure fieldset form details header footer aside hgroup center body nav dl
    table caption menu dir"""
_ON_A_LINE = """div address summary figcaption legend dialog search noscript thead tbody tfoot tr td th optgroup hr
    frameset noframes li dt dd"""
MARGINS = dict.fromkeys(_APART.split(), PARAGRAPH) | dict.fromkeys(_ON_A_LINE.split(), LINE)
HEADINGS = {f"h{level}": level for level in range(1, 7)}


def headed(root: Any) -> frozenset[int]:
    """The elements that hold a heading, by `mem_id`: a list item or a quote that does so is a part of the layout."""
    found: set[int] = set()
    for heading in root.css("h1, h2, h3, h4, h5, h6"):
        parent = heading.parent
        while parent is not None and parent.mem_id not in found:
            found.add(parent.mem_id)
            parent = parent.parent
    return frozenset(found)
