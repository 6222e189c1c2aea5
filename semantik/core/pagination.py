"""Cursors: where a list goes on, as an opaque text that a client hands back."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from semantik.core.errors import Invalid

T = TypeVar("T")


@dataclass(frozen=True)
class Page(Generic[T]):
    """Some items of a list; `next_cursor` is None at its end."""

    items: tuple[T, ...]
    next_cursor: str | None


def encode(*parts: str) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


def decode(cursor: str, length: int) -> list[str]:
    """The parts that `encode` was given; raises Invalid for a cursor that is not ours."""
    try:
        parts = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        json.dumps(parts, ensure_ascii=False).encode()
    except (binascii.Error, ValueError) as error:
        raise _invalid_cursor(cursor) from error
    if not isinstance(parts, list) or len(parts) != length or not all(isinstance(p, str) for p in parts):
        raise _invalid_cursor(cursor)
    return parts


def cut(items: Sequence[T], limit: int, cursor: str) -> Page[T]:
    """A page of `limit` from items of which one more was asked for; `cursor` points behind the last kept."""
    return Page(tuple(items[:limit]), cursor if len(items) > limit else None)


def _invalid_cursor(cursor: str) -> Invalid:
    return Invalid(f"cursor {cursor[:100]!r} is not one that this server gave; begin without a cursor.")
