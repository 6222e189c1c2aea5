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
) -> Iterator[Section]:
    """The sections between `boundaries`, without `passages`, which are in none.

    `has_text(start, end)` says whether there is anything besides headings; None where there is no heading, either.

    A title goes with the text after it, on the next page, too; at the end it goes with the text before it. Of several
    pages in a row with nothing but a title, like slides of pictures, only the last one is joined with the text that
    follows: each of the others is all that its page says.
    """
    for run in _runs(text, boundaries, passages, page_starts, has_text):
        group: Section | None = None
        previous: _Part | None = None
        for part, following in itertools.zip_longest(run, run[1:]):
            joins = previous is not None and group is not None and _goes_on(previous, part, following is None)
            if group is not None and joins:
                anchor = part.start if previous and previous.bare else group.anchor
                group = replace(group, end=part.end, anchor=anchor)
            else:
                if group is not None:
                    yield group
                group = Section(part.start, part.end, part.start)
            previous = part
        if group is not None:
            yield group


def _goes_on(one: _Part, other: _Part, is_last: bool) -> bool:
    if one.bare:
        return one.page == other.page or not other.bare
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
            bare = is_title(words) if known is None else not known
            run.append(_Part(start, end, bisect.bisect_right(page_starts, start), bare))
    yield run
