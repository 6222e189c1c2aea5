"""Checks that several doors share: what a JSON number or a query parameter may be."""

from __future__ import annotations

from typing import Any

import voluptuous as vol


def whole(low: int, high: int) -> Any:
    """A JSON integer between bounds; true and false are none."""
    return vol.All(_integer, vol.Range(min=low, max=high))


def digits(low: int, high: int) -> Any:
    """The same, written in a query."""
    return vol.All(vol.Coerce(int, msg="a whole number"), vol.Range(min=low, max=high))


def number(low: float, high: float) -> Any:
    """A JSON number between bounds."""
    return vol.All(_number, vol.Range(min=low, max=high))


def _integer(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise vol.Invalid("a whole number")
    return value


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise vol.Invalid("a number")
    try:
        return float(value)
    except OverflowError as error:
        raise vol.Invalid("a number of a usual size") from error
