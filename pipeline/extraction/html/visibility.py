"""Which elements of a page a person does not see or read: hidden ones, and the site's navigation. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

Attributes = dict[str, str | None]

# Never text: code, data, what is shown only when something else fails, and controls without words.
_UNSEEN_NAMES = """head script style template iframe object embed applet video audio canvas map area datalist meter
    progress param source track link meta base wbr title colgroup col frameset noframes rp basefont bgsound
    command keygen annotation annotation-xml"""
UNSEEN = frozenset(_UNSEEN_NAMES.split())
_HIDING_STYLE = re.compile(
    r"(?i)(?:^|[;\s])(?:display\s*:\s*none|visibility\s*:\s*hidden|mso-hide\s*:\s*all)"
)
_NAVIGATION_ROLES = frozenset(("navigation", "menu", "menubar", "search", "toolbar"))
_NAVIGATION_NAME = re.compile(
    r"(?i)(?:^|[-_\s])(?:nav|navbar|navheader|navfooter|nav-panel|navigation|navi|menu|topmenu|mainmenu|submenu|breadcrumbs?|pagination|pager"
    r"|skip-?links?|skip-to-content|sitenav|sidenav|topnav|mw-jump-link|mw-editsection|printfooter|catlinks)(?:$|[-_\s])"
)
_CONTAINERS_NAMES = """div ul ol section aside header footer table p menu span"""
_CONTAINERS = frozenset(_CONTAINERS_NAMES.split())
_PROSE = 300  # characters outside of links that make a navigation element worth keeping
_REVEALED = re.compile(r"(?i)\btab|pane|collaps|accordion|toggle|spoiler|expand|answer|faq")
_HIDING = frozenset(("hidden", "style", "aria-hidden"))
_ARIA_CONTENT = 200  # characters of an aria-hidden element that is content all the same
_NEIGHBOURS = 'a[rel="next"], a[rel="prev"], a[rel="up"]'
_CONTENT = "p, h1, h2, h3, table, article, main"


@dataclass
class Visibility:
    """Decides for one rendering of a page. `left_out` counts the characters of what was left out as navigation."""

    hidden: bool = False  # keep what is hidden
    navigation: bool = False  # keep navigation
    noscript: bool = False  # keep what is for browsers without scripts
    left_out: int = 0
    any_hidden: bool = False

    def skips(self, node: Any, tag: str, attributes: Attributes) -> bool:
        """Whether the element and all in it is left out."""
        if tag in UNSEEN:
            return not (tag == "title" and _inside_picture(node))
        if tag == "noscript":
            return not self.noscript
        if tag == "dialog" and "open" not in attributes and not self.hidden:
            return True
        if not _HIDING.isdisjoint(attributes) and self._is_hidden(node, tag, attributes):
            self.any_hidden = True
            return not self.hidden
        if not self.navigation and _is_navigation(node, tag, attributes):
            self.left_out += len(node.text(strip=True))
            return True
        return False

    def _is_hidden(self, node: Any, tag: str, attributes: Attributes) -> bool:
        if "note" in (attributes.get("epub:type") or ""):
            return False  # readers of books show a note when its mark is touched
        if _is_revealed(node, attributes):
            return False
        if "hidden" in attributes and (attributes["hidden"] or "").lower() != "until-found":
            return True
        if (style := attributes.get("style")) and _HIDING_STYLE.search(style):
            return True
        if attributes.get("aria-hidden") != "true" or tag in ("html", "body"):
            return False
        if tag == "math" or node.css_first(_CONTENT) is not None:
            return False
        return len(node.text(strip=True)) < _ARIA_CONTENT


def _is_revealed(node: Any, attributes: Attributes) -> bool:
    """Whether a person reads the element after a click: the panel of a tab, the answer below a question."""
    parent = node.parent.attributes if node.parent is not None else {}
    names = (each.get(name) or "" for each in (attributes, parent) for name in ("class", "id", "role"))
    return bool(_REVEALED.search(" ".join(names)))


def _is_navigation(node: Any, tag: str, attributes: Attributes) -> bool:
    if tag == "nav" or (attributes and attributes.get("role") in _NAVIGATION_ROLES):
        whole = len(node.text(strip=True))
        return whole - _linked(node) < _PROSE or _linked(node) * 2 > whole
    if not attributes or tag not in _CONTAINERS:
        return False
    names = f"{attributes.get('class') or ''} {attributes.get('id') or ''}"
    if names == "header " and node.css_first(_NEIGHBOURS) is not None:  # of a manual that Texinfo made
        return len(node.text(strip=True)) < _PROSE
    if len(names) < 3 or not _NAVIGATION_NAME.search(names):
        return False
    linked = _linked(node)
    return linked > 0 and linked * 10 >= len(node.text(strip=True)) * 6


def _linked(node: Any) -> int:
    """The number of characters inside links."""
    return sum(len(link.text(strip=True)) for link in node.css("a"))


def _inside_picture(node: Any) -> bool:
    parent = node.parent
    while parent is not None and parent.tag != "svg":
        if parent.tag in ("html", "body", "head"):
            return False
        parent = parent.parent
    return parent is not None
