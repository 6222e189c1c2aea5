"""Finds the lines of hex and octal dumps, as xxd, hexdump, od and debuggers print them, by their addresses. Pure.

A table of numbers looks the same; but in a dump each address is the one before it plus the bytes between them.
"""

from __future__ import annotations

import re

_LINE = re.compile(
    r"^[ \t]*(?:0x)?([0-9a-fA-F]{4,16}):?[ \t]{1,8}((?:[0-9a-fA-F]{2,16}[ \t-]{1,4}){1,31}[0-9a-fA-F]{2,16})(?![\w.,])",
    re.MULTILINE,
)
_GROUP = re.compile(r"[0-9a-fA-F]+")
_BYTES = {2: 1, 3: 1, 4: 2, 6: 2, 8: 4, 16: 8}  # by digits of a group; three and six are octal
_FEWEST = 4  # bytes on a line
_REPEATED = 16  # bytes; a line "*" stands for several lines


def dump_lines(text: str) -> set[int]:
    """The offsets in `text` where a line of a dump begins. The time is linear in the length of the text."""
    found: set[int] = set()
    before: tuple[int, str, int] | None = None  # offset, address, bytes
    for match in _LINE.finditer(text):
        line = match.start(), match[1], _count(match[2])
        if line[2] < _FEWEST:
            before = None
            continue
        if before and _follows(before, line, "\n*\n" in text[before[0] : line[0]]):
            found.update((before[0], line[0]))
        before = line
    return found


def _count(groups: str) -> int:
    """The bytes in groups of one width; what stands behind them as characters may look like another group."""
    digits = [len(group) for group in _GROUP.findall(groups)]
    same = next((at for at, each in enumerate(digits) if each != digits[0]), len(digits))
    return same * _BYTES.get(digits[0], 0)


def _follows(before: tuple[int, str, int], line: tuple[int, str, int], skipped: bool) -> bool:
    for base in (16, 8):
        try:
            step = int(line[1], base) - int(before[1], base)
        except ValueError:
            continue
        if step == before[2] or (skipped and step > 0 and step % _REPEATED == 0):
            return True
    return False
