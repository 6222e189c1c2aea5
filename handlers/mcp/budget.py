"""Keeps an answer within the bytes that an assistant takes: what does not fit is left for the next page. Pure."""

from __future__ import annotations

import json
from typing import Any

_FRAME = 1500  # bytes of an answer besides its items: the notice, the cursor and so on
_SHORT = 200  # characters


class Budget:
    """Counts the bytes of the items of an answer that may have `max_bytes`, as JSON in UTF-8."""

    def __init__(self, max_bytes: int) -> None:
        self.left = max_bytes - _FRAME

    def take(self, item: Any, more: int = 0) -> bool:
        """Whether the item, with `more` bytes beside it, still fits; it is counted then."""
        size = json_size(item) + more + 2
        if size > self.left:
            return False
        self.left -= size
        return True


def json_size(value: Any) -> int:
    return len(json.dumps(value, ensure_ascii=False).encode())


def prefix(text: str, max_bytes: int) -> str:
    """The longest beginning of a text that has at most so many bytes as JSON."""
    text = text[: max(max_bytes, 0)]
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if json_size(text[:middle]) <= max_bytes:
            low = middle
        else:
            high = middle - 1
    return text[:low]


def short(text: str | None) -> str | None:
    """A title or a heading as a label: a very long one ends with an ellipsis."""
    if text is None or len(text) <= _SHORT:
        return text
    return text[: _SHORT - 1] + "…"
