"""Pages of lists and their cursors: opaque texts that a client sends back to get the next page. Pure."""

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
    """A page of a list; `next_cursor` is None on the last page."""

    items: tuple[T, ...]
    next_cursor: str | None


def encode_cursor(*parts: str) -> str:
    """A cursor that contains `parts`."""
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


def decode_cursor(cursor: str, length: int) -> list[str]:
    """The `length` parts of a cursor from `encode_cursor`. Raises Invalid for any other text."""
    try:
        parts = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        json.dumps(parts, ensure_ascii=False).encode()
    except (binascii.Error, ValueError) as error:
        raise _invalid_cursor(cursor) from error
    if not isinstance(parts, list) or len(parts) != length or not all(isinstance(p, str) for p in parts):
        raise _invalid_cursor(cursor)
    return parts


def page_of(items: Sequence[T], limit: int, cursor: str) -> Page[T]:
    """A page of `limit` items, from up to `limit` + 1 that were read; `cursor` points after the last one kept."""
    return Page(tuple(items[:limit]), cursor if len(items) > limit else None)


def _invalid_cursor(cursor: str) -> Invalid:
    return Invalid(f"cursor {cursor[:100]!r} is not one that this server gave; begin without a cursor.")
