"""Makes deeply nested HTML shallow: kreuzberg silently leaves out what is below some sixty levels.

Pure; runs in the worker processes.
"""

from __future__ import annotations

import re

MAX_DEPTH = 45  # levels, as counted here; a page with more is made shallow
KEPT_DEPTH = 30  # levels that a page which is made shallow keeps

# The elements that pages nest, and the levels that one of them adds with the rows, cells and items in it.
_WRAPPERS = """div span section article main aside nav header footer center font form fieldset blockquote details figure
    b i u em strong small big code tt a label ins del q cite"""
_LEVELS = {"table": 4, "ul": 2, "ol": 2, "dl": 2} | dict.fromkeys(_WRAPPERS.split(), 1)
_TAG = re.compile(
    rf"<(/?)({'|'.join(sorted(_LEVELS, key=len, reverse=True))})(?=[\s/>])[^>]*>", re.IGNORECASE
)


def flatten(page: str) -> str:
    """The page without elements that are nested too deep; their content stays. The time is linear in its length."""
    return _TAG.sub(_DepthCounter(KEPT_DEPTH), page) if _depth(page) > MAX_DEPTH else page


def _depth(page: str) -> int:
    counter = _DepthCounter(MAX_DEPTH)
    for tag in _TAG.finditer(page):
        counter(tag)
    return counter.deepest


class _DepthCounter:
    """Counts levels, tag by tag; a tag deeper than `max_level` is replaced by a line end."""

    def __init__(self, max_level: int) -> None:
        self._max_level = max_level
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
        return tag[0] if level <= self._max_level else "\n"
