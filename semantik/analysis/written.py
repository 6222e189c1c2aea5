"""What stretches of text say together: dates with the name of the month, times, percentages, groups of digits. Pure.

"January 31, 2026" has the same whole as "2026-01-31", "25 percent" as "25%", "2:30 pm" as "14:30".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, NamedTuple

from semantik.analysis.dates import MONTHS, broader, iso
from semantik.analysis.folding import folded
from semantik.analysis.numbers import clock_time, decimal, ordinal, readings
from semantik.core.normalization import normalized

_PERCENT = frozenset(["%", "percent", "prozent", "procent", "процент", "процента", "процентов"])
_HALVES_OF_A_DAY = {"am": False, "a.m": False, "pm": True, "p.m": True}
_OCLOCK = frozenset(["uhr", "h", "o'clock"])
_LINKS = frozenset(["of", "de", "del", "di", "the", "den"])
_DAY = re.compile(r"0?[1-9]|[12]\d|3[01]")
_YEAR = re.compile(r"1\d{3}|20\d{2}")
_DIGITS = re.compile(r"\d{1,3}")
_GROUP = re.compile(r"\d{3}(?:[.,]\d+)?")
_HYPHENATED = re.compile(r"([^\W\d_]{2,})[-‐\u00ad][ \t]*\r?\n\s*([^\W\d_]{2,})")
_LONGEST = max(map(len, [*MONTHS, *_PERCENT])) + 3
_AROUND = ".,;:!?()[]{}\"'“”„«»‘’"


class Written(NamedTuple):
    """A form of the stretches from `place` to `last`: a whole, or another form (`other`) of a word."""

    place: int
    last: int
    kind: Literal["whole", "other"]
    form: str


_NAMES = frozenset([*MONTHS, *_PERCENT, *_HALVES_OF_A_DAY, *_OCLOCK])


def is_telling(stretch: str) -> bool:
    """Whether `written` can find something because of this stretch: it must be asked about those that are."""
    if len(stretch) > _LONGEST:
        return False
    plain = _plain(stretch)
    return plain in _NAMES or _GROUP.fullmatch(plain) is not None


def written(stretches: Sequence[str], telling: Iterable[int], stored: bool) -> Iterator[Written]:
    """The forms that stretches have together, where `telling` are the indexes of those that are.

    What is `stored` of a whole date finds it by month and by day, too.
    """
    for index in telling:
        each = _plain(stretches[index])
        before = _plain(stretches[index - 1]) if index else ""
        if each in MONTHS:
            for found in _date(stretches, index, MONTHS[each]):
                yield found
                if stored:
                    yield from (found._replace(form=form) for form in broader(found.form))
        elif before and before[0].isdecimal():
            if _DIGITS.fullmatch(before) and _GROUP.fullmatch(each):
                yield from _grouped(stretches, index)
            elif whole := _measured(before, each):
                yield Written(index - 1, index, "whole", whole)


def _measured(number: str, name: str) -> str | None:
    """A percentage or a time, where `name` makes the number before it one."""
    if name in _PERCENT:
        return f"{(readings(number) or (number,))[0]}%"
    if name in _HALVES_OF_A_DAY:
        return clock_time(number, _HALVES_OF_A_DAY[name])
    if name in _OCLOCK:
        return clock_time(f"{number}:00" if number.isdecimal() else number.replace(".", ":"))
    return None


def hyphenated(text: str) -> Iterator[tuple[int, int, str]]:
    """The words that a hyphen breaks at the end of a line, joined and folded, with the start and end of each."""
    for match in _HYPHENATED.finditer(text):
        yield match.start(), match.end(), "".join(folded(normalized(match[1] + match[2])).split())


def _plain(stretch: str) -> str:
    return folded(normalized(stretch)).strip(_AROUND)


def _date(stretches: Sequence[str], index: int, month: int) -> Iterator[Written]:
    """The date around the name of a month: `31 January 2026`, `31 de enero de 2026`, `January 31st, 2026`."""
    around = {at: _plain(stretches[at]) for at in range(max(index - 2, 0), min(index + 4, len(stretches)))}
    before = index - 2 if around.get(index - 1) in _LINKS else index - 1
    after = index + 1
    first, last = index, index
    if (day := _day(around.get(before, ""))) is not None:
        first = before
    elif (day := _day(around.get(after, ""))) is not None:
        last = after
        after += 1
    if around.get(after) in _LINKS:
        after += 1
    year = around.get(after, "")
    if _YEAR.fullmatch(year):
        last = after
    elif index and _YEAR.fullmatch(around[index - 1]):  # as in Hungarian
        year, first = around[index - 1], index - 1
    if found := iso(int(year) if _YEAR.fullmatch(year) else None, month, day):
        yield Written(first, last, "whole", found)


def _day(word: str) -> int | None:
    number = word if word.isdecimal() else word and ordinal(word)
    return int(number) if number and _DAY.fullmatch(number) else None


def _grouped(stretches: Sequence[str], index: int) -> Iterator[Written]:
    """Digits in groups of three with spaces between, once per number: `12 345 678,9`."""
    start = index - 1
    if (
        start
        and _GROUP.fullmatch(_plain(stretches[start]))
        and _DIGITS.fullmatch(_plain(stretches[start - 1]))
    ):
        return
    number = _plain(stretches[start])
    last = start
    for stretch in stretches[index:]:
        group = _plain(stretch)
        if not number.isdecimal() or not _GROUP.fullmatch(group):
            break
        number += group
        last += 1
    yield Written(start, last, "other", number if number.isdecimal() else decimal(number))
