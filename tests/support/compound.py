"""Writes Microsoft's compound files, and Outlook messages in them, for tests."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

_FREE, _END, _FAT, _NONE = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD, 0xFFFFFFFF
_SECTOR, _MINI = 512, 64
_CUTOFF = 4096


@dataclass
class _Entry:
    name: str
    kind: int  # 1 storage, 2 stream, 5 root
    data: bytes = b""
    children: list[int] = field(default_factory=list)
    right: int = _NONE
    start: int = _END


def compound(streams: Mapping[str, bytes]) -> bytes:
    """A compound file with the streams at paths like "storage/stream"."""
    entries = [_Entry("Root Entry", 5)]
    storages = {"": 0}
    for path, data in streams.items():
        *folders, name = path.split("/")
        parent = ""
        for folder in folders:
            child = f"{parent}/{folder}"
            if child not in storages:
                storages[child] = len(entries)
                entries[storages[parent]].children.append(len(entries))
                entries.append(_Entry(folder, 1))
            parent = child
        entries[storages[parent]].children.append(len(entries))
        entries.append(_Entry(name, 2, data))
    for entry in entries:
        entry.children.sort(key=lambda number: (len(entries[number].name), entries[number].name.upper()))
        for left, right in zip(entry.children, entry.children[1:], strict=False):
            entries[left].right = right
    return _file(entries)


def _file(entries: list[_Entry]) -> bytes:
    sectors: list[bytes] = []
    fat: list[int] = []
    small, mini_fat = bytearray(), list[int]()
    for entry in entries:
        if entry.kind == 2 and entry.data:
            if len(entry.data) < _CUTOFF:
                entry.start = len(mini_fat)
                count = -(-len(entry.data) // _MINI)
                mini_fat += [*range(entry.start + 1, entry.start + count), _END]
                small += entry.data.ljust(count * _MINI, b"\0")
            else:
                entry.start = _append(sectors, fat, entry.data)
    entries[0].data = bytes(small)
    entries[0].start = _append(sectors, fat, bytes(small))
    mini_start = _append(sectors, fat, struct.pack(f"<{len(mini_fat)}L", *mini_fat), b"\xff")
    directory_start = _append(sectors, fat, b"".join(map(_directory_entry, entries)))
    count = 1
    while count * 128 < len(fat) + count:
        count += 1
    fat_sectors = range(len(sectors), len(sectors) + count)
    table = [*fat, *[_FAT] * count]
    table += [_FREE] * (count * 128 - len(table))
    header = struct.pack(
        "<8s16sHHHHH6xLLLLLLLLL", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", bytes(16), 0x3E, 3, 0xFFFE, 9, 6, 0, count,
        directory_start, 0, _CUTOFF, mini_start, -(-len(mini_fat) // 128), _END, 0,
    )  # fmt: skip
    numbers = [*fat_sectors, *[_FREE] * (109 - count)]
    return (
        header + struct.pack("<109L", *numbers) + b"".join(sectors) + struct.pack(f"<{len(table)}L", *table)
    )


def _append(sectors: list[bytes], fat: list[int], data: bytes, padding: bytes = b"\0") -> int:
    if not data:
        return _END
    start = len(sectors)
    pieces = [data[at : at + _SECTOR].ljust(_SECTOR, padding) for at in range(0, len(data), _SECTOR)]
    sectors += pieces
    fat += [*range(start + 1, start + len(pieces)), _END]
    return start


def _directory_entry(entry: _Entry) -> bytes:
    name = entry.name.encode("utf-16-le")
    child = entry.children[0] if entry.children else _NONE
    size = len(entry.data)
    return struct.pack(
        "<64sHBBLLL16sL16sLQ", name, len(name) + 2, entry.kind, 1, _NONE, entry.right, child, bytes(16), 0, bytes(16),
        entry.start if entry.kind != 1 else 0, size,
    )  # fmt: skip


@dataclass
class Outlook:
    """An Outlook message: property id -> str (Unicode), bytes (8-bit text), bytearray (binary) or int.

    files: those of the attachments, each with its properties, or with a message inside.
    """

    properties: Mapping[int, str | bytes | bytearray | int]
    recipients: Sequence[Mapping[int, str | bytes | bytearray | int]] = ()
    files: Sequence[tuple[Mapping[int, str | bytes | bytearray | int], Outlook | None]] = ()

    def file(self) -> bytes:
        return compound({"__nameid_version1.0/__substg1.0_00020102": b"", **self._streams("", 32)})

    def _streams(self, at: str, header: int) -> dict[str, bytes]:
        streams = _properties(at, self.properties, header)
        for number, recipient in enumerate(self.recipients):
            streams |= _properties(f"{at}__recip_version1.0_#{number:08X}/", recipient, 8)
        for number, (properties, message) in enumerate(self.files):
            folder = f"{at}__attach_version1.0_#{number:08X}/"
            streams |= _properties(folder, properties, 8)
            if message is not None:
                streams |= message._streams(f"{folder}__substg1.0_3701000D/", 24)
        return streams


def _properties(
    at: str, values: Mapping[int, str | bytes | bytearray | int], header: int
) -> dict[str, bytes]:
    streams, fixed = {}, b""
    for key, value in values.items():
        if isinstance(value, int):
            kind = 0x40 if key in (0x0039, 0x0E06) else 3
            fixed += struct.pack("<HHLQ", kind, key, 6, value)
            continue
        kind = 0x1F if isinstance(value, str) else 0x102 if isinstance(value, bytearray) else 0x1E
        data = value.encode("utf-16-le") if isinstance(value, str) else bytes(value)
        streams[f"{at}__substg1.0_{key:04X}{kind:04X}"] = data
        fixed += struct.pack("<HHLLL", kind, key, 6, len(data), 0)
    streams[f"{at}__properties_version1.0"] = bytes(header) + fixed
    return streams
