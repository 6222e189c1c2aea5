"""Writes parts of Markdown: tables and fenced code. Pure; runs in the worker processes."""

from __future__ import annotations

import re
from collections.abc import Sequence

_FENCE = re.compile(r"^`{3,}", re.MULTILINE)


def table(rows: Sequence[Sequence[str]]) -> str:
    """The rows as Markdown, the first as header; a cell becomes one line. Empty where there is no row."""
    lines = []
    width = max((len(row) for row in rows), default=0)
    for at, row in enumerate(rows):
        cells = [" ".join(cell.split()) for cell in row]
        lines.append("| " + " | ".join(cells + [""] * (width - len(cells))) + " |")
        if not at:
            lines.append("|" + " --- |" * width)
    return "\n".join(lines)


def fenced(code: str, language: str = "") -> str:
    """A block of code, in a fence longer than any in it; empty where there is none."""
    code = code.strip("\r\n").rstrip()
    if not code:
        return ""
    longest = max((len(found[0]) for found in _FENCE.finditer(code)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{code}\n{fence}"
