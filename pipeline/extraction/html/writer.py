"""Writes Markdown from a stream of inline text and block boundaries. Pure; knows nothing of HTML elements."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pipeline.extraction import markdown
from pipeline.extraction.raised_text import resolved

LINE, PARAGRAPH = 1, 2  # line ends between two blocks
BREAK = "\n"  # a line end inside a paragraph
GAP = "\x1f"  # becomes a space where it stands between two words, else nothing
_MAX_INDENT = 24  # characters; deeper lists stay at that indent

_WHITESPACE = re.compile(r"[ \t\n\r\f\xa0]+")
_GAP = re.compile(r"(?<=[^\s\x1f])\x1f+(?=[^\s\x1f.,;:!?)\]}»”’])")
_AROUND_BREAK = re.compile(r" *\n *")
_SPACES = re.compile(r" {2,}")
_INVISIBLE = str.maketrans("", "", "\xad\x00\x1f")


def collapsed(text: str) -> str:
    """The text of a text node as it stands inside a paragraph."""
    return _WHITESPACE.sub(" ", text)


def joined(parts: list[str]) -> str:
    """One paragraph from its parts: text, raised and lowered text, breaks and gaps."""
    text = _GAP.sub(" ", resolved("".join(parts))).translate(_INVISIBLE)
    return _SPACES.sub(" ", _AROUND_BREAK.sub("\n", text)).strip()


@dataclass
class _Prefix:
    """What stands before the lines of a list item or a quote: `first` before the first line, once."""

    first: str
    rest: str
    is_new: bool = True


class Writer:
    """Collects the text of blocks. All methods are called in the order of the document."""

    def __init__(self) -> None:
        self.inline: list[str] = []
        self.heading = 0  # the level of the heading that is open
        self._out: list[str] = []
        self._prefixes: list[_Prefix] = []
        self._margin = 0

    def text(self, text: str) -> None:
        """Adds inline text; whitespace in it is collapsed."""
        self.inline.append(" " if text.isspace() else _WHITESPACE.sub(" ", text))

    def raw(self, text: str) -> None:
        """Adds BREAK, GAP, or a text whose whitespace stays."""
        self.inline.append(text)

    def block(self, margin: int) -> None:
        """Ends the current paragraph; at least `margin` line ends separate it from what follows."""
        if self.inline:
            self._flush()
        if not (self._prefixes and self._prefixes[-1].is_new):  # a marker stands beside its first paragraph
            self._margin = max(self._margin, margin)

    def open_prefix(self, first: str, rest: str) -> None:
        """The lines that follow belong to an item or a quote. To be called after `block`."""
        deep = sum(len(prefix.rest) for prefix in self._prefixes) + len(rest) > _MAX_INDENT
        self._prefixes.append(_Prefix(first, "" if deep else rest))

    def close_prefix(self) -> None:
        """The innermost item or quote has ended. To be called after `block`."""
        self._prefixes.pop()

    def tighten(self) -> None:
        """What follows stands on the next line, whatever the blocks before asked for."""
        self._margin = min(self._margin, LINE)

    def lines(self, lines: list[str]) -> None:
        """Writes lines as they are, as a block of their own."""
        self.block(PARAGRAPH)
        self._emit(lines)
        self._margin = PARAGRAPH

    def result(self) -> str:
        """The whole text."""
        self.block(LINE)
        return "".join(self._out)

    @property
    def written(self) -> int:
        """The number of pieces that are written so far."""
        return len(self._out)

    def _flush(self) -> None:
        text = joined(self.inline)
        self.inline.clear()
        if not text:
            return
        if self.heading:
            self._emit(["#" * self.heading + " " + text.replace("\n", " ")])
        else:
            self._emit(markdown.literal(text).split("\n"))

    def _emit(self, lines: list[str]) -> None:
        if self._out:
            self._out.append("\n" * max(LINE, self._margin))
        self._margin = 0
        first = "".join(prefix.first for prefix in self._prefixes)
        for prefix in self._prefixes:
            prefix.first, prefix.is_new = prefix.rest, False
        rest = "".join(prefix.rest for prefix in self._prefixes)
        self._out.append(first + lines[0])
        for line in lines[1:]:
            self._out.append(f"\n{rest}{line}" if line else "\n" + rest.rstrip())
