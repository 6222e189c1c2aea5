"""The objects of an iWork document by their numbers: its parts, unpacked from Snappy. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipeline.extraction.content import ExtractError
from pipeline.extraction.iwork.messages import Message, varint
from pipeline.extraction.zip_package import ZipPackage

# Parts without a text that a person reads: the state of the window, sizes of rows, designs of slides.
_NO_TEXT = re.compile(
    r"(?:^|/)(?:ViewState|Metadata|DocumentMetadata|HeaderStorageBucket|MasterSlide|TemplateSlide)\b"
)
_MAX_UNPACKED = 400_000_000  # bytes of all parts together
_DAMAGE = (IndexError, ValueError)
_EMPTY = Message(b"")


class Objects:
    """All objects, each with the number of its kind. A reference to an object that is missing gives an empty one."""

    def __init__(self, package: ZipPackage) -> None:
        """Raises ExtractError for a damaged document."""
        self._stored: dict[int, tuple[int, bytes]] = {}
        left = _MAX_UNPACKED
        for name in package.names:
            if not name.endswith(".iwa") or _NO_TEXT.search(name):
                continue
            try:
                data = _unpacked(package.read(name), left)
                left -= len(data)
                self._stored.update(_objects(data))
            except _DAMAGE as error:
                raise ExtractError("corrupt", f"The part {name} of the file is damaged.") from error

    def kind(self, number: int) -> int:
        """What an object is; 0 where there is none."""
        return self._stored[number][0] if number in self._stored else 0

    def __getitem__(self, number: int) -> Message:
        return Message(self._stored[number][1]) if number in self._stored else _EMPTY

    def of_kind(self, kind: int) -> list[int]:
        """The numbers of the objects of one kind, in the order of the file."""
        return [number for number, (found, _) in self._stored.items() if found == kind]


def _objects(data: bytes) -> Iterator[tuple[int, tuple[int, bytes]]]:
    """Each object is a header, which names the sizes of its messages, and the messages; the first is the object."""
    at = 0
    while at < len(data):
        size, at = varint(data, at)
        header = Message(data[at : at + size])
        at += size
        for count, about in enumerate(header.messages(2)):
            if not count:
                yield header.number(1), (about.number(1), data[at : at + about.number(3)])
            at += about.number(3)


def _unpacked(data: bytes, most: int) -> bytes:
    """A part: blocks of Snappy, each below its length in three bytes."""
    blocks: list[bytes] = []
    at = 0
    while at < len(data):
        end = at + 4 + int.from_bytes(data[at + 1 : at + 4], "little")
        block = _snappy(data[at + 4 : end], most)
        most -= len(block)
        blocks.append(block)
        at = end
    return b"".join(blocks)


def _snappy(data: bytes, most: int) -> bytes:
    """One block of Snappy. Raises IndexError or ValueError for damaged data, ExtractError for too much."""
    size, at = varint(data, 0)
    if size > most:
        raise ExtractError("too_large", "The file unpacks to too much data.")
    out = bytearray()
    while at < len(data):
        tag = data[at]
        at += 1
        if tag & 3 == 0:  # bytes as they are
            length = (tag >> 2) + 1
            if length > 60:
                more = length - 60
                length = int.from_bytes(data[at : at + more], "little") + 1
                at += more
            out += data[at : at + length]
            at += length
        else:  # a copy of what was written before
            width = (1, 2, 4)[(tag & 3) - 1]
            length = ((tag >> 2) & 7) + 4 if width == 1 else (tag >> 2) + 1
            offset = int.from_bytes(data[at : at + width], "little") + ((tag >> 5) << 8 if width == 1 else 0)
            at += width
            if not 0 < offset <= len(out):
                raise ValueError("a copy of bytes that are not there")
            start = len(out) - offset
            piece = bytes(out[start : start + length])
            out += (piece * (length // len(piece) + 1))[:length]
        if len(out) > size:
            raise ValueError("a block is longer than it says")
    return bytes(out)
