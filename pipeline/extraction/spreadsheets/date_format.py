"""Shows a spreadsheet's serial number as a date, a time or a duration. Pure; runs in the worker processes.

A day is 1. Day 1 is 1900-01-01, and day 60 is 1900-02-29, which never was; in files of the other kind day 0 is
1904-01-01.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, timedelta

from pipeline.extraction.spreadsheets.calendar_names import ERAS, language_of, months, weekdays
from pipeline.extraction.spreadsheets.format_code import Kind, Section

_DAY_S = 86_400
_LAST_DAY = 2_958_465  # 9999-12-31
_BUDDHIST = 543  # years ahead of the common era
_TAIWAN = 1911  # years behind it
_MORNING = {"AM/PM": ("AM", "PM"), "A/P": ("A", "P")}


@dataclass(frozen=True)
class _Moment:
    """`weekday` is 0 on Mondays; `seconds` are those of the day, `total` all of them since day 0."""

    year: int
    month: int
    day: int
    weekday: int
    seconds: int
    total: int
    fraction: str  # digits of the second's fraction


def date_text(value: float, section: Section, from_1904: bool) -> str | None:
    """The number by a section of a format; None for a date that no calendar has. Hours have two digits at least."""
    elapsed = section.shows(Kind.ELAPSED)
    decimals = max((len(token.text) for token in section.tokens if token.kind is Kind.FRACTION), default=0)
    with_seconds = any(
        token.kind in (Kind.DATE, Kind.ELAPSED) and token.text[0] == "s" for token in section.tokens
    )
    moment = _moment(abs(value) if elapsed else value, decimals if with_seconds else None, from_1904)
    if moment is None:
        return None
    pieces = ["-"] if elapsed and value < 0 else []
    runs = [at for at, token in enumerate(section.tokens) if token.kind in (Kind.DATE, Kind.ELAPSED)]
    for at, token in enumerate(section.tokens):
        if token.kind is Kind.DATE:
            pieces.append(_part(moment, _resolved(section, runs, at), section))
        elif token.kind is Kind.ELAPSED:
            unit = {"h": 3600, "m": 60, "s": 1}[token.text[0]]
            pieces.append(str(moment.total // unit).zfill(len(token.text)))
        elif token.kind is Kind.FRACTION:
            pieces.append("." + moment.fraction)
        elif token.kind is Kind.HALF_DAY:
            names = _MORNING.get(token.text.upper()) or tuple(token.text.split("/"))
            pieces.append(names[moment.seconds >= _DAY_S // 2])
        elif token.kind is not Kind.TEXT:
            pieces.append(token.text)
    return "".join(pieces)


def iso_text(value: float, from_1904: bool, day_only: bool = False) -> str | None:
    """The number as 2026-03-14, as 09:30:00, or both, whatever it holds; None for a date that no calendar has.

    With `day_only` the time of a day is left out.
    """
    moment = _moment(value, 0, from_1904)
    if moment is None:
        return None
    day = f"{moment.year:04}-{moment.month:02}-{moment.day:02}"
    hours, minutes, seconds = moment.seconds // 3600, moment.seconds // 60 % 60, moment.seconds % 60
    clock = f"{hours:02}:{minutes:02}" + (f":{seconds:02}" if seconds or value < 1 else "")
    if value < 1 and not from_1904:
        return clock
    return f"{day} {clock}" if moment.seconds and not day_only else day


def _moment(value: float, decimals: int | None, from_1904: bool) -> _Moment | None:
    """Rounded to `decimals` of a second; None cuts off what is shown of it, as minutes are never rounded up."""
    if not 0 <= value < _LAST_DAY + 1:
        return None
    days = math.floor(value)
    unit = 100 if decimals is None else 10 ** min(decimals, 3)
    ticks = round((value - days) * _DAY_S * unit)
    if ticks >= _DAY_S * unit:
        days, ticks = days + 1, 0
    seconds, rest = divmod(ticks, unit)
    fraction = str(rest).zfill(min(decimals, 3)).ljust(decimals, "0") if decimals else ""
    if from_1904:
        days += 1462
    if days > _LAST_DAY:
        return None
    if days == 60:
        year, month, day = 1900, 2, 29
    elif days == 0:
        year, month, day = 1900, 1, 0
    else:
        real = date(1899, 12, 30 if days > 60 else 31) + timedelta(days=days)
        year, month, day = real.year, real.month, real.day
    total = (days - 1462 if from_1904 else days) * _DAY_S + seconds
    return _Moment(year, month, day, (days + 5) % 7, seconds, total, fraction)


def _resolved(section: Section, runs: list[int], at: int) -> str:
    """The letters of a run, with "n" for minutes: m after an hour or before a second is one."""
    text = section.tokens[at].text
    if text[0] != "m" or len(text) > 2:
        return text
    place = runs.index(at)
    before = section.tokens[runs[place - 1]].text[0] if place else ""
    after = section.tokens[runs[place + 1]].text[0] if place + 1 < len(runs) else ""
    return "n" * len(text) if before == "h" or after == "s" else text


def _part(moment: _Moment, run: str, section: Section) -> str:
    letter, length = run[0], len(run)
    if letter == "h":
        hour = moment.seconds // 3600
        if section.shows(Kind.HALF_DAY):
            return str(hour % 12 or 12).zfill(min(length, 2))
        return f"{hour:02}"
    if letter == "n":
        return str(moment.seconds // 60 % 60).zfill(length)
    if letter == "s":
        return str(moment.seconds % 60).zfill(min(length, 2))
    if letter == "y":
        return f"{moment.year % 100:02}" if length <= 2 else f"{moment.year:04}"
    if letter == "b":
        year = moment.year + _BUDDHIST
        return f"{year % 100:02}" if length <= 2 else str(year)
    if letter in "ge":
        return _era(moment, letter, length, section)
    return _named(moment, letter, length, section)


def _named(moment: _Moment, letter: str, length: int, section: Section) -> str:
    """Months, days, and days of the week."""
    language = language_of(section.locale)
    if letter == "m":
        if length <= 2:
            return str(moment.month).zfill(length)
        name = months(language)[moment.month - 1]
        if length == 5:
            return name[0]
        return name if length > 3 or name.endswith(("月", "월")) else name[:3]
    if letter == "d" and length <= 2:
        return str(moment.day).zfill(length)
    name = weekdays(language if letter == "d" or language != "en" else "ja")[moment.weekday]
    if length > 3:
        return name
    return (
        name[:3]
        if not name.endswith(("曜日", "요일")) and not name.startswith("星期")
        else name[-1 if name.startswith("星期") else 0]
    )


def _era(moment: _Moment, letter: str, length: int, section: Section) -> str:
    """Years and names of Japanese eras, years of the Republic of China; else the common year."""
    locale = section.locale.lower()
    if locale.endswith("404") or locale == "zh-tw":
        return "" if letter == "g" else str(moment.year - _TAIWAN).zfill(min(length, 2))
    japanese = locale.endswith("411") or locale.startswith("ja")
    if not japanese and not any(t.kind is Kind.DATE and t.text[0] == "g" for t in section.tokens):
        return str(moment.year)
    for begin, names in ERAS:
        if (moment.year, moment.month, moment.day) >= begin:
            if letter == "e":
                return str(moment.year - begin[0] + 1).zfill(min(length, 2))
            return names[min(length, 3) - 1]
    return str(moment.year) if letter == "e" else ""
