"""Finds the headers and footers of pages. Pure; runs in the worker processes.

A line is one of them if it is equal on many pages, or a lone page number. What differs in more than the page number,
such as the number of an invoice or a date, is text.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence

from pipeline.extraction.pdf.layout import Line
from pipeline.extraction.pdf.page import Page

_MARGIN = 0.15  # of the page's height, at its top and its bottom
_OUTERMOST = 3  # lines
_MIN_PAGES = 3
_FIRST_NUMBER_BY = 60  # pages: so many may come before the one whose number is 1

_PAGE_WORDS = (
    r"page|pages|pg|seite|página|pagina|pàgina|pág|pag|strana|strona|stran|sida|side|sivu|oldal|lk|страница|стр|"
    r"сторінка|σελίδα|sayfa|halaman|trang|صفحة|עמוד|頁|页|ページ|第|p|s|с"
)
_OF = r"of|von|de|di|sur|из|z|van|av|af|fra|/|\|"
_LONE = re.compile(
    rf"[\s\-–—|·.\[(~]*(?:(?:{_PAGE_WORDS})[.:]?\s*)?(?P<number>\d{{1,4}}|[ivxlc]{{1,8}}|[IVXLC]{{1,8}})"
    rf"(?:\s*(?:{_OF})\s*\d{{1,5}})?\s*(?:頁|页|ページ|쪽)?[\s\-–—|·.\])~]*",
    re.IGNORECASE,
)
_AT_THE_END = re.compile(
    rf"(?P<text>.*\S)(?:\s*[|·•—–]|\s+-|\b)\s*(?P<number>(?<!\w)(?:{_PAGE_WORDS})[.:]?\s*\d{{1,4}}(?:\s*(?:{_OF})\s*\d{{1,5}})?"
    r"|(?<=[|·•—–]\s)\d{1,4})",
    re.IGNORECASE,
)
_AT_THE_START = re.compile(
    rf"(?P<number>(?:(?:{_PAGE_WORDS})[.:]?\s*)?\d{{1,4}}(?:\s*(?:{_OF})\s*\d{{1,5}})?)\s*[|·•—–]\s*(?P<text>\S.*)",
    re.IGNORECASE,
)
# A number after these is that of something else than the page.
_NUMBERED = re.compile(
    r"(?:[:#№=]|\b(?:no|nr|nro|num|number|nummer|numéro|número|numero|invoice|rechnung|facture|factura|order|case|"
    r"ref|id|box|lot|unit|room|ticket|номер|счет|счёт|акт))\.?$",
    re.IGNORECASE,
)
_ROMAN = {"i": 1, "v": 5, "x": 10, "l": 50, "c": 100}


def running_lines(pages: Sequence[Page]) -> set[int]:
    """The ids of the lines to leave out; one that has no page number stays on the first of its pages."""
    equal: dict[tuple[object, ...], list[tuple[int, int]]] = defaultdict(list)
    numbers: dict[tuple[object, ...], list[tuple[int, int]]] = defaultdict(list)
    for at, page in enumerate(pages):
        for line, place in _outer_lines(page):
            number = _page_number(line.text)
            if number is not None:
                numbers[(number[0], number[1] - at)].append((at, id(line)))
                continue
            equal[(place, *_key(line, at))].append((at, id(line)))
    result: set[int] = set()
    for (_, shift), places in numbers.items():
        if shift == 1 or len({at for at, _ in places}) >= _MIN_PAGES:
            result |= {line for _, line in places}
    for key, places in equal.items():
        if len({at for at, _ in places}) >= _MIN_PAGES:
            numbered = len(key) > 2
            result |= {line for at, line in places if numbered or at != places[0][0]}
    return result


def _outer_lines(page: Page) -> Iterator[tuple[Line, tuple[str, int]]]:
    """The lines in the upper and the lower margin with their place: the margin, and the distance from the edge."""
    if not page.lines:
        return
    direction = page.lines[0].direction
    margin = (page.top - page.bottom) * _MARGIN
    upper = [line for line in page.lines if line.direction == direction and line.y > page.top - margin]
    lower = [line for line in page.lines if line.direction == direction and line.y < page.bottom + margin]
    for line in sorted(upper, key=lambda line: -line.y)[:_OUTERMOST]:
        yield line, ("top", round((page.top - line.y) / 8))
    for line in sorted(lower, key=lambda line: line.y)[:_OUTERMOST]:
        yield line, ("bottom", round((line.y - page.bottom) / 8))


def _key(line: Line, at: int) -> tuple[object, ...]:
    """Equal for lines that are equal but for the number of their page, which stands apart from the rest."""
    parts: tuple[str, ...] = line.cells
    if len(parts) == 1:
        found = _AT_THE_END.fullmatch(line.text) or _AT_THE_START.fullmatch(line.text)
        if found is None:
            return (line.text,)
        parts = (
            (found["text"], found["number"]) if found.start("text") == 0 else (found["number"], found["text"])
        )
    for place in (-1, 0):
        number = _page_number(parts[place])
        others = parts[:-1] if place else parts[1:]
        if number is None or (place and _NUMBERED.search(others[-1].rstrip())):
            continue
        shift = number[1] - at
        if -_FIRST_NUMBER_BY <= shift <= 1:
            return (others, number[0], shift)
    return (line.text,)


def _page_number(text: str) -> tuple[str, int] | None:
    """The kind of numeral and its value, if the text is a page number and nothing else."""
    found = _LONE.fullmatch(text)
    if found is None:
        return None
    numeral = found["number"].lower()
    if numeral.isdecimal():
        return ("decimal", int(numeral))
    values = [_ROMAN[letter] for letter in numeral]
    pairs = zip(values, [*values[1:], 0], strict=True)
    return ("roman", sum(-value if value < following else value for value, following in pairs))
