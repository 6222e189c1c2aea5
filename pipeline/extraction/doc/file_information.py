"""The head of an old Word file (FIB), which says where everything is, for Word 6, 95 and 97 to 2007. Pure.

[MS-DOC] of Microsoft describes the format of Word 97 and later; Word 6 and 95 have narrower numbers at other places.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from pipeline.extraction.content import ExtractError

_OLDEST = 101  # Word 6
_WORD_97 = 0xC1 - 20  # versions from 105 to 192 were never released
_MACINTOSH = 0x100
_ENCRYPTED, _COMPLEX, _SECOND_TABLE = 0x0100, 0x0004, 0x0200
# The places of (offset, length) pairs by their numbers in Word 97; those of Word 6 that are not at the same number.
STYLES, FOOTNOTE_MARKS, FOOTNOTES, COMMENT_MARKS, COMMENTS, HEADERS = 1, 2, 3, 4, 5, 11
CHARACTERS, PARAGRAPHS, FONTS, SETTINGS, PIECES, AUTHORS = 12, 13, 15, 31, 33, 36
SHAPES, ENDNOTE_MARKS, ENDNOTES, TEXT_BOXES, LISTS, LIST_USES = 40, 46, 47, 56, 73, 74
_WORD_6 = {AUTHORS: 0x178, ENDNOTE_MARKS: 0x1D2, ENDNOTES: 0x1DA}
_LAST_OF_WORD_6 = 33


@dataclass(frozen=True)
class FileInformation:
    """`counts` are the characters of the text, the footnotes, headers, macros, comments, endnotes and text boxes."""

    word97: bool
    language: int
    macintosh: bool
    table_name: str
    complex: bool
    first: int  # the offset of the first character of the text
    counts: tuple[int, ...]
    _data: bytes

    def start_of(self, story: int) -> int:
        """The position of a story's first character; stories are numbered like `counts`."""
        return sum(self.counts[:story])

    def place(self, number: int) -> tuple[int, int]:
        """(offset, length) in the table stream; length 0 if the file has no such part."""
        if self.word97:
            at = 0x9A + 8 * number
        elif number in _WORD_6:
            at = _WORD_6[number]
        elif number <= _LAST_OF_WORD_6:
            at = 0x58 + 8 * number
        else:
            return 0, 0
        if at + 8 > len(self._data):
            return 0, 0
        offset, length = struct.unpack_from("<II", self._data, at)
        return offset, length


def read(stream: bytes) -> FileInformation:
    """The head of a WordDocument stream. Raises ExtractError for an encrypted file or one that is too old."""
    if len(stream) < 0x200:
        raise ExtractError("corrupt", "This is an old Word document that is damaged and cannot be read.")
    magic, version, language, flags = struct.unpack_from("<HH2xHxxH", stream)
    if magic not in (0xA5EC, 0xA5DC) or version < _OLDEST:
        raise ExtractError(
            "unsupported", "This is a Word document of a version before 6, which cannot be read."
        )
    if flags & _ENCRYPTED:
        raise ExtractError(
            "corrupt", "This is a Word document that is encrypted and cannot be read without its password."
        )
    word97 = version >= _WORD_97
    counts = struct.unpack_from("<8i", stream, 0x4C if word97 else 0x34)
    return FileInformation(
        word97,
        language,
        not word97 and struct.unpack_from("<H", stream, 0x14)[0] == _MACINTOSH,
        ("1Table" if flags & _SECOND_TABLE else "0Table") if word97 else "WordDocument",
        bool(flags & _COMPLEX),
        struct.unpack_from("<I", stream, 0x18)[0],
        tuple(max(0, count) for count in counts),
        stream[:0x600],
    )
