"""Checks that several doors share: what a field of a body or a parameter of a query may be.

Each raises `Expected` with what is allowed, as a noun: `handlers/base.py` puts name and value before it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import voluptuous as vol

Check = Callable[[Any], Any]


class Expected(vol.Invalid):
    """The value is none of these: the message names what is allowed, as `a whole number from 1 to 5`."""


def optional(check: Check) -> Check:
    """The same, or null, which comes back as None. (Of `vol.Maybe` one learns "not a valid value" only.)"""
    return lambda value: None if value is None else check(value)


def text(low: int = 0, high: int | None = None) -> Check:
    """A text that can be written as UTF-8, of so many characters."""
    expected = "a text" if high is None else f"a text of {low} to {high} characters"

    def check(value: Any) -> str:
        if not isinstance(value, str) or not low <= len(value) <= (len(value) if high is None else high):
            raise Expected(expected)
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise Expected("a text without half a character (a lone surrogate)") from error
        return value

    return check


def list_of(check: Check, most: int, items: str) -> Check:
    """A list of at most `most` items, which `check` looks at; `items` is what they are called."""
    each = vol.Schema([check])

    def check_all(value: Any) -> list[Any]:
        if not isinstance(value, list) or len(value) > most:
            raise Expected(f"a list of at most {most} {items}")
        checked: list[Any] = each(value)
        return checked

    return check_all


def one_of(*values: str) -> Check:
    def check(value: Any) -> str:
        if value not in values:
            raise Expected("one of " + ", ".join(values))
        return str(value)

    return check


def whole(low: int, high: int) -> Check:
    """A JSON integer between bounds; true and false are none."""

    def check(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise Expected(f"a whole number from {low} to {high}")
        return value

    return check


def digits(low: int, high: int) -> Check:
    """The same, written in a query."""

    def check(value: str) -> int:
        plain = value.isascii() and value.isdigit() and len(value) <= len(str(high))
        if not plain or not low <= int(value) <= high:
            raise Expected(f"a whole number from {low} to {high}")
        return int(value)

    return check


def truth() -> Check:
    """true or false."""

    def check(value: Any) -> bool:
        if not isinstance(value, bool):
            raise Expected("true or false")
        return value

    return check


def number(low: float, high: float) -> Check:
    """A JSON number between bounds; true, false and NaN are none."""

    def check(value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
            raise Expected(f"a number from {low:g} to {high:g}")
        return float(value)

    return check
