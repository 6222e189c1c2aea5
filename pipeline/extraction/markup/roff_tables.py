"""The tables of tbl, as the rows between .TS and .TE. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

_TAB_OPTION = re.compile(r"tab\s*\(\s*(.)\s*\)", re.IGNORECASE)


def rows(lines: Sequence[str], plain: Callable[[str], str]) -> list[list[str]]:
    """The cells of each row; `plain` makes the text of a cell."""
    tab, lines = "\t", list(lines)
    if lines and lines[0].rstrip().endswith(";"):
        option = _TAB_OPTION.search(lines[0])
        tab, lines = option[1] if option else tab, lines[1:]
    lines = _after_format(lines)
    result: list[list[str]] = []
    block: list[str] | None = None  # the lines between T{ and T}
    row: list[str] = []
    for line in lines:
        if block is not None:
            if not line.startswith("T}"):
                block.append(line)
                continue
            row.append(_joined(block, plain))
            block, rest = None, line[2:].lstrip(tab)
            if not rest:
                result.append(row)
                row = []
                continue
            line = rest
        elif re.match(r"[.'](?:T&|[A-Za-z])", line):
            continue
        if line.strip() in ("_", "=", ""):
            continue
        cells = line.split(tab)
        if cells[-1].strip() == "T{":
            row += [plain(cell) for cell in cells[:-1]]
            block = []
        else:
            result.append(row + [plain(cell) for cell in cells])
            row = []
    return [[cell.replace("\\^", "").strip() for cell in each] for each in result]


def _after_format(lines: list[str]) -> list[str]:
    """The lines after the description of the columns, which ends with a full stop."""
    for at, line in enumerate(lines[:40]):
        if line.rstrip().endswith("."):
            return lines[at + 1 :]
    return lines


def _joined(block: Sequence[str], plain: Callable[[str], str]) -> str:
    words = []
    for line in block:
        if line.startswith((".", "'")):
            macro, _, rest = line[1:].partition(" ")
            if macro in ("B", "I", "BR", "IR", "RB", "RI", "BI", "IB", "SM"):
                words.append(plain(rest.replace('"', "")).replace(" ", "" if len(macro) == 2 else " "))
        else:
            words.append(plain(line))
    return " ".join(words)
