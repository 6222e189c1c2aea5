"""The forms under which the words of a text are found, as the keyword index stores them, and where they stand. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import regex

from semantik.analysis.dates import broader
from semantik.analysis.long_numbers import long_numbers
from semantik.analysis.units import Unit, stretches, units
from semantik.analysis.written import hyphenated, is_telling, written


class Form(NamedTuple):
    """A form of the characters `start` to `end`."""

    start: int
    end: int
    form: str


_DIGIT = regex.compile(r"\p{Nd}")
_is_telling = lru_cache(maxsize=20_000)(is_telling)


@lru_cache(maxsize=20_000)
def forms_in(stretch: str) -> tuple[Form, ...]:
    """The forms in a stretch without white space."""
    plain = stretch.lower()
    return tuple(form for unit in units(stretch) for form in _of_unit(unit, plain))


def forms_across(text: str) -> Iterator[Form]:
    """The forms of words that stand together: of dates, and of numbers in pieces."""
    if not _DIGIT.search(text):
        return
    found = list(stretches(text))
    plain = [stretch for _, stretch in found]
    telling = [index for index, stretch in enumerate(plain) if _is_telling(stretch)]
    for each in written(plain, telling, stored=True) if telling else ():
        last, stretch = found[each.last]
        yield Form(found[each.place][0], last + len(stretch), each.form)
    yield from map(Form._make, long_numbers(text))


def forms_across_lines(text: str) -> Iterator[Form]:
    """The words that a hyphen breaks at the end of a line."""
    if "-\n" in text or "-\r" in text:
        yield from map(Form._make, hyphenated(text))


def _of_unit(unit: Unit, plain: str) -> Iterator[Form]:
    yield Form(unit.start, unit.end, unit.word)
    if unit.exact != unit.word:
        yield Form(unit.start, unit.end, unit.exact)
    at = unit.start
    for part in unit.parts:
        start = plain.find(part, at, unit.end)
        at = start + len(part) if start >= 0 else at
        if part in unit.others:
            yield Form(start, at, part) if start >= 0 else Form(unit.start, unit.end, part)
    for other in unit.others:
        if other not in unit.parts:
            yield Form(unit.start, unit.end, other)
    for joined in unit.joined:
        yield Form(unit.start, unit.whole_end, joined)
    for whole in (form for each in unit.wholes for form in (each, *broader(each))):
        start = plain.find(whole, unit.start)
        if start >= 0:
            yield Form(start, start + len(whole), whole)
        else:
            yield Form(unit.start, unit.whole_end, whole)
