"""The messages of protocol buffers that an iWork document consists of, without a schema. Pure."""

from __future__ import annotations

_VARINT, _FIXED_64, _BYTES, _FIXED_32 = 0, 1, 2, 5
_SIZES = {_FIXED_64: 8, _FIXED_32: 4}


def varint(data: bytes, at: int) -> tuple[int, int]:
    """A number of variable length, and where it ends. Raises IndexError at the end of the data."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
        if shift > 63:
            raise ValueError("a number has too many bytes")


class Message:
    """The fields of one message by their numbers. Fields that are missing are empty, as the format has it."""

    def __init__(self, data: bytes) -> None:
        """Raises IndexError or ValueError for damaged data."""
        self._numbers: dict[int, int] = {}
        self._parts: dict[int, list[bytes]] = {}
        at = 0
        while at < len(data):
            key, at = varint(data, at)
            field, kind = key >> 3, key & 7
            if kind == _VARINT:
                self._numbers[field], at = varint(data, at)
                continue
            if kind == _BYTES:
                size, at = varint(data, at)
            elif kind in _SIZES:
                size = _SIZES[kind]
            else:
                raise ValueError("a field of an unknown kind")
            if at + size > len(data):
                raise IndexError("a field is cut off")
            self._parts.setdefault(field, []).append(data[at : at + size])
            at += size

    def number(self, field: int) -> int:
        return self._numbers.get(field, 0)

    def parts(self, field: int) -> list[bytes]:
        """The bytes of a field that may be repeated."""
        return self._parts.get(field, [])

    def data(self, field: int) -> bytes:
        return next(iter(self.parts(field)), b"")

    def text(self, field: int) -> str:
        return b"".join(self.parts(field)).decode("utf-8", "replace")

    def messages(self, field: int) -> list[Message]:
        return [Message(part) for part in self.parts(field)]

    def message(self, field: int) -> Message:
        return Message(self.data(field))

    def references(self, field: int) -> list[int]:
        """The numbers of the objects that a field refers to."""
        return [each.number(1) for each in self.messages(field)]
