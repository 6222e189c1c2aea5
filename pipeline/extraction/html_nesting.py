"""Makes deeply nested HTML shallow, as browsers do at some 500 levels: a parser's time grows with the depth.

Pure; runs in the worker processes.
"""

from __future__ import annotations

import re

MAX_DEPTH = 400  # levels, as counted here; a page with more is made shallow
KEPT_DEPTH = 300  # levels that a page which is made shallow keeps

# Elements that hold nothing, or that the next one of their kind ends.
_NEVER_DEEP_NAMES = """area base br col embed hr img input link meta param source track wbr p li dt dd option optgroup
    rt rp tr td th thead tbody tfoot colgroup html head body title script style"""
_NEVER_DEEP = frozenset(_NEVER_DEEP_NAMES.split())
_LEVELS = {"table": 4, "ul": 2, "ol": 2, "dl": 2}  # with the rows, cells and items inside
_INLINE_NAMES = (
    """b i u em strong small big code tt a font span label ins del q cite s sub sup kbd samp var"""
)
_INLINE = frozenset(_INLINE_NAMES.split())
_TAG = re.compile(r"<(/?)([a-zA-Z][^\s/>]*)[^>]*>")


def flatten(page: str) -> str:
    """The page without elements that are nested too deep; their content stays. The time is linear in its length."""
    return _TAG.sub(_DepthCounter(KEPT_DEPTH), page) if _depth(page) > MAX_DEPTH else page


def _depth(page: str) -> int:
    """The deepest level, or the first one beyond MAX_DEPTH. Runs on every page: no call for each tag."""
    level = deepest = 0
    if page.count("<") <= MAX_DEPTH // 4:  # a table counts as four
        return 0
    for tag in _TAG.finditer(page):
        end, name = tag.group(1, 2)
        if name in _NEVER_DEEP:
            continue
        if end:
            level = max(level - _levels(name), 0)
        elif page[tag.end() - 2] != "/":
            level += _levels(name)
            if level > deepest:
                deepest = level
                if level > MAX_DEPTH:
                    break
    return deepest


def _levels(name: str) -> int:
    name = name.lower()
    return 0 if name in _NEVER_DEEP else _LEVELS.get(name, 1)


class _DepthCounter:
    """Counts levels, tag by tag; a tag deeper than `max_level` is replaced by a line end, or by nothing in a line."""

    def __init__(self, max_level: int) -> None:
        self._max_level = max_level
        self._level = 0

    def __call__(self, tag: re.Match[str]) -> str:
        name = tag[2].lower()
        level, levels = self._level, _levels(name)
        if not levels or tag[0].endswith("/>"):
            return tag[0]
        if tag[1]:
            self._level = max(0, level - levels)
        else:
            self._level = level = level + levels
        if level <= self._max_level:
            return tag[0]
        return "" if name in _INLINE else "\n"
