"""Numbers, times and percentages as they are written, in one form each. Pure."""

from __future__ import annotations

import regex

_GROUPED = regex.compile(r"\d{1,3}(?:([.,'])\d{3})(?:\1\d{3})*(?:(?!\1)[.,]\d+)?")
_DECIMAL = regex.compile(r"\d+[.,]\d+")
_CLOCK = regex.compile(r"([01]?\d|2[0-3])(?::|h(?=\d\d$))([0-5]\d)(?::([0-5]\d))?")
_ORDINAL = regex.compile(r"(\d+)(?:st|nd|rd|th|er|ere|re|e|eme|nde?|de|ste|o|a|os|as|й|я|е|го|ый|ая)")
_DIALLED = 8  # digits, from which on a number may be one to dial
_LONGEST_COUNTRY_CODE = 3
_PERCENTAGE = regex.compile(r"(\d[\d.,']*)%")


def readings(number: str) -> tuple[str, ...]:
    """How a number that has signs between its digits can be read: likeliest first, empty if it is no such number.

    `1,234.50` is 1234.5; `1.234` is 1.234 in English and 1234 in German, so there are two readings.
    """
    found: list[str] = []
    if (match := _GROUPED.fullmatch(number)) is not None:
        found.append(decimal(number.replace(match[1], "")))
    if _DECIMAL.fullmatch(number):
        found.insert(0 if "." in number else len(found), decimal(number))
    return tuple(dict.fromkeys(found))


def dialled(digits: str, abroad: bool = False) -> tuple[str, ...]:
    """The other forms of a long number: without the zeros that it begins with; from `abroad`, as after a plus, without
    each country code that it may have."""
    if len(digits) < _DIALLED:
        return ()
    if abroad:
        return tuple(
            digits[length:]
            for length in range(1, _LONGEST_COUNTRY_CODE + 1)
            if len(digits) - length >= _DIALLED
        )
    within = digits.lstrip("0")
    return (within,) if _DIALLED - 1 <= len(within) < len(digits) else ()


def percentage(text: str) -> str | None:
    """`12,50%` as `12.5%`; None for other texts."""
    match = _PERCENTAGE.fullmatch(text)
    return f"{(readings(match[1]) or (match[1],))[0]}%" if match else None


def clock_time(text: str, afternoon: bool | None = None) -> str | None:
    """`9:05` and `9h05` as `09:05`; `afternoon` moves `2:30` and a bare `2` to `14`. None for what is no time."""
    match = _CLOCK.fullmatch(text if afternoon is None or not text.isdecimal() else f"{text}:00")
    if match is None:
        return None
    hour = int(match[1])
    if afternoon is not None:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + 12 * afternoon
    return f"{hour:02}:{match[2]}" + (f":{match[3]}" if match[3] else "")


def ordinal(word: str) -> str | None:
    """The number of an ordinal such as `21st` or `1er`; None for other words."""
    match = _ORDINAL.fullmatch(word) if word[0].isdecimal() else None
    return match[1] if match else None


def decimal(number: str) -> str:
    """Digits that have at most one sign, `.` or `,`, without zeros that say nothing."""
    whole, _, decimals = number.replace(",", ".").partition(".")
    decimals = decimals.rstrip("0")
    whole = whole.lstrip("0") or "0"
    return f"{whole}.{decimals}" if decimals else whole
