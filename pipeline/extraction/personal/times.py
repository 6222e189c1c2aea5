"""Dates, spans and repetitions of calendars, as a person reads them. Pure; runs in the worker processes."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta

from pipeline.extraction.personal.content_lines import Line

_MOMENT = re.compile(r"(\d{4})-?(\d\d)-?(\d\d)(?:T(\d\d):?(\d\d)(?::?(\d\d))?(Z|[+-]\d\d:?\d\d)?)?\Z")
_DURATION = re.compile(r"([+-]?)P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?\Z")
_DAYS = {"MO": "Monday", "TU": "Tuesday", "WE": "Wednesday", "TH": "Thursday", "FR": "Friday", "SA": "Saturday",
         "SU": "Sunday"}  # fmt: skip
_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
           "November", "December")  # fmt: skip
_UNITS = {"SECONDLY": "second", "MINUTELY": "minute", "HOURLY": "hour", "DAILY": "day", "WEEKLY": "week",
          "MONTHLY": "month", "YEARLY": "year"}  # fmt: skip
_ORDINALS = {1: "first", 2: "second", 3: "third", 4: "fourth", 5: "fifth", -1: "last", -2: "second last"}


def moment(line: Line) -> tuple[datetime, bool, str] | None:
    """(date and time, whether there is only a date, zone) of a property; None where it cannot be read."""
    found = _MOMENT.match(line.value.strip())
    if found is None:
        return None
    year, month, day, hour, minute, second = (int(each or 0) for each in found.groups()[:6])
    try:
        when = datetime(year, month, day, min(hour, 23), minute, min(second, 59))
    except ValueError:
        return None
    zone = {"Z": "UTC", None: line.parameter("TZID")}.get(found[7], found[7])
    return when, found[4] is None, (zone or "").lstrip("/")


def shown(line: Line) -> str:
    """Like "Thursday, 2026-03-05 09:00 UTC"; the value itself where it cannot be read."""
    found = moment(line)
    return _shown(*found) if found else line.text


def _shown(when: datetime, whole_day: bool, zone: str, weekday: bool = True) -> str:
    day = f"{list(_DAYS.values())[when.weekday()]}, {when:%Y-%m-%d}" if weekday else f"{when:%Y-%m-%d}"
    if whole_day:
        return day
    return f"{day} {when:%H:%M}" + (f" {zone}" if zone else "")


def span(start: Line, end: Line | None, duration: Line | None) -> str:
    """When something takes place, like "Thursday, 2026-03-05 09:00 – 10:30 Europe/Berlin"."""
    begin = moment(start)
    if begin is None:
        return start.text
    finish = moment(end) if end else None
    if finish is None and duration and (length := _length(duration.value)):
        try:
            finish = (begin[0] + length, begin[1], begin[2])
        except OverflowError:
            finish = None
    if finish is None or finish[0] <= begin[0]:
        return _shown(*begin)
    if begin[1]:  # the end is the day after the last one
        last = finish[0] - timedelta(days=1) if finish[1] else finish[0]
        return (
            _shown(*begin)
            if last.date() <= begin[0].date()
            else f"{_shown(*begin)} – {_shown(last, True, '')}"
        )
    if finish[2] == begin[2] and finish[0].date() == begin[0].date():
        zone = f" {begin[2]}" if begin[2] else ""
        return f"{_shown(begin[0], False, '')} – {finish[0]:%H:%M}{zone}"
    return f"{_shown(*begin)} – {_shown(*finish)}"


def _length(value: str) -> timedelta | None:
    found = _DURATION.match(value.strip())
    if found is None:
        return None
    weeks, days, hours, minutes, seconds = (min(int(each or 0), 100_000) for each in found.groups()[1:])
    return timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)


def repetition(value: str) -> str:
    """A rule in words, like "every 2 weeks on Monday, Friday until 2026-12-31"; another rule as it is written."""
    rule = dict(each.upper().split("=", 1) for each in value.strip().split(";") if "=" in each)
    unit = _UNITS.get(rule.get("FREQ", ""))
    if unit is None:
        return value.strip()
    interval = rule.get("INTERVAL", "")
    words = [f"every {interval} {unit}s" if interval.isdecimal() and interval != "1" else f"every {unit}"]
    if months := [_MONTHS[int(each) - 1] for each in rule.get("BYMONTH", "").split(",") if _is_month(each)]:
        words.append("in " + ", ".join(months))
    if days := [_day(each, rule.get("BYSETPOS", "")) for each in rule.get("BYDAY", "").split(",") if each]:
        words.append("on " + ", ".join(days))
    if "BYMONTHDAY" in rule:
        words.append("on day " + rule["BYMONTHDAY"].replace(",", ", ").replace("-1", "last"))
    if "COUNT" in rule:
        words[-1] += f", {rule['COUNT']} times"
    if until := moment(Line("UNTIL", rule.get("UNTIL", ""))):
        words.append(f"until {until[0]:%Y-%m-%d}")
    return " ".join(words)


def _is_month(value: str) -> bool:
    return value.isdecimal() and 1 <= int(value) <= 12


def _day(value: str, position: str) -> str:
    number, day = value[:-2] or position, _DAYS.get(value[-2:], value)
    try:
        ordinal = _ORDINALS.get(int(number), number)
    except ValueError:
        return day
    return f"the {ordinal} {day}"


def plain_date(value: str) -> str:
    """A birthday, like "1980-03-05" of "19800305", or "03-05" of "--0305"."""
    value = value.strip()
    if found := re.match(r"(\d{4})-?(\d\d)-?(\d\d)(?:T.*)?\Z", value):
        try:
            return date(int(found[1]), int(found[2]), int(found[3])).isoformat()
        except ValueError:
            return value
    if found := re.match(r"--(\d\d)-?(\d\d)\Z", value):
        return f"{found[1]}-{found[2]}"
    return value
