"""What an old Word file says of its styles, lists and fonts. Pure."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from pipeline.extraction.doc import properties
from pipeline.extraction.docx.numbering import Level, Numbering
from pipeline.extraction.windows_charsets import codec_of_charset

_TITLE = 62  # the number of the built-in style
_MAX_CHAIN = 30  # styles that are based on one another
_NO_STYLE = 0xFFF
_FORMATS = {
    0: "decimal", 1: "upperRoman", 2: "lowerRoman", 3: "upperLetter", 4: "lowerLetter", 5: "ordinal", 9: "chicago",
    10: "decimal", 14: "decimalFullWidth", 18: "decimalEnclosedCircle", 22: "decimalZero", 23: "bullet",
    11: "japaneseCounting", 33: "taiwaneseCounting", 35: "taiwaneseCountingThousand", 37: "chineseCounting",
    39: "chineseCountingThousand", 45: "hebrew1", 46: "arabicAlpha", 58: "russianLower", 59: "russianUpper",
    255: "none",
}  # fmt: skip


@dataclass(frozen=True)
class Style:
    """`level` is that of a heading, from 1."""

    level: int | None = None
    hidden: bool = False
    list_use: int | None = None
    list_level: int | None = None
    base: int = _NO_STYLE


@dataclass
class Fonts:
    names: dict[int, str] = field(default_factory=dict)
    codecs: dict[int, str] = field(default_factory=dict)


def styles(data: bytes, word97: bool) -> dict[int, Style]:
    """The styles of a style sheet (STSH) by their numbers, with what they inherit."""
    if len(data) < 6:
        return {}
    head, count, base_size = struct.unpack_from("<HHH", data)
    at = 2 + head
    own: dict[int, Style] = {}
    for number in range(min(count, 4095)):
        if at + 2 > len(data):
            break
        size = struct.unpack_from("<H", data, at)[0]
        if size >= 8:
            own[number] = _style(data[at + 2 : at + 2 + size], base_size, word97)
        at += 2 + size + (size & 1)
    return {number: _inherited(own, number) for number in own}


def _style(data: bytes, base_size: int, word97: bool) -> Style:
    built_in = struct.unpack_from("<H", data)[0] & 0xFFF
    kind, base = struct.unpack_from("<H", data, 2)[0] & 0xF, struct.unpack_from("<H", data, 2)[0] >> 4
    level = built_in if 1 <= built_in <= 9 else 1 if built_in == _TITLE else None
    if not word97:
        return Style(level, base=base)
    length = int.from_bytes(data[base_size : base_size + 2], "little")
    at = base_size + 2 + 2 * length + 2
    use = list_level = None
    hidden = False
    for part in range(2 if kind == 1 else 1):
        at += at & 1
        size = int.from_bytes(data[at : at + 2], "little")
        changes = data[at + 2 : at + 2 + size]
        if kind == 1 and part == 0:
            found = properties.paragraph(0, changes[2:], True)
            use, list_level = found.list_use, found.list_level
            if found.outline is not None and level is None and found.outline < 9:
                level = found.outline + 1
        else:
            hidden = properties.characters(changes, True).hidden in (1, 129)
        at += 2 + size
    return Style(level, hidden, use, list_level, base)


def _inherited(own: dict[int, Style], number: int) -> Style:
    found = own[number]
    level, hidden, use, list_level = found.level, found.hidden, found.list_use, found.list_level
    base = found.base
    for _ in range(_MAX_CHAIN):
        above = own.get(base)
        if above is None:
            break
        level = level if level is not None else above.level
        hidden = hidden or above.hidden
        use = use if use is not None else above.list_use
        list_level = list_level if list_level is not None else above.list_level
        base = above.base
    return Style(level, hidden, use, list_level)


def numbering(definitions: bytes, uses: bytes) -> Numbering:
    """The lists of a file; `definitions` holds what follows PlfLst, too. A list's id is the number of its use."""
    found = Numbering(None)
    if len(definitions) < 2 or len(uses) < 4:
        return found
    count = struct.unpack_from("<H", definitions)[0]
    at = 2 + 28 * count
    for index in range(min(count, 5_000)):
        if 2 + 28 * (index + 1) > len(definitions):
            break
        list_id = struct.unpack_from("<i", definitions, 2 + 28 * index)[0]
        simple = definitions[2 + 28 * index + 26] & 1
        levels = {}
        for number in range(1 if simple else 9):
            level, at = _level(definitions, at)
            if level is None:
                break
            levels[number] = level
        found.add_definition(str(list_id), levels)
    _add_uses(found, uses)
    return found


def _add_uses(found: Numbering, uses: bytes) -> None:
    count = struct.unpack_from("<I", uses)[0]
    at = 4 + 16 * count
    for index in range(min(count, 20_000)):
        if 4 + 16 * (index + 1) > len(uses):
            break
        list_id = struct.unpack_from("<i", uses, 4 + 16 * index)[0]
        changed = uses[4 + 16 * index + 12]
        overrides: dict[int, Level] = {}
        starts: dict[int, int] = {}
        at += 4
        for _ in range(changed):
            if at + 8 > len(uses):
                break
            start, flags = struct.unpack_from("<iI", uses, at)
            at += 8
            number = flags & 0xF
            if flags & 0x20:
                level, at = _level(uses, at)
                if level is not None:
                    overrides[number] = level
            if flags & 0x10:
                starts[number] = start
        found.add_list(str(index + 1), str(list_id), overrides, starts)


def _level(data: bytes, at: int) -> tuple[Level | None, int]:
    """A level of a list (LVL), and where the next one is."""
    if at + 28 > len(data):
        return None, at
    start, number_format, flags = struct.unpack_from("<iBB", data, at)
    character_size, paragraph_size, restart = data[at + 24], data[at + 25], data[at + 26]
    at += 28 + character_size + paragraph_size
    length = int.from_bytes(data[at : at + 2], "little")
    text = data[at + 2 : at + 2 + 2 * length].decode("utf-16-le", "replace")
    shown = "".join(f"%{ord(each) + 1}" if ord(each) < 9 else each for each in text)
    style = _FORMATS.get(number_format, "decimal")
    level = Level(start, style, shown, restart if flags & 0x08 else None, bool(flags & 0x04))
    return level, at + 2 + 2 * length


def fonts(data: bytes, word97: bool) -> Fonts:
    """The fonts by their numbers."""
    found = Fonts()
    at = 4 if word97 else 2
    number = 0
    while at + 7 < len(data) and number < 5_000:
        size = data[at]
        entry = data[at + 1 : at + 1 + size]
        charset = entry[3] if len(entry) > 3 else 0
        if word97:
            name = entry[39:].decode("utf-16-le", "ignore").partition("\0")[0]
        else:
            name = entry[5:].partition(b"\0")[0].decode("cp1252", "ignore")
        found.names[number] = name
        codec = codec_of_charset(charset)
        if codec:
            found.codecs[number] = codec
        at += 1 + size
        number += 1
    return found
