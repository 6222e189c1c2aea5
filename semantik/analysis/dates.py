"""Dates as they are written, in the form of ISO 8601: in digits, and with the name of the month. Pure.

A whole date is `2026-01-31`, a month of a year is `2026-01`, a day of a month is `--01-31`.
"""

from __future__ import annotations

import datetime

import regex

_YEAR_FIRST = regex.compile(r"(\d{4})([-/.])(\d\d?)\2(\d\d?)")
_IDEOGRAPHIC = regex.compile(r"(\d{4})[年년](\d\d?)[月월](\d\d?)[日일]")
_YEAR_LAST = regex.compile(r"(\d\d?)([-/.])(\d\d?)\2(\d{4}|\d\d)")
_WHOLE = regex.compile(r"\d{4}-\d\d-\d\d")
_CENTURY_BEGINS = 70  # a year of two digits from here on is of the twentieth century, as in POSIX

# Names and usual short forms, folded; a row for each month.
_MONTHS = (
    "january jan januar janner janvier janv enero ene gennaio gen janeiro januari января stycznia ledna",
    "february feb februar fevrier fevr febrero febbraio fevereiro fev februari февраля lutego unora",
    "march mar marz marts mars marzo marco maart март марта marca brezna",
    "april apr avril avr abril abr aprile апреля kwietnia dubna",
    "may mai mayo maggio mag maio mei maj мая maja kvetna",
    "june jun juni juin junio giugno giu junho июня czerwca cervna",
    "july jul juli juillet juil julio luglio lug julho июля lipca cervence",
    "august aug aout agosto ago augustus augusti августа sierpnia srpna",
    "september sep sept septembre septiembre settembre set setembro сентября wrzesnia zari",
    "october oct oktober okt octobre octubre ottobre ott outubro out oktober октября pazdziernika rijna",
    "november nov novembre noviembre novembro ноября listopada listopadu",
    "december dec dezember dez decembre diciembre dic dicembre dezembro desember декабря grudnia prosince",
)
MONTHS = {name: number for number, names in enumerate(_MONTHS, 1) for name in names.split()}


def iso(year: int | None, month: int, day: int | None) -> str | None:
    """The date, month or day in the form of ISO 8601; None if there is none such."""
    if not 1 <= month <= 12:
        return None
    if day is None:
        return f"{year:04}-{month:02}" if year else None
    try:
        datetime.date(year or 2000, month, day)
    except ValueError:
        return None
    return f"{year:04}-{month:02}-{day:02}" if year else f"--{month:02}-{day:02}"


def broader(date: str) -> tuple[str, ...]:
    """What a whole date is also found by: its month of the year, and its day of the month."""
    return (date[:7], f"-{date[4:]}") if _WHOLE.fullmatch(date) else ()


def numeric_dates(text: str) -> tuple[str, ...]:
    """The dates that a text in digits can mean: `03/04/2026` is in April in Europe, and in March in America."""
    if match := _YEAR_FIRST.fullmatch(text):
        found = [iso(int(match[1]), int(match[3]), int(match[4]))]
    elif match := _YEAR_LAST.fullmatch(text):
        first, second, year = int(match[1]), int(match[3]), int(match[4])
        if len(match[4]) == 2:
            year += 1900 if year >= _CENTURY_BEGINS else 2000
        found = [iso(year, second, first)]
        if match[2] != ".":
            found.append(iso(year, first, second))
    else:
        return ()
    return tuple(dict.fromkeys(each for each in found if each))


def ideographic_dates(text: str) -> list[str]:
    """The dates in a text such as `2026年1月31日`."""
    found = (iso(int(year), int(month), int(day)) for year, month, day in _IDEOGRAPHIC.findall(text))
    return [each for each in found if each]
