"""The tables of AsciiDoc: cells that begin with `|`, or lines with separators. Pure."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Sequence

_BAR = "\ue000"  # stands for a bar that separates no cells
_CELL = re.compile(
    r"(?:(?:(?<=\s)|^)(?P<repeat>\d+\*)?(?:\d+)?(?:\.\d+)?\+?[<^>.]*[aehlmdsv]?)?\|", re.MULTILINE
)


def rows(lines: Sequence[str], style: str, mark: str, plain: Callable[[str], str]) -> list[list[str]]:
    """The rows; `style` is the line of attributes above, `mark` the first character of the border."""
    separator = re.search(r'\bseparator="?(\S)', style)
    if mark in ",:" or re.search(r'\bformat="?(?:csv|dsv|tsv)', style):
        given = "," if mark == "," or "csv" in style else ":" if mark == ":" or "dsv" in style else "\t"
        try:
            read = list(
                csv.reader([line for line in lines if line], delimiter=separator[1] if separator else given)
            )
        except csv.Error:
            read = [[line] for line in lines]
        return [[plain(cell) for cell in row] for row in read]
    text = "\n".join(line for line in lines if not line.startswith("//"))
    own = separator[1] if separator else "!" if mark == "!" else "|"
    text = text if own == "|" else text.replace("|", _BAR).replace(own, "|")
    text = text.replace("\\|", _BAR)
    cells = _cells(text, plain)
    width = _columns(style) or _first_row(text) or len(cells) or 1
    return [cells[at : at + width] for at in range(0, len(cells), width)]


def _cells(text: str, plain: Callable[[str], str]) -> list[str]:
    found = list(_CELL.finditer(text))
    ends = [each.start() for each in found[1:]] + [len(text)]
    cells: list[str] = []
    for cell, end in zip(found, ends, strict=False):
        repeat = min(50, int((cell["repeat"] or "1*")[:-1] or 1))
        cells += [" ".join(plain(text[cell.end() : end].replace(_BAR, "|")).split())] * repeat
    return cells


def _columns(style: str) -> int:
    """The number of columns that `cols=` declares, like "1,2a,3*"; 0 without it."""
    found = re.search(r"\bcols=(?:\"([^\"]*)\"|'([^']*)'|([^,\]]*))", style)
    if not found:
        return 0
    count = 0
    for part in re.split(r"[,;]", found[1] or found[2] or found[3] or ""):
        repeat = re.match(r"\s*(\d{1,3})\*", part)
        count += int(repeat[1]) if repeat else 1
    return count


def _first_row(text: str) -> int:
    """The number of cells of the first line that has any."""
    for line in text.split("\n"):
        if found := len(_CELL.findall(line)):
            return found
    return 0
