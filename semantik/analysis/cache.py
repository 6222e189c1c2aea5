"""A bounded cache for what is computed of words, most of which repeat. Pure; safe to share among threads."""

from __future__ import annotations

from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class BoundedCache(Generic[Key, Value]):
    """The last `size` to twice `size` entries that were used.

    It has two dicts; when `recent` is full, it becomes the old one, whose entries come back when they are used. A loop
    may look into `recent` itself, and call `get` only for what is not there: that is faster than any function call.
    """

    __slots__ = ("_old", "_size", "recent")

    def __init__(self, size: int) -> None:
        self._size = size
        self.recent: dict[Key, Value] = {}
        self._old: dict[Key, Value] = {}

    def get(self, key: Key) -> Value | None:
        found = self.recent.get(key)
        if found is None:
            found = self._old.get(key)
            if found is not None:
                self.put(key, found)
        return found

    def put(self, key: Key, value: Value) -> None:
        if len(self.recent) >= self._size:
            self._old, self.recent = self.recent, {}
        self.recent[key] = value

    def __len__(self) -> int:
        return len(self.recent) + len(self._old)
