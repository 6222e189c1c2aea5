"""Validators for the fields of a body and the parameters of a query, for the voluptuous schemas of the handlers.

Each raises `Expected` with what is allowed, as a noun: `handlers/validation.py` puts name and value before it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import voluptuous as vol

Validator = Callable[[Any], Any]


class Expected(vol.Invalid):
    """The value is not allowed. The message names what is, as `a whole number from 1 to 5`."""


def optional(check: Validator) -> Validator:
    """What `check` allows, or null, which becomes None. (`vol.Maybe` reports "not a valid value" only.)"""
    return lambda value: None if value is None else check(value)


def text(low: int = 0, high: int | None = None) -> Validator:
    """A text that can be encoded as UTF-8, of `low` to `high` characters."""
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


def list_of(check: Validator, max_length: int, items: str) -> Validator:
    """A list of at most `max_length` items that `check` allows; `items` is their name in the plural."""
    each = vol.Schema([check])

    def check_all(value: Any) -> list[Any]:
        if not isinstance(value, list) or len(value) > max_length:
            raise Expected(f"a list of at most {max_length} {items}")
        checked: list[Any] = each(value)
        return checked

    return check_all


def one_of(*values: str) -> Validator:
    def check(value: Any) -> str:
        if value not in values:
            raise Expected("one of " + ", ".join(values))
        return str(value)

    return check


def integer(low: int, high: int) -> Validator:
    """A JSON integer between bounds, also in the form 3.0; true and false are refused."""

    def check(value: Any) -> int:
        whole = not isinstance(value, bool) and (
            isinstance(value, int) or (isinstance(value, float) and value.is_integer())
        )
        if not whole or not low <= value <= high:
            raise Expected(f"a whole number from {low} to {high}")
        return int(value)

    return check


def integer_parameter(low: int, high: int) -> Validator:
    """An integer between bounds, as the text of a query parameter."""

    def check(value: str) -> int:
        plain = value.isascii() and value.isdigit() and len(value) <= len(str(high))
        if not plain or not low <= int(value) <= high:
            raise Expected(f"a whole number from {low} to {high}")
        return int(value)

    return check


def boolean() -> Validator:
    """true or false."""

    def check(value: Any) -> bool:
        if not isinstance(value, bool):
            raise Expected("true or false")
        return value

    return check


def boolean_parameter() -> Validator:
    """true or false, as the text of a query parameter."""

    def check(value: str) -> bool:
        if value not in ("true", "false"):
            raise Expected("true or false")
        return value == "true"

    return check


def json_object() -> Validator:
    """A JSON object, whose content is checked with its use."""

    def check(value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise Expected("an object")
        return value

    return check


def number(low: float, high: float) -> Validator:
    """A JSON number between bounds; true, false and NaN are refused."""

    def check(value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
            raise Expected(f"a number from {low:g} to {high:g}")
        return float(value)

    return check


def roots() -> Validator:
    """Folders below which documents may be read: whether each is an absolute path is checked with its use."""
    return list_of(text(1, 4096), 100, "folders")
