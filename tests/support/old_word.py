"""Writes old Word files (DOC) by hand: the head, the pieces of text, and the lists of their marks."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

from support.compound import compound

_SECTOR = 512
_TEXT_AT = 0x800
# The numbers of (offset, length) pairs in the head, and their offsets in Word 6 where these are others.
_PAIRS = {
    "styles": 1, "footnote marks": 2, "footnotes": 3, "comment marks": 4, "comments": 5, "headers": 11, "chpx": 12,
    "papx": 13, "fonts": 15, "pieces": 33, "authors": 36, "shapes": 40, "endnote marks": 46, "endnotes": 47,
    "boxes": 56,
}  # fmt: skip
_WORD_6_PAIRS = {"endnote marks": 0x1D2, "endnotes": 0x1DA}


@dataclass
class OldWord:
    """A document. In `body` each mark is a character: 2 a footnote, 3 an endnote, 5 a comment, 8 a text box.

    runs: (first, last + 1, changes) in characters of all stories; paragraphs: the same with (style, changes).
    styles: the numbers of built-in styles (1 is "heading 1") by their places in the style sheet.
    """

    body: str
    footnotes: Sequence[str] = ()
    endnotes: Sequence[str] = ()
    comments: Sequence[tuple[str, str]] = ()  # (author, text)
    boxes: Sequence[str] = ()
    headers: Sequence[str] = ()  # six for each section
    runs: Sequence[tuple[int, int, bytes]] = ()
    paragraphs: Sequence[tuple[int, int, int, bytes]] = ()
    styles: Sequence[int] = ()
    fonts: Sequence[tuple[str, int]] = ()  # (name, charset)
    word97: bool = True
    codec: str = "utf-16-le"
    language: int = 0x409
    flags: int = 0
    _parts: dict[str, bytes] = field(default_factory=dict)

    def bytes(self) -> bytes:
        """The file."""
        stories = self._stories()
        text = "".join(stories)
        width = 2 if self.codec == "utf-16-le" else 1
        encoded = text.encode(self.codec)
        stream = bytearray(_TEXT_AT) + encoded
        self._add_pages(stream, len(text), width, len(encoded))
        offset = _TEXT_AT if width == 2 else 0x40000000 | _TEXT_AT * 2
        pieces = _plc([0, len(text)], [struct.pack("<HIH", 0, offset, 0)])
        self._parts["pieces"] = b"\x02" + struct.pack("<I", len(pieces)) + pieces
        if not self.word97:
            del self._parts["pieces"]
        table = bytearray()
        target, base = (table, 0) if self.word97 else (stream, 0)
        pairs = {}
        for name, data in self._parts.items():
            pairs[name] = (base + len(target), len(data))
            target += data
        self._head(stream, stories, pairs, len(encoded))
        streams = {"WordDocument": bytes(stream)}
        if self.word97:
            streams["1Table"] = bytes(table)
        return compound(streams)

    def _stories(self) -> list[str]:
        body = self.body.replace("\x03", "\x02")
        self._mark("footnote", "\x02", self.footnotes, 2)
        self._mark("endnote", "\x03", self.endnotes, 2)
        comments = [text for _, text in self.comments]
        self._mark("comment", "\x05", comments, 30)
        if comments:
            authors = list(dict.fromkeys(author for author, _ in self.comments))
            marks = [struct.pack("<20xH8x", authors.index(author)) for author, _ in self.comments]
            self._parts["comment marks"] = _plc(self._positions("\x05", comments), marks)
            self._parts["authors"] = b"".join(_counted(author) for author in authors)
        boxes = [f"{text}\r" for text in self.boxes]
        if boxes:
            limits = _limits(boxes)
            entries = [struct.pack("<iiHIiI", 1, 0, 0, 0, 100 + at, 0) for at in range(len(boxes))]
            self._parts["boxes"] = _plc([*limits, limits[-1] + 1], [*entries, bytes(22)])
            shapes = [struct.pack("<I22x", 100 + at) for at in range(self.body.count("\x08"))]
            self._parts["shapes"] = _plc(self._positions("\x08", boxes), shapes)
        headers = [f"{text}\r" if text else "" for text in self.headers]
        if headers:
            limits = _limits(["", "", "", "", "", "", *headers])
            self._parts["headers"] = struct.pack(f"<{len(limits) + 1}I", *limits, limits[-1] + 1)
        return [
            body, _story(self._noted(self.footnotes)), "".join(headers), "", _story(self._noted(comments, "\x05")),
            _story(self._noted(self.endnotes)), _story(boxes),
        ]  # fmt: skip

    def _mark(self, kind: str, character: str, texts: Sequence[str], size: int) -> None:
        if texts:
            positions = self._positions(character, texts)
            self._parts[f"{kind} marks"] = _plc(positions, [b"\1" + bytes(size - 1)] * len(texts))
            limits = _limits(self._noted(texts))
            self._parts[f"{kind}s"] = struct.pack(f"<{len(limits) + 1}I", *limits, limits[-1] + 1)

    def _positions(self, character: str, texts: Sequence[str]) -> list[int]:
        found = [at for at, each in enumerate(self.body) if each == character]
        return [*found, len(self.body)]

    @staticmethod
    def _noted(texts: Sequence[str], mark: str = "\x02") -> list[str]:
        return [f"{mark} {text}\r" for text in texts]

    def _add_pages(self, stream: bytearray, count: int, width: int, size: int) -> None:
        runs, paragraphs = list(self.runs), list(self.paragraphs)
        whole = [_TEXT_AT, _TEXT_AT + size]
        for name, entries in (
            ("chpx", [(a, b, bytes([len(c)]) + c) for a, b, c in runs]),
            ("papx", [(a, b, self._papx(style, c)) for a, b, style, c in paragraphs]),
        ):
            if entries:
                stream += bytes(-len(stream) % _SECTOR)
                number = len(stream) // _SECTOR
                stream += _page(entries, width, count, {"chpx": 1, "papx": 13 if self.word97 else 7}[name])
                self._parts[name] = _plc(whole, [number.to_bytes(4 if self.word97 else 2, "little")])
        if self.styles:
            self._parts["styles"] = _style_sheet(self.styles)
        if self.fonts:
            names = [
                name.encode("utf-16-le") + b"\0\0" if self.word97 else name.encode() + b"\0"
                for name, _ in self.fonts
            ]
            gap = 34 if self.word97 else 0
            entries_of_fonts = [
                struct.pack("<BHBB", 0, 400, charset, 0) + bytes(gap) + name
                for (_, charset), name in zip(self.fonts, names, strict=True)
            ]
            data = b"".join(bytes([len(entry)]) + entry for entry in entries_of_fonts)
            head = struct.pack("<HH", len(self.fonts), 0) if self.word97 else struct.pack("<H", len(data) + 2)
            self._parts["fonts"] = head + data

    def _papx(self, style: int, changes: bytes) -> bytes:
        data = struct.pack("<H", style) + changes
        if self.word97:
            data += bytes((len(data) + 1) % 2)
            return bytes([(len(data) + 1) // 2]) + data
        data += bytes(len(data) % 2)
        return bytes([len(data) // 2]) + data

    def _head(
        self, stream: bytearray, stories: list[str], pairs: dict[str, tuple[int, int]], size: int
    ) -> None:
        flags = self.flags | (0x0200 if self.word97 else 0)
        struct.pack_into("<HH2xHxxH", stream, 0, 0xA5EC, 0xC1 if self.word97 else 104, self.language, flags)
        struct.pack_into("<II", stream, 0x18, _TEXT_AT, _TEXT_AT + size)
        width = 2 if self.codec == "utf-16-le" else 1
        counts = [len(story.encode(self.codec)) // width for story in stories]
        struct.pack_into("<7i", stream, 0x4C if self.word97 else 0x34, *counts)
        for name, pair in pairs.items():
            at = 0x9A + 8 * _PAIRS[name] if self.word97 else _WORD_6_PAIRS.get(name, 0x58 + 8 * _PAIRS[name])
            struct.pack_into("<II", stream, at, *pair)


def _plc(numbers: Sequence[int], values: Sequence[bytes]) -> bytes:
    return struct.pack(f"<{len(numbers)}I", *numbers) + b"".join(values)


def _limits(texts: Sequence[str]) -> list[int]:
    limits = [0]
    for text in texts:
        limits.append(limits[-1] + len(text))
    return limits


def _story(texts: Sequence[str]) -> str:
    return "".join(texts) + "\r" if texts else ""


def _counted(text: str) -> bytes:
    return struct.pack("<H", len(text)) + text.encode("utf-16-le")


def _page(entries: list[tuple[int, int, bytes]], width: int, count: int, size: int) -> bytes:
    """A page of properties; between the entries, those of the style hold."""
    filled: list[tuple[int, int, bytes]] = []
    at = 0
    for start, end, data in sorted(entries):
        if at < start:
            filled.append((at, start, b""))
        filled.append((start, end, data))
        at = end
    if at < count:
        filled.append((at, count, b""))
    page = bytearray(_SECTOR)
    limits = [start for start, _, _ in filled] + [filled[-1][1]]
    struct.pack_into(f"<{len(limits)}I", page, 0, *(_TEXT_AT + width * limit for limit in limits))
    free = _SECTOR - 2
    for index, (_, _, data) in enumerate(filled):
        if data:
            free = (free - len(data)) & ~1
            page[free : free + len(data)] = data
            page[4 * len(limits) + size * index] = free // 2
    page[-1] = len(filled)
    return bytes(page)


def _style_sheet(styles: Sequence[int]) -> bytes:
    data = struct.pack("<HHHHHHHHH", 18, len(styles), 10, 1, 15, 0, 0, 0, 0) + bytes(2)
    for built_in in styles:
        name = struct.pack("<H", 1) + "s".encode("utf-16-le") + b"\0\0"
        style = struct.pack("<HHHHH", built_in, 0xFFF1, 2, 0, 0) + name + struct.pack("<HH", 2, 0) + bytes(2)
        data += struct.pack("<H", len(style)) + style + bytes(len(style) % 2)
    return data
