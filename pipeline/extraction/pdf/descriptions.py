"""The alternative texts of the pictures of a tagged PDF page. Runs in the worker processes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pipeline.extraction.pdf.annotations import utf16

_MAX_DEPTH = 40
_MAX_ELEMENTS = 5_000  # of a page
_FILE_NAME = re.compile(r"[^\s/]+\.(?:png|jpe?g|gif|svg|bmp|tiff?|emf|wmf|webp|eps)", re.IGNORECASE)


def descriptions(raw: Any, page: Any) -> tuple[str, ...]:
    """Each text that stands for a figure, once; names of files are none."""
    tree = raw.FPDF_StructTree_GetForPage(page)
    if not tree:
        return ()
    try:
        found = (" ".join(text.split()) for text in _alternatives(raw, tree))
        return tuple(dict.fromkeys(text for text in found if text and not _FILE_NAME.fullmatch(text)))
    finally:
        raw.FPDF_StructTree_Close(tree)


def _alternatives(raw: Any, tree: Any) -> Iterator[str]:
    children = range(raw.FPDF_StructTree_CountChildren(tree))
    stack = [(raw.FPDF_StructTree_GetChildAtIndex(tree, at), 0) for at in reversed(children)]
    for _ in range(_MAX_ELEMENTS):
        if not stack:
            return
        element, depth = stack.pop()
        if not element:
            continue
        if utf16(raw.FPDF_StructElement_GetType, element) == "Figure":
            yield utf16(raw.FPDF_StructElement_GetAltText, element)
        elif depth < _MAX_DEPTH:
            count = min(raw.FPDF_StructElement_CountChildren(element), _MAX_ELEMENTS)
            stack += [
                (raw.FPDF_StructElement_GetChildAtIndex(element, at), depth + 1)
                for at in reversed(range(count))
            ]
