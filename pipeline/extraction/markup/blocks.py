"""What the line-based markup languages share: paragraphs, indentation and the rows of drawn tables. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

_TAB = 8
_GRID_BORDER = re.compile(r"[ \t]*\+[-=+]{2,}\+[ \t]*\Z")


_WIDE = "\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff"
_BETWEEN_WIDE = re.compile(rf"(?<=[{_WIDE}])[ \t]*\n[ \t]*(?=[{_WIDE}])")


def joined(text: str) -> str:
    """The text in one line; between Chinese or Japanese characters a line end is no space."""
    return " ".join(_BETWEEN_WIDE.sub("", text).split())


def indent(line: str) -> int:
    """The columns of spaces that a line begins with."""
    expanded = line.expandtabs(_TAB)
    return len(expanded) - len(expanded.lstrip(" "))


def dedented(lines: Sequence[str]) -> list[str]:
    """The lines without the indentation that they share, and without blank lines at the ends."""
    expanded = [line.expandtabs(_TAB).rstrip() for line in lines]
    least = min((indent(line) for line in expanded if line), default=0)
    result = [line[least:] for line in expanded]
    while result and not result[0]:
        result.pop(0)
    while result and not result[-1]:
        result.pop()
    return result


def indented_block(lines: Sequence[str], at: int, more_than: int) -> int:
    """The offset after the lines from `at` on that are blank or indented by more columns."""
    end = at
    while end < len(lines) and (not lines[end].strip() or indent(lines[end]) > more_than):
        end += 1
    while end > at and not lines[end - 1].strip():
        end -= 1
    return end


def is_grid_border(line: str) -> bool:
    return _GRID_BORDER.match(line) is not None


def grid_rows(lines: Sequence[str], plain: Callable[[str], str]) -> list[list[str]]:
    """The rows of a table that is drawn with `+---+`; a cell that spans several columns stands in the first."""
    rows: list[list[str]] = []
    current: list[list[str]] = []
    edges = [at for at, character in enumerate(lines[0]) if character == "+"] if lines else []
    for line in lines[1:]:
        if is_grid_border(line):
            if current:
                rows.append([plain(" ".join(part for part in cell if part)) for cell in current])
            current = []
        else:
            cells = _cut(line, edges)
            current += [[] for _ in range(len(cells) - len(current))]
            for cell, part in zip(current, cells, strict=False):
                cell.append(part.strip().strip("|").strip() if not re.fullmatch(r"[\s+|=-]*", part) else "")
    return rows


def _cut(line: str, edges: Sequence[int]) -> list[str]:
    """The cells of a line, cut at those edges where it has a border."""
    cuts = [edge for edge in edges if edge < len(line) and line[edge] in "|+"] or [0]
    ends = [*cuts[1:], len(line)]
    return [line[start + 1 : end] for start, end in zip(cuts, ends, strict=True) if start + 1 < len(line)]
