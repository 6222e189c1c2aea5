"""The sections of a text, which are split each on its own: from one boundary to the next, where each has some text.

A section that only has a title is joined with a neighbour. Pure; runs in the worker processes.
"""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from pipeline.extraction.title_lines import is_title


@dataclass(frozen=True)
class Section:
    """The characters `start` to `end`. What starts before `anchor` is the title of what stands there, and has the page
    and the heading of it."""

    start: int
    end: int
    anchor: int

    def place_of(self, start: int) -> int:
        """The offset that says which page and heading the text from `start` on has."""
        return max(start, self.anchor)


@dataclass(frozen=True)
class _Part:
    start: int
    end: int
    page: int
    bare: bool  # it only has a title


def sections(
    text: str,
    boundaries: Sequence[int],
    passages: Sequence[tuple[int, int]],
    page_starts: Sequence[int],
    has_text: Callable[[int, int], bool | None],
    over_pages: bool = True,
) -> Iterator[Section]:
    """The sections between `boundaries`, without `passages`, which are in none.

    `has_text(start, end)` says whether there is anything besides headings; None where there is no heading, either.

    A title goes with the text after it, on the next page, too, if `over_pages`; at the end it goes with the text before
    it. Of several pages in a row with nothing but a title, like slides of pictures, only the last one is joined with
    the text that follows: each of the others is all that its page says.
    """
    for run in _runs(text, boundaries, passages, page_starts, has_text):
        group: Section | None = None
        previous: _Part | None = None
        for part, following in itertools.zip_longest(run, run[1:]):
            if group and previous and _goes_on(previous, part, following is None, over_pages):
                group = replace(group, end=part.end, anchor=part.start if previous.bare else group.anchor)
            else:
                if group:
                    yield group
                group = Section(part.start, part.end, part.start)
            previous = part
        if group:
            yield group


def _goes_on(one: _Part, other: _Part, is_last: bool, over_pages: bool) -> bool:
    same_page = one.page == other.page
    if not (same_page or over_pages):
        return False
    if one.bare:
        return same_page or not other.bare
    return other.bare and is_last


def _runs(
    text: str,
    boundaries: Sequence[int],
    passages: Sequence[tuple[int, int]],
    page_starts: Sequence[int],
    has_text: Callable[[int, int], bool | None],
) -> Iterator[list[_Part]]:
    """What stands between two passages, in parts; those without any text are left out."""
    ends = dict(passages)
    edges = sorted({0, *boundaries, *itertools.chain.from_iterable(passages), len(text)})
    first_on_page = {*page_starts}
    run: list[_Part] = []
    at = 0  # the end of the last passage
    for start, end in itertools.pairwise(edges):
        if start in ends:
            yield run
            run = []
        at = max(at, ends.get(start, 0))
        if start < at:
            continue
        words = text[start:end].strip()
        if words:
            known = has_text(start, end)
            # A whole page of a few lines may be a label or a receipt: a title page has one or two.
            of_page = start in first_on_page
            bare = is_title(words, 2 if of_page else 4) if known is None else not known
            run.append(_Part(start, end, bisect.bisect_right(page_starts, start), bare))
    yield run
