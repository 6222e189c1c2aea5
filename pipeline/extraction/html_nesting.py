"""Makes deeply nested HTML shallow: the extractor silently leaves out what lies below some sixty levels.

Pure; runs in the worker processes.
"""

from __future__ import annotations

import re

DEEP = 45  # levels, as weighed here, from which on a page is made shallow
KEPT = 30  # of its levels

# What pages nest, and the levels that one of them brings with the rows, cells and items in it.
_WRAPPERS = """div span section article main aside nav header footer center font form fieldset blockquote details figure
    b i u em strong small big code tt a label ins del q cite"""
_LEVELS = {"table": 4, "ul": 2, "ol": 2, "dl": 2} | dict.fromkeys(_WRAPPERS.split(), 1)
_TAG = re.compile(
    rf"<(/?)({'|'.join(sorted(_LEVELS, key=len, reverse=True))})(?=[\s/>])[^>]*>", re.IGNORECASE
)


def flatten(page: str) -> str:
    """The page, without the wrappers that stand too deep in it; what is in them stays. Linear in its length."""
    return _TAG.sub(_Counter(KEPT), page) if _depth(page) > DEEP else page


def _depth(page: str) -> int:
    counter = _Counter(DEEP)
    for tag in _TAG.finditer(page):
        counter(tag)
    return counter.deepest


class _Counter:
    """Counts levels, tag by tag; a tag below the `most` kept becomes a line end."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._level = 0
        self.deepest = 0

    def __call__(self, tag: re.Match[str]) -> str:
        levels = _LEVELS[tag[2].lower()]
        if tag[0].endswith("/>"):
            return tag[0]
        level = self._level
        if tag[1]:
            self._level = max(0, level - levels)
        else:
            self._level = level = level + levels
        self.deepest = max(self.deepest, level)
        return tag[0] if level <= self._most else "\n"
