"""Simplifies Markdown that was written for a renderer: here a person and a model read the source.

Pure; runs in the worker processes.
"""

from __future__ import annotations

import re

_FENCED = re.compile(r"(^(?:```|~~~).*?^(?:```|~~~)[ \t]*$)", re.MULTILINE | re.DOTALL)
# Repeats are bounded, so that a text full of brackets costs no more than its length.
_LABEL = r"((?:[^\[\]\\]|\\.|\[[^\[\]]{0,200}\]){0,1000})"
_TARGET = r"\((?:[^()\\]|\\.|\([^()]{0,500}\)){0,2000}\)"
_IMAGE = re.compile(rf"!\[{_LABEL}\]{_TARGET}")
_LINK = re.compile(rf"\[{_LABEL}\]{_TARGET}")
_ESCAPE = re.compile(r"(`+[^`\n]*`+)|\\([!-/:-@\[-`{-~])")
_EMPTY_ITEM = re.compile(r"^[ \t]*[-*+][ \t]*\n", re.MULTILINE)
_TABLE_ROW = re.compile(r"^\|.*\|[ \t]*$", re.MULTILINE)
_BLANKS = re.compile(r"\n{3,}")
_TITLE = re.compile(r"^#[ \t]+(.+?)[ \t#]*$", re.MULTILINE)

_LOOKS_LIKE_MARKUP = re.compile(r"^( {0,3})(?=#{1,6}[ \t]|`{3}|~{3}|(?:=+|-{3,})[ \t]*\r?$)", re.MULTILINE)
_HEADING = re.compile(r"^( {0,3}#{1,5})(?=[ \t])", re.MULTILINE)


def readable(text: str) -> str:
    """The same Markdown without link targets, images, escapes and padding; fenced code stays as it is."""
    parts = _FENCED.split(text)
    parts[::2] = [_simplified(part) for part in parts[::2]]
    return _BLANKS.sub("\n\n", "".join(parts)).strip()


def title(text: str) -> str | None:
    """The first heading of the first level, outside fenced code."""
    for part in _FENCED.split(text)[::2]:
        if found := _TITLE.search(part):
            return _LINK.sub(r"\1", found[1]).replace("`", "").strip() or None
    return None


def literal(text: str) -> str:
    """Plain text as Markdown: no line of it becomes a heading, or the border of fenced code."""
    return _LOOKS_LIKE_MARKUP.sub(r"\1\\", text)


def demoted(text: str) -> str:
    """The same Markdown with its headings one level lower."""
    parts = _FENCED.split(text)
    parts[::2] = [_HEADING.sub(r"\1#", part) for part in parts[::2]]
    return "".join(parts)


def _simplified(text: str) -> str:
    text = _LINK.sub(r"\1", _IMAGE.sub("", text)).replace("¶", "")
    text = _ESCAPE.sub(lambda found: found[1] or found[2], text)
    text = _TABLE_ROW.sub(lambda row: re.sub(r"-{4,}", "---", re.sub(r" {2,}", " ", row[0])), text)
    return _EMPTY_ITEM.sub("", text)
