"""Texts that only announce what follows: titles, headings, running headers. Pure; runs in the worker processes.

Such a text is no chunk of its own: it would be the best hit of each question about its words, and answer none.
"""

from __future__ import annotations

import re

_LINE_LENGTH = 40  # characters on average
_MAX_HEADINGS = 1600
_HEADING = re.compile(r" {0,3}#{1,6}[ \t]+\S")
_FIRST_LINE = re.compile(r"\s*(?P<line>\S.{0,100}?)[ \t]*\r?\n(?:[=*~-]{3,}[ \t]*\r?\n)?[ \t]*\r?\n\s*\S")
_UNDERLINE = re.compile(r" {0,3}(?:=+|-{3,})[ \t]*")
_STATEMENT = re.compile(
    r"[.!。！．][\"'”’»)\]*_`]*$"
)  # a sentence ends here; a question is a title of its answer
_DATA = re.compile(r"[|\t]|^\s*[-*+>•·][ \t]")  # rows of tables, items of lists, quotes


def first_line_title(text: str) -> str:
    """The title of a plain text: its first line, if that is one, stands alone, and text follows; else an empty one."""
    start = _FIRST_LINE.match(text)
    return (
        start["line"] if start and re.search(r"[^\W\d_]", start["line"]) and is_title(start["line"]) else ""
    )


def is_title(text: str, max_lines: int = 4) -> bool:
    """Whether a text without white space at its ends consists of a few short lines that are no sentences, or of
    headings of Markdown."""
    if len(text) > _MAX_HEADINGS:
        return False
    lines = [line for line in text.splitlines() if line.strip() and not _UNDERLINE.fullmatch(line)]
    if all(map(_HEADING.match, lines)):
        return True
    if len(text) > max_lines * _LINE_LENGTH or len(lines) > max_lines:
        return False
    return not any(_DATA.search(line) or _STATEMENT.search(line.rstrip()) for line in lines)
