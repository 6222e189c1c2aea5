"""Numbers as they are written: digit groups and decimal signs of either convention. Pure."""

from __future__ import annotations

import regex

_GROUPED = regex.compile(r"\d{1,3}(?:([.,'])\d{3})(?:\1\d{3})*(?:[.,]\d+)?")
_DECIMAL = regex.compile(r"\d+[.,]\d+")


def readings(number: str) -> tuple[str, ...]:
    """How a number that has signs between its digits can be read: likeliest first, empty if it is no number.

    `1,234.50` is 1234.5; `1.234` is 1.234 in English and 1234 in German, so there are two readings.
    """
    found: list[str] = []
    if (match := _GROUPED.fullmatch(number)) is not None:
        sign = match[1]
        whole, _, rest = number.replace(sign, "\0").replace(",", ".").partition(".")
        found.append(_plain(whole.replace("\0", ""), rest))
    if _DECIMAL.fullmatch(number):
        whole, _, rest = number.replace(",", ".").partition(".")
        decimal = _plain(whole, rest)
        found.insert(0 if "." in number else len(found), decimal)
    return tuple(dict.fromkeys(found))


def _plain(whole: str, decimals: str) -> str:
    decimals = decimals.rstrip("0")
    whole = whole.lstrip("0") or "0"
    return f"{whole}.{decimals}" if decimals else whole
