"""How one setting is declared: its default, its check, its sentence, and whether a reload applies it.

A check is a voluptuous validator whose message completes "… is expected". Must not know which settings there are.
"""

from __future__ import annotations

import dataclasses
import ipaddress
from collections.abc import Callable
from typing import Any

import voluptuous as vol

from semantik.core.errors import Invalid
from semantik.core.globs import Globs

ANY = vol.Schema(object)
_SECRET_LENGTH = 32
_SECRET_GUESSES_LOG10 = 24.5  # 32 random hexadecimal digits have 28 or more, placeholders of that length less
_LOOKED_AT = 72  # characters; more take long
NOT_EMPTY = vol.Length(min=1, msg="a text that is not empty")


def setting(default: Any, check: Any, doc: str, reloadable: bool = False) -> Any:
    """Declare a setting that needs a restart: its default, a voluptuous check, and the sentence that explains it."""
    metadata = {"check": check, "doc": doc, "reloadable": reloadable}
    if isinstance(default, list):
        return dataclasses.field(default_factory=lambda: tuple(default), metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


def reloadable(default: Any, check: Any, doc: str) -> Any:
    """Declare a setting that a running server applies when it reloads (`reloadable.py`)."""
    return setting(default, check, doc, reloadable=True)


def at_least(low: float) -> Any:
    return vol.Range(min=low, msg=f"a number of at least {low:g}")


def between(low: float, high: float) -> Any:
    return vol.Range(min=low, max=high, msg=f"a number from {low:g} to {high:g}")


def one_of(*values: str) -> Any:
    return vol.In(values, msg="one of " + ", ".join(values))


def empty_or(check: Any, expected: str) -> Any:
    return vol.Any("", check, msg=f"empty, or {expected}")


def strong_secret() -> Any:
    """Check a key that protects everything: long enough, and no placeholder, word or pattern."""

    def check(value: str) -> str:
        if value and (len(value) < _SECRET_LENGTH or _guesses_log10(value) < _SECRET_GUESSES_LOG10):
            raise vol.Invalid(
                "empty, or at least 32 characters that cannot be guessed (openssl rand -hex 32 prints some)"
            )
        return value

    return check


def _guesses_log10(value: str) -> float:
    from zxcvbn import zxcvbn  # its lists take half a second to load

    return float(zxcvbn(value[:_LOOKED_AT])["guesses_log10"])


def each(is_allowed: Callable[[str], bool], expected: str) -> Any:
    """Check every item of a list."""

    def check(items: tuple[str, ...]) -> tuple[str, ...]:
        if not all(is_allowed(item) for item in items):
            raise vol.Invalid(expected)
        return items

    return check


def globs(value: tuple[str, ...]) -> tuple[str, ...]:
    """Check a list of globs; the message says which one is wrong."""
    try:
        Globs(value)
    except Invalid as error:
        raise vol.Invalid(f"globs ({error})") from error
    return value


def networks(value: tuple[str, ...]) -> tuple[str, ...]:
    """Check a list of IP addresses and networks."""
    for each_one in value:
        try:
            ipaddress.ip_network(each_one)
        except ValueError as error:
            raise vol.Invalid("a list of IP addresses or networks (as 10.0.0.5 or 10.0.0.0/8)") from error
    return value
