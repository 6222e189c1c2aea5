"""The headings of a text: where each starts, and which ones apply to a chunk; those of Markdown are found here.

Pure; runs in the worker processes. Knows nothing of tokens or files.
"""

from __future__ import annotations

import bisect
import itertools
import re
from collections.abc import Iterable, Iterator, Sequence

from pipeline.extraction.content import WORD, Heading

PATH_SEPARATOR = " › "
# Characters: what is taken for a heading may be a megabyte long, and is stored with each of its chunks.
_MAX_TITLE = 200
_MARK = re.compile(
    r"^ {0,3}(?:(?P<fence>`{3,}|~{3,})(?P<info>.*)"
    r"|(?P<level>#{1,6})[ \t]+(?P<title>.+)"
    r"|(?P<above>(?!\||(?:[-*+>]|\d{1,9}[.)])[ \t])\S.{0,200})\n {0,3}(?P<under>=+|-{3,})[ \t]*\r?$)",
    re.MULTILINE,
)
# Without it, the closing line of the block would make a heading of its last entry.
_FRONT_MATTER = re.compile(
    r"\A---[ \t]*\r?\n(?:(?:\w[\w.-]*:|[ \t-]).*\n){0,100}?(?:---|\.\.\.)[ \t]*\r?(?:\n|\Z)"
)
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")


class Outline:
    """The headings of `text`. A heading applies to the page that it is on, at most.

    `page_starts` are offsets in characters, ascending. Without `headings`, `text` is Markdown, and the headings are its
    own, without those inside fenced code.
    """

    def __init__(
        self, text: str, page_starts: Sequence[int] = (), headings: Sequence[Heading] | None = None
    ) -> None:
        self._text = text
        self._pages = [0, *page_starts, len(text)]
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._paths: list[str] = []
        for begin, end in itertools.pairwise(self._pages):
            if headings is None:
                self._add(_markdown_headings(text, begin, end))
            else:
                first, last = (bisect.bisect_left(headings, at, key=_start) for at in (begin, end))
                self._add(headings[first:last])

    def boundaries(self) -> list[int]:
        """The offsets where headings start, without those that directly follow another heading."""
        return [start for at, start in enumerate(self._starts) if not (at and self._follows(at))]

    def heading_path(self, start: int, end: int) -> str | None:
        """The headings of the chunk from `start` to `end`, like "Guide › Install"; None before the first one."""
        here = bisect.bisect_right(self._starts, start) - 1
        if here < 0 or self._page(self._starts[here]) != self._page(start):
            return None
        while (
            start <= self._ends[here]
            and here + 1 < len(self._starts)
            and self._starts[here + 1] < end
            and self._follows(here + 1)
        ):
            here += 1
            start = self._starts[here]
        return self._paths[here] or None

    def has_text(self, start: int, end: int) -> bool | None:
        """Whether there is anything besides headings from `start` to `end`; None if there is no heading, either."""
        first, last = (bisect.bisect_left(self._starts, at) for at in (start, end))
        if first == last:
            return None
        begins = [start, *self._ends[first:last]]
        ends = [*self._starts[first:last], end]
        return any(self._text[begin:stop].strip() for begin, stop in zip(begins, ends, strict=True))

    def _add(self, headings: Iterable[Heading]) -> None:
        trail: list[tuple[int, str]] = []
        for heading in headings:
            while trail and trail[-1][0] >= heading.level:
                trail.pop()
            if title := _shortened(heading.title):
                trail.append((heading.level, title))
            self._starts.append(heading.start)
            self._ends.append(heading.end)
            self._paths.append(PATH_SEPARATOR.join(name for _, name in trail))

    def _follows(self, at: int) -> bool:
        between = self._ends[at - 1], self._starts[at]
        return self._page(between[0]) == self._page(between[1]) and not self._text[slice(*between)].strip()

    def _page(self, offset: int) -> int:
        return bisect.bisect_right(self._pages, offset)


def _start(heading: Heading) -> int:
    return heading.start


def _shortened(title: str) -> str:
    return title if len(title) <= _MAX_TITLE else title[: _MAX_TITLE - 1].rstrip() + "…"


def _markdown_headings(text: str, begin: int, end: int) -> Iterator[Heading]:
    """The headings between two offsets; the titles are not empty."""
    fence = ""
    front = None if begin else _FRONT_MATTER.match(text, 0, end)
    for mark in _MARK.finditer(text, front.end() if front else begin, end):
        if mark["fence"]:
            if not fence:
                fence = "" if mark["fence"][0] == "`" in mark["info"] else mark["fence"]
            elif mark["fence"].startswith(fence) and not mark["info"].strip():
                fence = ""
        elif not fence:
            if mark["level"]:
                level, title = len(mark["level"]), mark["title"].strip().rstrip("#")
            else:
                level, title = (1 if mark["under"][0] == "=" else 2), mark["above"]
            title = _LINK.sub(r"\1", title[:2000]).replace("`", "").replace("**", "").strip()
            if title and (mark["level"] or WORD.search(title)):
                yield Heading(mark.start(), mark.end(), level, title)
